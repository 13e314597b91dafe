"""Who may decide a request now: people with their roles, groups, absences and what others asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approving import ApprovalRules
from assent.domain.people import Assurance, Role, mailbox_of
from assent.domain.voting import Authority, Electorate, Voter, why_not_approve
from assent.store import statements
from assent.store.groups import groups_of, members
from assent.store.people import Person, person_of
from assent.store.tables import AbsenceRow, ApprovalRow, AskedRow, PersonRow

_people, _absences = statements.table_of(PersonRow), statements.table_of(AbsenceRow)
_COLUMNS = (_people.c.id, _people.c.name, _people.c.email, _people.c.mailbox, _people.c.roles, _people.c.disabled)
_PERSON = select(*_COLUMNS).where(_people.c.id == bindparam("for_id"))
_AWAY = (_absences.c.starts_at <= bindparam("now")) & (_absences.c.ends_at > bindparam("now"))
_LENT_BY_ABSENCE = (
    select(*_COLUMNS)
    .join(_absences, _absences.c.person_id == _people.c.id)
    .where(_absences.c.delegate_id == bindparam("for_id"), _AWAY)
    .order_by(_people.c.id)
)

ASKED = "asked"
"""Lent besides: whoever asked may still decide."""
REASSIGNED = "reassigned"
"""Lent instead: whoever handed it over decides no more."""


def mailbox(session: Session, person_id: str) -> str:
    """The mailbox of a person; empty if nobody has this id, an agent's say."""
    row = statements.run(session, _PERSON, {"for_id": person_id}).one_or_none()
    return "" if row is None else row.mailbox or mailbox_of(row.email)


def rules_of(row: ApprovalRow) -> ApprovalRules:
    """How a request is decided; one from before there were rules by any approver."""
    return ApprovalRules() if row.rules is None else ApprovalRules.model_validate(row.rules)


def voter(
    session: Session,
    person_id: str,
    at: datetime,
    *,
    electorate: Electorate | None = None,
    lent: Sequence[Mapping[str, Any]] = (),
) -> Voter | None:
    """Somebody as they are now, with the authorities that others lent them.

    Args:
        session: For their roles, groups and whose absence they cover.
        person_id: Who.
        at: When.
        electorate: Of the request in question: what does not matter for it is not looked up.
        lent: What the request's row says of who decides in whose name.

    Returns:
        The voter; ``None`` if there is no such person.
    """
    row = statements.run(session, _PERSON, {"for_id": person_id}).one_or_none()
    if row is None:
        return None
    own = _authority(session, row, electorate)
    handed = next((each["taker_name"] for each in lent if each["giver"] == person_id and each["why"] == REASSIGNED), "")
    able = _able(row)
    lone = Voter(own=own, able=able, enabled=not row.disabled, handed_to=handed)
    alone = electorate is not None and electorate.size == 1 and not handed
    if alone and electorate is not None and not why_not_approve(electorate, lone, Assurance.FRESH):
        return lone
    givers = [each["giver"] for each in lent if each["taker"] == person_id]
    rows = [found for giver in givers if (found := statements.run(session, _PERSON, {"for_id": giver}).one_or_none())]
    rows += statements.run(session, _LENT_BY_ABSENCE, {"for_id": person_id, "now": at}).all()
    distinct = {found.id: found for found in rows if _able(found) and found.id != person_id}
    stands_in_for = tuple(_authority(session, found, electorate) for found in distinct.values())
    return replace(lone, stands_in_for=stands_in_for)


def voter_on(session: Session, row: ApprovalRow, person_id: str, at: datetime) -> Voter | None:
    """The same, for one request."""
    return voter(session, person_id, at, electorate=rules_of(row).electorate, lent=row.lent or ())


def tokens_of(session: Session, person_id: str, at: datetime) -> frozenset[str]:
    """Everything a person can be asked as: by role, group, address and id, and as whoever they stand in for now."""
    found = voter(session, person_id, at)
    if found is None or not found.able:
        return frozenset()
    return frozenset().union(*(each.tokens for each in (found.own, *found.stands_in_for)))


def asked_people(session: Session, approval_id: str, at: datetime) -> tuple[Person, ...]:
    """Who may approve a request now and is here to do it, by name; with those who stand in for the absent.

    Whoever must not approve it (the requester, say) is not among them, nor who handed it to somebody else.
    """
    row = session.get(ApprovalRow, approval_id)
    if row is None:
        return ()
    asked = session.execute(select(col(AskedRow.token)).where(col(AskedRow.approval_id) == approval_id)).scalars()
    return who_may_approve(session, rules_of(row).electorate, at, besides=asked, lent=row.lent or ())


def who_may_approve(
    session: Session,
    electorate: Electorate,
    at: datetime,
    *,
    besides: Iterable[str] = (),
    lent: Sequence[Mapping[str, Any]] = (),
) -> tuple[Person, ...]:
    """Whose approval would count now and who is here to give it, by name; with those who stand in for the absent.

    Args:
        session: For people, groups and absences.
        electorate: Who decides.
        at: When.
        besides: Tokens of whom else to look among.
        lent: What a request's row says of who decides in whose name.
    """
    named = people_behind(session, {*besides, *(need.token for need in electorate.needs), *electorate.also})
    away = _away(session, [person.id for person in named.values()], at)
    candidates = {person.id: person for person in named.values() if person.id not in away}
    delegates = {delegate for delegate in away.values() if delegate is not None and delegate not in away}
    candidates |= {person.id: person for person in _by_id(session, delegates)}
    may = []
    for person in candidates.values():
        who = voter(session, person.id, at, electorate=electorate, lent=lent)
        if who is not None and not why_not_approve(electorate, who, Assurance.FRESH):
            may.append(person)
    return tuple(sorted(may, key=lambda person: (person.name, person.id)))


def is_asked(session: Session, row: ApprovalRow, person_id: str, at: datetime) -> bool:
    """Whether somebody may approve a request now and is here to do it: what :func:`asked_people` says of one person."""
    return _is_asked(session, rules_of(row).electorate, person_id, at, row.lent or ())


def would_be_asked(session: Session, electorate: Electorate, person_id: str, at: datetime) -> bool:
    """Whether somebody may approve what is decided so and is here to do it."""
    return _is_asked(session, electorate, person_id, at, ())


def _is_asked(
    session: Session, electorate: Electorate, person_id: str, at: datetime, lent: Sequence[Mapping[str, Any]]
) -> bool:
    who = voter(session, person_id, at, electorate=electorate, lent=lent)
    if who is None or not who.able or person_id in _away(session, [person_id], at):
        return False
    return not why_not_approve(electorate, who, Assurance.FRESH)


def people_behind(session: Session, tokens: Iterable[str]) -> dict[str, Person]:
    """Everybody whom tokens mean, by id; the disabled left out."""
    by_kind: dict[str, set[str]] = {}
    for token in tokens:
        kind, _, name = token.partition(":")
        by_kind.setdefault(kind, set()).add(name)
    found: list[Person] = []
    if roles := by_kind.get("role"):
        rows = session.execute(select(PersonRow).where(~col(PersonRow.disabled))).scalars()
        found += [person for person in map(person_of, rows) if any(person.may(Role(role)) for role in roles)]
    for group in by_kind.get("group", ()):
        found += members(session, group)
    found += _by_id(session, by_kind.get("person", ()))
    if mailboxes := by_kind.get("mail"):
        wanted = or_(col(PersonRow.mailbox).in_(mailboxes), col(PersonRow.email).in_(mailboxes))
        found += map(person_of, session.execute(select(PersonRow).where(wanted)).scalars())
    return {person.id: person for person in found if not person.disabled}


def _by_id(session: Session, ids: Iterable[str]) -> list[Person]:
    wanted = list(ids)
    if not wanted:
        return []
    return [person_of(row) for row in session.execute(select(PersonRow).where(col(PersonRow.id).in_(wanted))).scalars()]


def _away(session: Session, ids: Sequence[str], at: datetime) -> dict[str, str | None]:
    """Who of them is away, and who stands in for them."""
    rows = session.execute(
        select(col(AbsenceRow.person_id), col(AbsenceRow.delegate_id)).where(
            col(AbsenceRow.person_id).in_(ids), col(AbsenceRow.starts_at) <= at, col(AbsenceRow.ends_at) > at
        )
    ).all()
    return {row[0]: row[1] for row in rows}


def _authority(session: Session, row: Row[Any], electorate: Electorate | None) -> Authority:
    roles = list(Role) if Role.ADMIN.value in row.roles else [Role(role) for role in row.roles]
    groups = groups_of(session, row.id) if electorate is None or _mentions_groups(electorate) else frozenset()
    box = row.mailbox or mailbox_of(row.email)
    tokens = {f"role:{role.value}" for role in roles} | {f"group:{name}" for name in groups}
    return Authority(row.id, row.name, box, frozenset(tokens | {f"person:{row.id}", f"mail:{box}"}))


def _mentions_groups(electorate: Electorate) -> bool:
    tokens = [
        *(need.token for need in electorate.needs),
        *(bar.token for bar in electorate.never_by),
        *electorate.also,
    ]
    return any(token.startswith("group:") for token in tokens)


def _able(row: Row[Any]) -> bool:
    return not row.disabled and (Role.APPROVER.value in row.roles or Role.ADMIN.value in row.roles)
