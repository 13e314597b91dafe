"""Benchmarks: Assent against the leanest workflow that does the same work, in one run on one server."""
