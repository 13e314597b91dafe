"""``assent agent prove-undo``: does taking back work?"""

from __future__ import annotations

from typing import Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import note, show_table

EXIT_NOT_PROVEN = 1


def prove_undo(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The agent's name.", metavar="AGENT")],
    type: Annotated[str | None, typer.Argument(help="Only this action type.", metavar="TYPE")] = None,
    as_json: Json = False,
) -> None:
    """Try the undos of an agent's actions on scratch records and keep what came of it; ends with 1 if one fails."""
    from assent.gateway import utc_now
    from assent.runtime.connectors import Connectors
    from assent.runtime.console import console_actor, opened
    from assent.runtime.proving import prove_undos

    settings = settings_of(context)
    connectors = Connectors(settings)
    try:
        with opened(settings) as database:
            tried = prove_undos(
                database,
                connectors.registry,
                name,
                type=type,
                by=console_actor(),
                clock=utc_now,
                progress=lambda each: note(f"  {each}"),
            )
    finally:
        connectors.close()
    if as_json:
        print_json(
            {"items": [{"type": each.type, "worked": each.worked, "said": each.said, "at": each.at} for each in tried]}
        )
    else:
        show_table(
            ["undo of", "works", "what was seen"], [[each.type, _WORDS[each.worked], each.said] for each in tried]
        )
    if any(each.worked is False for each in tried):
        raise typer.Exit(EXIT_NOT_PROVEN)


_WORDS = {True: "yes", False: "no", None: "not tried"}
