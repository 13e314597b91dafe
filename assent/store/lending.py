"""Handing a request to somebody else, and asking somebody besides: both lend a person's own authority for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.approvals import ApprovalStatus
from assent.domain.canonical import Json
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.people import Actor, Assurance
from assent.domain.voting import Voter, barred_as, why_not_approve
from assent.store import approvals, asked, electorate, ledger, projection
from assent.store.tables import ApprovalRow

MOST = 20
"""Times that one request may be handed on or asked about."""

_KINDS = {electorate.ASKED: "approval.asked", electorate.REASSIGNED: "approval.reassigned"}


def lend(
    session: Session,
    approval_id: str,
    *,
    giver_id: str,
    taker_id: str,
    why: str,
    reason: str,
    by: Actor,
    at: datetime,
    channels: Sequence[str] = (),
) -> None:
    """Let somebody decide a pending request in another person's name.

    What is lent is the giver's own authority, never what others lent them, and giver and taker are one voice.

    Args:
        session: The transaction.
        approval_id: The request.
        giver_id: Whose authority it is.
        taker_id: Who is asked.
        why: :data:`electorate.ASKED`, the giver may still decide; or :data:`electorate.REASSIGNED`, they hand it over.
        reason: Why, for both and the ledger.
        by: Who does it: the giver, or whoever may do it for them.
        at: When.
        channels: Where people are told.

    Raises:
        NotFound: There is no such request or person.
        Conflict: It waits no more, was handed over before, or on too often.
        Forbidden: The giver may not approve it, so there is nothing to lend; or the taker must not. Whoever does it for
            the giver would take the place themselves, or must not approve it either.
        InvalidInput: Giver and taker are one person.
    """
    found = session.get(ApprovalRow, approval_id)
    if found is None:
        raise NotFound(f"There is no approval request {approval_id}.", where="approval")
    # As activities do: the action first, so that whoever widens the request waits for the other.
    projection.read_action(session, found.action_id, for_update=True)
    session.refresh(found, with_for_update=True)
    if found.status != ApprovalStatus.PENDING.value:
        raise Conflict(f"The request is already {found.status}.", where="approval", todo="Nothing was changed.")
    lent = list(found.lent or [])
    if len(lent) >= MOST:
        raise Conflict(f"It was handed on {MOST} times; that is enough.", where="approval")
    giver = _known(session, found, giver_id, at)
    taker = _known(session, found, taker_id, at)
    _check(found, giver, taker, lent, why)
    if by.id != giver_id:
        _check_chooser(found, electorate.voter_on(session, found, by.id, at), taker)
    entry = {
        "giver": giver_id,
        "giver_name": giver.own.name,
        "taker": taker_id,
        "taker_name": taker.own.name,
        "why": why,
        "at": at.isoformat(),
    }
    found.lent = [*lent, entry]
    session.flush()
    token = f"person:{taker_id}"
    asked.ask_as_well(session, found, [token], why=why, at=at, by=by, for_person=giver_id)
    body: dict[str, Json] = {
        "approval": approval_id,
        "from": giver.own.name,
        "to": taker.own.name,
        "from_id": giver_id,
        "to_id": taker_id,
        "reason": reason,
    }
    ledger.append(
        session,
        at=at,
        kind=_KINDS[why],
        actor=by,
        run_id=found.run_id,
        action_id=found.action_id,
        agent=found.agent,
        body=body,
    )
    approvals.notify(session, channels, approvals.ESCALATED, approval_id, at)


def _known(session: Session, row: ApprovalRow, person_id: str, at: datetime) -> Voter:
    found = electorate.voter_on(session, row, person_id, at)
    if found is None:
        raise NotFound(f"There is no person {person_id!r}.", where="person", todo="`assent people list` shows all.")
    return found


def _check(row: ApprovalRow, giver: Voter, taker: Voter, lent: Sequence[dict[str, Json]], why: str) -> None:
    rules = electorate.rules_of(row).electorate
    if giver.own.mailbox == taker.own.mailbox:
        raise InvalidInput("That is the same person.", where="to", todo="Name somebody else.")
    own = Voter(own=giver.own, able=giver.able, enabled=giver.enabled, handed_to=giver.handed_to)
    if why_not := why_not_approve(rules, own, Assurance.FRESH):
        raise Forbidden(why_not, where="from", todo="Only who may decide it can hand it on.")
    if not taker.able:
        raise Forbidden(
            f"{taker.own.name} may not decide approval requests.",
            where="to",
            todo="Name somebody with the role approver.",
        )
    if barred := barred_as(rules, taker.own):
        raise Forbidden(f"{taker.own.name} {barred}, so somebody else must approve it.", where="to")
    if any((each["giver"], each["taker"], each["why"]) == (giver.own.person, taker.own.person, why) for each in lent):
        raise Conflict(f"{taker.own.name} was asked before.", where="to", todo="Nothing was changed.")


def _check_chooser(row: ApprovalRow, chooser: Voter | None, taker: Voter) -> None:
    """Refuse to hand over another's place to oneself, or where one must not approve."""
    if chooser is None:
        return
    if chooser.own.mailbox == taker.own.mailbox:
        raise Forbidden("Nobody takes somebody else's place themselves.", where="to", todo="Hand it to somebody else.")
    if barred := barred_as(electorate.rules_of(row).electorate, chooser.own):
        raise Forbidden(
            f"{chooser.own.name} {barred}, so somebody else must say who decides it.",
            where="from",
            todo="Ask another operator, an owner or an administrator.",
        )
