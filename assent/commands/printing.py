"""How commands show results: tables or JSON, and no text of an agent that could steer a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.cells import cell_len

from assent.commands.context import print_json
from assent.domain.errors import InvalidInput
from assent.domain.hostile_text import reveal_text
from assent.domain.words import lasting

Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=200)]
"""Type of the ``--limit`` option of every list."""

Cursor = Annotated[str | None, typer.Option(help="Go on where a page before ended.")]
"""Type of the ``--cursor`` option of every list."""

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
"""Type of the ``--yes`` option of what asks first."""

Name = Annotated[str | None, typer.Option("--as", help="Address of the person in whose name.")]
"""Type of the ``--as`` option of decisions."""

_WIDEST = 60


def tell(text: str) -> None:
    """Show a result to people."""
    typer.echo("\n".join(reveal_text(line) for line in text.split("\n")))


def note(text: str) -> None:
    """Say something beside the result, on standard error."""
    typer.echo(reveal_text(text), err=True)


def show_page(
    page: Any,
    as_json: bool,
    content: Callable[[Any], Any],
    headings: Sequence[str],
    row: Callable[[Any], Sequence[Any]],
) -> None:
    """Show a page of a list.

    Args:
        page: With ``items`` and ``next_cursor``.
        as_json: For programs.
        content: An item as JSON.
        headings: Headings of the table.
        row: An item as cells.
    """
    if as_json:
        print_json({"items": [content(item) for item in page.items], "next_cursor": page.next_cursor})
        return
    show_table(headings, [row(item) for item in page.items])
    if page.next_cursor:
        note(f"There is more: --cursor {page.next_cursor}")


def show_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Show rows in columns as wide as they need to be; the last one takes what is left."""
    if not rows:
        note("There is nothing.")
        return
    cells = [[_cell(value, last=at == len(row) - 1) for at, value in enumerate(row)] for row in rows]
    table = [[heading.upper() for heading in headings], *cells]
    widths = [max(cell_len(row[at]) for row in table) for at in range(len(headings))]
    for row in table:
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        typer.echo("  ".join(padded).rstrip())


def show_fields(fields: Sequence[tuple[str, Any]], *, err: bool = False) -> None:
    """Show one thing, field by field; empty ones are left out.

    Args:
        fields: Names and values.
        err: On standard error, because it is not the result.
    """
    shown = [(name, value) for name, value in fields if value not in (None, "")]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        lines = _text(value).split("\n")
        typer.echo(f"{name:{width}}  {lines[0]}", err=err)
        for line in lines[1:]:
            typer.echo(f"{'':{width}}  {line}", err=err)


def ago(moment: datetime | None) -> str:
    """A moment as people say it."""
    if moment is None:
        return ""
    away = datetime.now(UTC) - moment
    return f"{lasting(away)} ago" if away.total_seconds() >= 0 else f"in {lasting(-away)}"


def exact(moment: datetime | None) -> str:
    """A moment in the time zone of this machine."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def confirm(question: str, yes: bool) -> None:
    """Ask before something is done that cannot be taken back by typing again.

    Raises:
        InvalidInput: Nobody is there to ask.
        typer.Abort: The answer was no.
    """
    if yes:
        return
    if not _somebody_there():
        raise InvalidInput("Nobody is there to confirm it.", where="--yes", todo="Say `--yes` to do it without asking.")
    typer.confirm(reveal_text(question), abort=True, err=True)


def _somebody_there() -> bool:
    return typer.get_text_stream("stdin").isatty()


def _cell(value: Any, *, last: bool) -> str:
    text = " ".join(_text(value).split())
    # Lists are for finding; `show` has the whole.
    return text if last or cell_len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return exact(value)
    return "\n".join(reveal_text(line) for line in str(value).split("\n"))
