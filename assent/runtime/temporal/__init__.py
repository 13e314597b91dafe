"""A Temporal server for this machine: found, fetched or built, started, and connected to."""
