"""Alembic migrations; :mod:`assent.store.migrate` runs them."""
