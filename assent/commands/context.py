"""What every command needs from the command line around it: the settings, and how to print a result."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from assent.runtime.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
"""Type of the ``--json`` option that every command has."""


def settings_of(context: typer.Context) -> Settings:
    """Return the settings that the root command read from the environment and its own options."""
    settings = context.find_root().obj
    assert isinstance(settings, Settings)
    return settings


def print_json(value: Any) -> None:
    """Print a result for programs on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
