"""Assent: AI agents act as durable workflows, with people in control."""

__version__ = "0.1.0"
