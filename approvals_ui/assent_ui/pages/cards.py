"""Publishing a card: what would change, and is it sound? Owners do it, in two steps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, BrokenCard, Conflict, Forbidden, NeedsProof, NotFound, Unavailable
from assent.domain.people import Assurance, Role
from assent.domain.tiers import Tier
from assent.store.queries import agents
from assent_ui.card_desk import CardDesk, CheckedCard
from assent_ui.deps import Deps, DepsHere
from assent_ui.pages.context import Here, Place, typed
from assent_ui.rendering.records import FieldRow, compared

router = APIRouter()

MAX_SOURCE = 256 * 1024
"""Bytes of a card."""

_TIERS = {tier.word for tier in Tier}
_FAULT = re.compile(r"^(?P<where>[\w.\-*]+): (?P<what>.+)$")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a card."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A card that somebody writes.

    Attributes:
        source: Its text.
        checked: What it says, if it is sound.
        instead_of: The version in force when it was checked; ``None`` if there was none.
        changes: What is different from that version.
        faults: What is wrong with it.
        problem: Why it could not be published.
        suggestion: An action type and the tier that figures suggest for it, if somebody came from there.
    """

    source: str
    checked: CheckedCard | None = None
    instead_of: int | None = None
    changes: tuple[FieldRow, ...] | None = None
    faults: tuple[Fault, ...] = ()
    problem: AssentError | None = None
    suggestion: tuple[str, str] | None = None


@router.get("/cards/new", response_class=HTMLResponse)
def begin(here: Here, deps: DepsHere, agent: str = "", suggested: str = "", tier: str = "") -> HTMLResponse:
    """The page to write a card on; with ``agent``, beginning with the one in force.

    ``suggested`` and ``tier`` are an action type and what it might be changed to; the text says so, nothing is changed.
    """
    _desk(here, deps)
    with here.database.read() as session:
        source = agents.one(session, agent).source if agent else ""
    known = suggested if any(f"{suggested}:" == line.strip() for line in source.splitlines()) else ""
    return _page(here, Draft(source, suggestion=(known, tier) if known and tier in _TIERS else None), agent)


@router.post("/cards/new", response_class=HTMLResponse)
async def check(
    here: Here,
    deps: DepsHere,
    source: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
    agent: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Check a card, and show what it would change."""
    desk = _desk(here, deps)
    text = typed(source)
    if file is not None and file.filename:
        content = await file.read(MAX_SOURCE + 1)
        try:
            text = typed(content.decode("utf-8"))
        except UnicodeDecodeError:
            fault = Fault("file", "it is not UTF-8 text")
            return await here.in_thread(partial(_page, here, Draft(text, faults=(fault,)), agent))
    return await here.in_thread(lambda: _page(here, _checked(here, desk, text), agent))


@router.post("/cards")
async def publish(
    here: Here,
    deps: DepsHere,
    source: Annotated[str, Form()] = "",
    instead_of: Annotated[str, Form()] = "",
    agent: Annotated[str, Form()] = "",
) -> Response:
    """Publish a card that was checked."""
    desk = _desk(here, deps)
    text = typed(source)
    number = int(instead_of[:9]) if instead_of.isascii() and instead_of.isdecimal() else None

    def work() -> Response:
        try:
            here.viewer.require_fresh("publish a card")
            done = desk.publish(text, by=here.viewer.actor, instead_of=number)
        except (BrokenCard, Conflict, Unavailable, NeedsProof) as error:
            draft = _checked(here, desk, text)
            return _page(here, draft, agent, problem=None if isinstance(error, BrokenCard) else error)
        return RedirectResponse(f"/agents/{quote(done.agent, safe='')}#versions-title", status_code=303)

    return await here.in_thread(work)


def faults_of(error: BrokenCard) -> tuple[Fault, ...]:
    """Each fault of a card by its field, as far as the error names them."""
    listed = error.what.removeprefix("The card has faults: ").rstrip(".")
    if listed == error.what.rstrip("."):
        return (Fault(error.where if ", line" in error.where else "card", error.what),)
    found = []
    for part in listed.split("; "):
        match = _FAULT.match(part)
        if match:
            found.append(Fault(match["where"], match["what"]))
        elif found:
            # A fault's own text had a semicolon in it.
            found[-1] = Fault(found[-1].where, f"{found[-1].what}; {part}")
        else:
            found.append(Fault("card", part))
    return tuple(found)


def _desk(here: Place, deps: Deps) -> CardDesk:
    here.viewer.require(Role.OWNER, "publish cards")
    if deps.cards is None:
        raise Forbidden(
            "Cards cannot be published from here.",
            where="cards",
            todo="Use `assent agent publish FILE` on the machine where Assent runs.",
        )
    return deps.cards


def _checked(here: Place, desk: CardDesk, source: str) -> Draft:
    try:
        checked = desk.check(source)
    except BrokenCard as error:
        return Draft(source, faults=faults_of(error))
    except Unavailable as error:
        return Draft(source, problem=error)
    with here.database.read() as session:
        version, before = _in_force(session, checked.agent)
    changes = None if before is None else compared(before, checked.card).different
    return Draft(source, checked, version, changes)


def _in_force(session: Session, agent: str) -> tuple[int | None, dict[str, object] | None]:
    try:
        found = agents.one(session, agent)
    except NotFound:
        return None, None
    return found.version, dict(found.card)


def _page(here: Place, draft: Draft, agent: str, *, problem: AssentError | None = None) -> HTMLResponse:
    wrong = problem or draft.problem
    with here.database.read() as session:
        return here.show(
            session,
            "card_new.html",
            "agents",
            status=wrong.status if wrong else 422 if draft.faults else 200,
            draft=draft,
            agent=agent,
            problem=wrong,
            unproven=here.viewer.assurance is not Assurance.FRESH,
            limit=MAX_SOURCE,
        )
