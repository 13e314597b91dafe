"""``assent approval comment``, ``ask`` and ``comments``: talk about a request."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from assent.commands import approval_check
from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Name, ago, note, tell
from assent.domain.errors import NotFound
from assent.domain.people import Via
from assent.domain.talk import Comment, CommentKind

ApprovalId = Annotated[str, typer.Argument(help="The request's id, ap-….", metavar="REQUEST")]
EntryText = Annotated[str, typer.Argument(help="Plain text.", metavar="TEXT")]

_WORDS = {CommentKind.COMMENT: "", CommentKind.QUESTION: " asks the agent", CommentKind.ANSWER: " answers"}


def comment(
    context: typer.Context, approval_id: ApprovalId, text: EntryText, name: Name = None, as_json: Json = False
) -> None:
    """Write a comment, for everybody who may see the request, and the agent."""
    _write(context, approval_id, text, name, CommentKind.COMMENT, as_json)


def ask(
    context: typer.Context, approval_id: ApprovalId, text: EntryText, name: Name = None, as_json: Json = False
) -> None:
    """Ask the agent a question; its answer comes under the request."""
    _write(context, approval_id, text, name, CommentKind.QUESTION, as_json)


def comments(context: typer.Context, approval_id: ApprovalId, as_json: Json = False) -> None:
    """Show everything that was written about a request, oldest first."""
    from assent.runtime.console import reading
    from assent.store import comments as stored
    from assent.store.queries import approvals

    with reading(settings_of(context)) as session:
        if approval_check.of(session, approval_id) is None:
            approvals.one(session, approval_id)
        found = stored.of_request(session, approval_id)
    if as_json:
        print_json({"items": [each.model_dump(mode="json") for each in found]})
        return
    if not found:
        note("Nobody wrote anything.")
    for each in found:
        still = " (not answered)" if each.kind is CommentKind.QUESTION and each.answered_at is None else ""
        agent = " (agent)" if each.by_agent else ""
        tell(f"{each.by.name}{agent}{_WORDS[each.kind]}, {ago(each.at)}{still}:")
        tell("\n".join(f"  {line}" for line in each.text.split("\n")))


def _write(
    context: typer.Context, approval_id: str, text: str, name: str | None, kind: CommentKind, as_json: bool
) -> None:
    from assent.gateway import Gateway
    from assent.runtime.channels import channels_of
    from assent.runtime.console import deciding_person, opened, reading

    settings = settings_of(context)

    async def send() -> Comment:
        with opened(settings) as database:
            with database.read() as session:
                by = deciding_person(session, name).acting(Via.CLI)
            gateway = Gateway(
                None, database, task_queue_prefix=settings.task_queue_prefix, channels=channels_of(settings)
            )
            written = gateway.ask if kind is CommentKind.QUESTION else gateway.comment
            return await written(approval_id, text, by=by)

    try:
        made = asyncio.run(send())
    except NotFound:
        with reading(settings) as session:
            person = deciding_person(session, name)
            if approval_check.own(session, approval_id, name) is None:
                raise
        by = person.acting(Via.CLI)
        check = approval_check.sent(settings, lambda gateway: gateway.ask_about_check(approval_id, text, by=by))
        approval_check.told(check, as_json)
        return
    if as_json:
        print_json(made.model_dump(mode="json"))
    elif kind is CommentKind.QUESTION:
        tell(f"Asked as {made.by.name}. The answer: `assent approval comments {approval_id}`.")
    else:
        tell(f"Written as {made.by.name}.")
