"""Agents: whose is it, what may it do, is it any good?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from assent.domain.actions import AdmissionEffect
from assent.domain.catalogue import ActionType
from assent.domain.errors import AssentError, NotFound
from assent.domain.grants import GrantStatus
from assent.domain.people import Role
from assent.domain.proving import TriedUndo
from assent.domain.tiers import Tier
from assent.gateway import breakers, undo_proofs
from assent.store.queries import agents, drills, grants
from assent.store.queries.agents import AgentView, CardVersionView
from assent.store.queries.paging import COUNT_CAP, PageRequest
from assent_ui.api.undo_proofs import may_prove, require_prover
from assent_ui.pages.context import Here, Place
from assent_ui.rendering.breakers import row_of
from assent_ui.rendering.records import FieldRow, compared

router = APIRouter()

VERSIONS = 10
"""Versions of a card shown with their differences."""

GRANTS = 5
"""Standing grants shown."""

DRILLS = 3
"""Drills shown."""

_ARGUMENT = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PER = {"action": "for one action", "run": "for one run", "hour": "within an hour"}
_OVER = {"approve": "above that a person is asked", "refuse": "above that it is refused"}
_THEN = {
    AdmissionEffect.REFUSE: "refuse",
    AdmissionEffect.SUGGEST: "only suggest",
    AdmissionEffect.APPROVE: "ask a person",
    AdmissionEffect.VETO: "let people object",
    AdmissionEffect.AUTO: "run",
}
_CONTACTS = (
    ("What it does: business owner", "business_owner"),
    ("How it works: technical owner", "technical_owner"),
    ("The model behind it: model steward", "model_steward"),
    ("When it goes wrong: wake", "escalation"),
)


@dataclass(frozen=True, slots=True)
class VerbRow:
    """One action type of a card, in words."""

    name: str
    title: str
    tier: Tier
    expires: str
    rules: list[str]
    risks: list[str]
    undo: str
    only_looks: bool
    nothing_to_undo: bool


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version of a card with what it changed; ``None`` for the first one."""

    view: CardVersionView
    changes: tuple[FieldRow, ...] | None


@dataclass(frozen=True, slots=True)
class Proven:
    """What came of trying an agent's undos just now.

    Attributes:
        complete: All were tried; otherwise they go on.
        items: What came of each.
    """

    complete: bool
    items: Sequence[TriedUndo]

    @property
    def failed(self) -> int:
        """How many do not work."""
        return sum(each.worked is False for each in self.items)

    @property
    def worked(self) -> int:
        """How many do."""
        return sum(each.worked is True for each in self.items)


@router.get("/agents", response_class=HTMLResponse)
def list_agents(here: Here, cursor: str | None = None) -> HTMLResponse:
    """Agents by name."""
    with here.database.read() as session:
        page = agents.page(session, request=PageRequest(cursor=cursor))
        return here.show(session, "agents.html", "agents", page=page, may_publish=here.may_publish)


@router.get("/agents/{name}", response_class=HTMLResponse)
def agent(here: Here, name: str) -> HTMLResponse:
    """An agent's card on one page."""
    return _page(here, name)


@router.post("/agents/{name}/undo-proofs")
async def prove_undos(here: Here, name: str) -> Response:
    """Try the agent's undos on scratch records, and say what came of it above them."""
    require_prover(here.viewer)
    try:
        tried = await here.gateway.prove_undos(name, by=here.viewer.actor)
    except NotFound:
        raise
    except AssentError as error:
        return await here.in_thread(partial(_page, here, name, problem=error))
    return await here.in_thread(partial(_page, here, name, proven=Proven(tried is not None, tried or [])))


def _page(here: Place, name: str, *, proven: Proven | None = None, problem: AssentError | None = None) -> HTMLResponse:
    with here.database.read() as session:
        found = agents.one(session, name)
        versions, older = _versions(session, name)
        return here.show(
            session,
            "agent.html",
            "agents",
            status=problem.status if problem else 200,
            agent=found,
            verbs=[_verb(type_name, rule, found) for type_name, rule in found.card.get("actions", {}).items()],
            contacts=[(word, found.card[key]) for word, key in _CONTACTS if key in found.card],
            versions=versions,
            older_versions=older,
            figures=_figures(found),
            breakers=[row_of(view, here.clock()) for view in breakers.pictures(session, name, here.clock())],
            undos=undo_proofs.states_of_agent(session, name, here.clock()),
            standing=drills.standing(session, name, now=here.clock()),
            drills=drills.page(session, agent=name, request=PageRequest(DRILLS)).items,
            grants=grants.page(
                session, now=here.clock(), agent=name, status=GrantStatus.ACTIVE, request=PageRequest(GRANTS)
            ),
            may_operate=here.viewer.may(Role.OPERATOR),
            may_publish=here.may_publish,
            may_prove=may_prove(here.viewer),
            proven=proven,
            problem=problem,
        )


def _figures(found: AgentView) -> list[tuple[str, str, str]]:
    counts, runs = found.counts, f"/runs?agent={found.name}&status="
    return [
        ("Requests waiting", _capped(counts.pending_approvals), f"/?agent={found.name}"),
        (
            "Runs under way",
            _capped(counts.running + counts.waiting),
            f"{runs}running" if counts.running else f"{runs}waiting",
        ),
        ("Held", _capped(counts.held), f"{runs}held"),
        ("Completed", _capped(counts.completed), f"{runs}completed"),
        ("Failed", _capped(counts.failed), f"{runs}failed"),
        ("Stopped", _capped(counts.stopped), f"{runs}stopped"),
    ]


def _capped(count: int) -> str:
    return f"{count:,}" if count < COUNT_CAP else f"{COUNT_CAP:,}+"


def _verb(name: str, rule: dict[str, Any], found: AgentView) -> VerbRow:
    declared = found.catalogue.get(name)
    type = ActionType.model_validate(declared) if declared else None
    tier = Tier[rule["tier"].upper()]
    return VerbRow(
        name=name,
        title=type.title if type else name,
        tier=tier,
        expires=f"within {rule['expires']}, else it is rejected"
        if tier is Tier.APPROVE and rule.get("expires")
        else "",
        rules=[_limit(limit) for limit in rule.get("limits", [])] + [_stop(stop) for stop in rule.get("stop", [])],
        risks=[risk.sentence for risk in sorted(type.risks)] if type else ["No connector offers it."],
        undo=_ARGUMENT.sub(lambda name: f"‹{name[1].replace('_', ' ')}›", type.undo.sentence)
        if type and type.undo
        else "",
        only_looks=bool(type and type.reads_only),
        nothing_to_undo=tier is Tier.SUGGEST or bool(type and type.reads_only),
    )


def _limit(limit: dict[str, Any]) -> str:
    what = (
        f"{limit['argument']} up to {limit['max']:,g}"
        if limit.get("argument")
        else f"at most {limit['max']:,g} of these"
    )
    return f"{what[0].upper()}{what[1:]} {_PER[limit['per']]}; {_OVER[limit.get('over', 'approve')]}."


def _stop(stop: dict[str, Any]) -> str:
    return f"{stop['because'].rstrip('.')}: {_THEN[AdmissionEffect(stop.get('then', 'approve'))]}."


def _versions(session: Session, name: str) -> tuple[list[VersionRow], bool]:
    page = agents.versions(session, name, request=PageRequest(VERSIONS + 1))
    cards = [agents.version(session, name, view.version)[1] for view in page.items]
    rows = []
    for place, view in enumerate(page.items[:VERSIONS]):
        before = cards[place + 1] if place + 1 < len(cards) else None
        rows.append(VersionRow(view, None if before is None else compared(before, cards[place]).different))
    return rows, len(page.items) > VERSIONS
