"""Seeded checks on the command line: shown to their person like requests, and told for what they are when answered."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import typer

from assent.commands.context import print_json
from assent.commands.printing import note, tell
from assent.domain.approvals import Verb
from assent.domain.checks import handed
from assent.domain.errors import AssentError, NotFound
from assent.domain.people import Actor, Via

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from assent.domain.checks import Check
    from assent.gateway import Gateway
    from assent.runtime.settings import Settings
    from assent.store.people import Person
    from assent.store.queries.approvals import ApprovalView


def whose(session: Session, name: str | None) -> str:
    """Whose checks a list shows, by id: of ``--as``, or of the only one who may decide; empty if that is unclear."""
    from assent.runtime.console import deciding_person

    with contextlib.suppress(AssentError):
        return deciding_person(session, name).id
    return ""


def of(session: Session, approval_id: str) -> Check | None:
    """A check of this id, whoever is shown it: at the console there is one reader of the whole database."""
    from assent.store import checks

    return checks.by_id(session, approval_id)


def own(session: Session, approval_id: str, name: str | None) -> Check | None:
    """The check of this id, if it is that of the person of ``--as``."""
    from assent.runtime.console import deciding_person
    from assent.store import checks

    return checks.one(session, approval_id, deciding_person(session, name).id)


def decide(
    settings: Settings,
    shown: ApprovalView,
    verb: Verb,
    person: Person,
    *,
    reason: str,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Decide a check, and tell at once what it was; nothing is sent to any run."""
    from assent_ui.api.schemas import DecisionOut

    by = person.acting(Via.CLI)
    check = sent(
        settings,
        lambda gateway: gateway.decide_check(
            shown.id, verb=verb, digest=shown.digest, by=by, reason=reason, seconds=seconds
        ),
    )
    if as_json:
        decision = DecisionOut(
            id=uuid.uuid4().hex,
            approval_id=shown.id,
            action_id=shown.action_id,
            verdict=verb,
            reason=reason,
            by=by,
            at=check.ended_at or shown.created_at,
        )
        print_json({**decision.model_dump(mode="json"), "check": out(check)})
        return
    tell(f"{'Approved' if verb is Verb.APPROVE else 'Rejected'} as {person.name}.")
    typer.echo()
    tell_what_it_was(check)


def sent(settings: Settings, send: Callable[[Gateway], Awaitable[Check]]) -> Check:
    """Send something about a check through the gateway, which needs no Temporal for it."""
    from assent.gateway import Gateway
    from assent.runtime.channels import channels_of
    from assent.runtime.console import opened

    async def sending() -> Check:
        with opened(settings) as database:
            prefix, channels = settings.task_queue_prefix, channels_of(settings)
            return await send(Gateway(None, database, task_queue_prefix=prefix, channels=channels))

    return asyncio.run(sending())


async def hand(gateway: Gateway, check_id: str, reason: str, by: Actor, unknown: NotFound) -> Check:
    """Ask somebody else about a check of one's own: that ends it, and nobody else is asked.

    Raises:
        NotFound: They have none such: the error that was given.
    """
    if await gateway.check_of(check_id, by.id) is None:
        raise unknown
    return await gateway.ask_about_check(check_id, handed(reason), by=by)


def told(check: Check, as_json: bool) -> None:
    """Tell what came of something else that ended a check."""
    if as_json:
        print_json({"approval_id": check.id, "check": out(check)})
    else:
        tell_what_it_was(check)


def tell_what_it_was(check: Check) -> None:
    """Say gently what a check was that is over."""
    title, comfort = check.told
    tell(f"{title}. {comfort}")
    tell(f"Why it should be refused: {check.because}")
    note(f"It was made from an earlier request that was approved: `assent approval show {check.source_id}`.")


def out(check: Check | None) -> dict[str, Any] | None:
    """A check that is over, for programs; ``None`` for a request, and for a check that waits."""
    from assent_ui.api.schemas import CheckOut

    return CheckOut.of(check).model_dump(mode="json") if check is not None and check.over else None
