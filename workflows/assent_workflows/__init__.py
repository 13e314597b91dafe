"""The workflows: deterministic, with every side effect behind a typed port.

The package imports nothing: the sandbox runs a workflow's module anew for each run, and so each run would pay for all.
"""
