"""Composition roots: where settings, Temporal, the database and the faces are put together."""
