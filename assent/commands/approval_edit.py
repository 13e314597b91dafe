"""``assent approval edit`` and ``revisions``: change what a request asks for before anybody decides it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assent.commands import approval_check
from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Name, Yes, ago, confirm, exact, note, show_fields, show_table, tell
from assent.domain.catalogue import SECRET
from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.domain.forms import written
from assent.domain.hostile_text import written_out
from assent.domain.people import Via
from assent.domain.revisions import ArgumentChange, argument_changes

if TYPE_CHECKING:
    from assent.runtime.settings import Settings
    from assent.store.people import Person
    from assent.store.queries.revisions import Editable, EditView

PATIENCE = 30.0
"""Seconds that the command waits for the run to say what came of an edit."""

ApprovalId = Annotated[str, typer.Argument(help="The request's id, ap-….", metavar="REQUEST")]


def edit(
    context: typer.Context,
    approval_id: ApprovalId,
    arguments: Annotated[
        str | None,
        typer.Option(help="The new arguments: JSON, @FILE or - for standard input. Without it, $EDITOR opens them."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; shown to everybody, and given to the agent.")] = "",
    digest: Annotated[str | None, typer.Option(help="Only if the request still shows this.")] = None,
    name: Name = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Change the arguments of a pending request; votes given before do not count any more."""
    from assent.runtime.console import deciding_person, reading
    from assent.store.queries import checks_shown, revisions

    settings = settings_of(context)
    with reading(settings) as session:
        check = None
        try:
            start = revisions.editable(session, approval_id)
        except NotFound:
            if (check := approval_check.own(session, approval_id, name)) is None:
                raise
            start = checks_shown.editable(session, check)
        person = deciding_person(session, name)
    if digest is not None and digest != start.digest:
        raise Conflict("The request no longer shows that.", where="--digest", todo="Look at it again and edit anew.")
    wanted = _edited(start) if arguments is None else _parsed(_text_of(arguments))
    if not as_json:
        _show_changes(argument_changes(start.arguments, wanted))
    confirm(f"Edit this as {person.name}? Votes given before lapse.", yes)
    if check is not None:
        by, of = person.acting(Via.CLI), start.digest
        ended = approval_check.sent(
            settings, lambda gateway: gateway.change_check(approval_id, wanted, digest=of, by=by, reason=reason)
        )
        approval_check.told(ended, as_json)
        return
    view, edit_id = asyncio.run(_send(settings, start, wanted, reason, person))
    _tell(view, edit_id, start, person, as_json)


def list_revisions(context: typer.Context, approval_id: ApprovalId, as_json: Json = False) -> None:
    """List what a request showed at each revision, and edits that were refused."""
    from assent.runtime.console import reading
    from assent.store.queries import approvals, checks_shown, revisions
    from assent_ui.api.talk_schemas import RefusedEditOut, RevisionOut

    with reading(settings_of(context)) as session:
        check = approval_check.of(session, approval_id)
        if check is None:
            approvals.one(session, approval_id)
        kept, edits = revisions.of_request(session, approval_id), revisions.edits(session, approval_id)
        kept = kept if check is None else (checks_shown.first_revision(check),)
    refused = [each for each in edits if each.revision is None]
    if as_json:
        print_json(
            {
                "revisions": [RevisionOut.model_validate(each).model_dump(mode="json") for each in kept],
                "refused": [RefusedEditOut.model_validate(each).model_dump(mode="json") for each in refused],
            }
        )
        return
    for each in kept:
        fields: list[tuple[str, Any]] = [
            ("revision", each.revision),
            ("when", exact(each.at)),
            ("by", each.edited_by.name if each.edited_by else "the agent"),
            ("reason", each.reason),
            ("what", each.card.headline),
            ("changes", _changes_text(each.card.revised.changes) if each.card.revised else ""),
            ("digest", each.digest),
        ]
        show_fields(fields)
        typer.echo()
    if refused:
        note("Edits that were refused:")
        show_table(["when", "by", "why"], [[ago(each.at), each.by.name, each.why_not] for each in refused])


async def _send(
    settings: Settings, start: Editable, wanted: dict[str, Any], reason: str, person: Person
) -> tuple[EditView | None, str]:
    from assent.runtime.console import connected

    async with connected(settings) as (gateway, _):
        by = person.acting(Via.CLI)
        sent = await gateway.revise(start.approval_id, wanted, digest=start.digest, by=by, reason=reason)
        return await gateway.edited(sent.id, wait_seconds=PATIENCE), sent.id


def _tell(view: EditView | None, edit_id: str, start: Editable, person: Person, as_json: bool) -> None:
    if view is not None and view.revision is None:
        raise Conflict(view.why_not, where="edit", todo="The request stays as it was.")
    revision = view.revision if view else None
    if as_json:
        print_json({"id": edit_id, "approval_id": start.approval_id, "revision": revision})
    elif revision is None:
        note(f"The run has not said yet what comes of it: `assent approval revisions {start.approval_id}`.")
    else:
        tell(f"Revision {revision}, edited as {person.name}. It waits for people: nothing runs yet.")


def _edited(start: Editable) -> dict[str, Any]:
    """What a person makes of the arguments in their editor."""
    if not sys.stdin.isatty():
        raise InvalidInput("There are no new arguments.", where="--arguments", todo="Give them with `--arguments`.")
    text = written(start.arguments) + "\n"
    if SECRET in text:
        note(f"{SECRET} stands for a secret that stays as it is.")
    while True:
        found = _in_editor(text)
        try:
            return _parsed(found)
        except InvalidInput as error:
            note(str(error))
            typer.confirm("Edit again?", default=True, abort=True, err=True)
            text = found


def _in_editor(text: str) -> str:
    """A text as a person leaves it in their editor. The file is theirs alone and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="assent-") as folder:
        file = Path(folder) / "arguments.json"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        # The shell finds the editor and splits its options, as for every other program that opens one.
        ended = subprocess.run(["sh", "-c", 'exec ${VISUAL:-${EDITOR:-vi}} "$1"', "sh", str(file)], check=False)
        if ended.returncode:
            raise InvalidInput(f"The editor ended with {ended.returncode}.", where="$EDITOR", todo="Nothing was sent.")
        return file.read_text(encoding="utf-8", errors="replace")


def _text_of(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The file cannot be read: {error}.", where="--arguments") from error


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"This is no JSON: {error}.", where="--arguments") from error
    if not isinstance(found, dict):
        raise InvalidInput(
            "Arguments are a JSON object.", where="--arguments", todo='Write {"name": value, …}, all of them.'
        )
    return found


def _show_changes(changes: list[ArgumentChange]) -> None:
    tell(_changes_text(changes) or "Nothing differs.")


def _changes_text(changes: list[ArgumentChange]) -> str:
    return "\n".join(f"{'.'.join(each.path)}: {_side(each, 'before')} → {_side(each, 'after')}" for each in changes)


def _side(change: ArgumentChange, side: str) -> str:
    missing = {"before": "added", "after": "removed"}[side]
    return "—" if change.change.value == missing else written_out(getattr(change, side))
