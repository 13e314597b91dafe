"""``assent db``: the schema of the database."""

from __future__ import annotations

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import note, tell

app = typer.Typer(help="The schema of the database.", no_args_is_help=True)

EXIT_BEHIND = 1


@app.command()
def migrate(context: typer.Context, as_json: Json = False) -> None:
    """Bring the schema up to date and publish the cards of ASSENT_CARDS; safe to repeat and to run several times."""
    from assent.runtime.console import opened
    from assent.runtime.prepare import publish_cards
    from assent.store import migrate as schema

    with opened(settings_of(context)) as database:
        before, after = schema.migrate(database)
        publish_cards(settings_of(context), database, note)
    if as_json:
        print_json({"before": before, "after": after})
    elif before == after:
        tell(f"Already at revision {after}.")
    else:
        tell(f"Brought from {before or 'empty'} to revision {after}.")


@app.command()
def current(context: typer.Context, as_json: Json = False) -> None:
    """Print the revision the schema is at; ends with 1 if it is not the newest."""
    from assent.runtime.console import opened
    from assent.store import migrate as schema

    with opened(settings_of(context)) as database:
        found = schema.current_revision(database)
    newest = schema.newest_revision()
    if as_json:
        print_json({"current": found, "newest": newest})
    else:
        tell(f"At revision {found or 'none'}; this version of Assent needs {newest}.")
    if found != newest:
        raise typer.Exit(EXIT_BEHIND)
