"""Adapters that let agents built with other frameworks act through Assent. Each needs that framework installed."""
