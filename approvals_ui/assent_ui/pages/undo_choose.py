"""Undo: what should be taken back?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, InvalidInput
from assent.domain.people import Role
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.gateway.undo_authority import LOOKERS
from assent.store.queries import agents, runs
from assent.store.queries.paging import PageRequest
from assent_ui.pages.context import Here, Place
from assent_ui.pages.times import moment

router = APIRouter()

RECENT = 10
"""Newest runs to choose from."""

CARDS_READ = 100
"""Agents whose cards are read for the names of action types."""

MAX_ID = 200
"""Characters of an id or a name."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to say what is taken back.

    Attributes:
        kind: The kind of scope.
        word: It as a heading.
        note: What it covers.
        label: What is typed into its field.
        example: How that looks.
    """

    kind: RollbackScopeKind
    word: str
    note: str
    label: str
    example: str


KINDS = (
    Kind(RollbackScopeKind.AGENT, "An agent", "Everything it did since a time", "Agent", "shop-support"),
    Kind(RollbackScopeKind.VERSION, "A version", "What one version of its card let through", "Agent", "shop-support"),
    Kind(RollbackScopeKind.TYPE, "An action type", "By any agent, since a time", "Action type", "shop.refund"),
    Kind(RollbackScopeKind.RECORD, "A record", "An order, a customer: all that touched it", "Record", "shop/orders/W1"),
    Kind(RollbackScopeKind.RUN, "A run", "Everything one run did", "Run", "run-…"),
    Kind(RollbackScopeKind.ACTION, "An action", "One single effect", "Action", "run-…:key"),
    Kind(RollbackScopeKind.INCIDENT, "An incident", "What is grouped in it", "Incident", "incident-…"),
)

AGO = {
    "15": "in the last 15 minutes",
    "60": "in the last hour",
    "240": "in the last 4 hours",
    "1440": "in the last 24 hours",
    "10080": "in the last 7 days",
    "": "since the time given here",
}
"""Minutes back, and what they are called."""


@router.get("/undo", response_class=HTMLResponse)
def choose(here: Here, kind: str = RollbackScopeKind.AGENT.value, id: str = "") -> HTMLResponse:
    """What can be taken back, and a form for each kind."""
    return choosing(here, kind, {"id": id})


def choosing(
    here: Place, kind: str, asked: dict[str, str] | None = None, problem: AssentError | None = None
) -> HTMLResponse:
    """The page with one kind chosen, and with what was typed where it was not understood."""
    if kind not in list(RollbackScopeKind):
        raise InvalidInput(f"There is no scope {kind!r}.", where="kind", todo="Choose one of those on the page Undo.")
    chosen = RollbackScopeKind(kind)
    with here.database.read() as session:
        return here.show(
            session,
            "undo.html",
            "undo",
            status=problem.status if problem else 200,
            kinds=KINDS,
            chosen=next(each for each in KINDS if each.kind is chosen),
            asked=_as_typed(chosen, asked or {}),
            agents=here.agent_names(session),
            types=_types(session) if chosen is RollbackScopeKind.TYPE else [],
            recent=runs.page(session, request=PageRequest(RECENT)).items if chosen is RollbackScopeKind.RUN else (),
            ago=AGO,
            problem=problem,
            may_operate=here.viewer.may(Role.OPERATOR),
            may_look=bool(LOOKERS & set(here.viewer.roles)),
        )


def _as_typed(kind: RollbackScopeKind, asked: dict[str, str]) -> dict[str, str]:
    """What an address or a form names, as the fields take it."""
    fields = {"id": "", "version": "", "ago": "60", "since": "", "until": "", "later": ""} | asked
    if kind is RollbackScopeKind.VERSION and "@" in fields["id"] and not fields["version"]:
        fields["id"], _, fields["version"] = fields["id"].rpartition("@")
    for name in ("since", "until"):
        with suppress(InvalidInput, OverflowError):
            at = moment(fields[name], name)
            fields[name] = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if at else ""
    return fields


def read_scope(kind: str, asked: dict[str, str], now: datetime, *, with_later: bool = False) -> RollbackScope:
    """The scope that somebody chose.

    Args:
        kind: Its kind.
        asked: Fields of the form: ``id``; ``version`` of an agent; ``since``, or ``ago`` in minutes; ``until``.
        now: For the minutes.
        with_later: Take back later work on the same records too.

    Raises:
        InvalidInput: It is no scope.
    """
    name = asked.get("id", "").strip()
    if kind not in list(RollbackScopeKind):
        raise InvalidInput(f"There is no scope {kind!r}.", where="scope", todo="Choose one on the page Undo.")
    if not 1 <= len(name) <= MAX_ID or "\0" in name:
        raise InvalidInput("Nothing is chosen.", where="id", todo="Give the name or the id of what is to be undone.")
    chosen = RollbackScopeKind(kind)
    if chosen is RollbackScopeKind.VERSION and "@" not in name:
        name = f"{name}@{asked.get('version', '').strip()}"
    times = {each: moment(asked.get(each, ""), each) for each in ("since", "until")} if chosen.takes_times else {}
    if chosen.needs_since and times["since"] is None and asked.get("ago", "").isdecimal():
        times["since"] = (now - timedelta(minutes=min(int(asked["ago"][:9]), 1_000_000))).replace(microsecond=0)
    return RollbackScope(kind=chosen, id=name, with_later=with_later, **times)


def scope_query(scope: RollbackScope) -> dict[str, str]:
    """A scope as the query of an address."""
    query = {"scope": scope.kind.value, "id": scope.id}
    for name in ("since", "until"):
        at: datetime | None = getattr(scope, name)
        if at is not None:
            query[name] = at.isoformat()
    return query | ({"later": "1"} if scope.with_later else {})


def _types(session: Session) -> Sequence[str]:
    """Names of the action types that cards list, without those that only read."""
    found: set[str] = set()
    for agent in agents.page(session, request=PageRequest(CARDS_READ)).items:
        found |= {
            name
            for name, declared in agent.catalogue.items()
            if not (isinstance(declared, dict) and declared.get("reads_only"))
        }
    return sorted(found)
