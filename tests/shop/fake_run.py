"""A run of the shop's agent without Temporal: admission by the real card, effects by the real tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import assent_shop
from assent.domain.actions import AdmissionEffect, ProposedAction
from assent.domain.canonical import Json
from assent.policy.admission import admit, declared_limits
from assent.policy.cards import read_card
from assent_activities.connectors.contract import ActionFailed, Call, build_registry
from assent_shop.connector import Shop

CARD = read_card((Path(assent_shop.__file__).parent / "cards" / "shop-support.yaml").read_text("utf-8"))


@dataclass
class FakeOutcome:
    """What became of an action."""

    type: str
    arguments: dict[str, Json]
    reason: str
    status: str
    result: Json = None
    message: str = ""


@dataclass
class FakeRun:
    """Decides as ``person`` says, who returns a reason to reject or nothing."""

    id: str
    shop: Shop
    person: Callable[[FakeOutcome], str] = lambda outcome: ""
    outcomes: list[FakeOutcome] = field(default_factory=list)
    summary: str = ""

    def act(self, type: str, arguments: dict[str, Json], /, *, reason: str = "") -> FakeOutcome:
        """Admit, and perform if it is automatic."""
        operation = build_registry([self.shop])[type]
        key = f"a{len(self.outcomes)}"
        verdict = admit(
            card=CARD,
            card_version=1,
            type=operation.type,
            action=ProposedAction(key=key, type=type, arguments=arguments, reason=reason),
            run_id=self.id,
            used=[0.0 for _ in declared_limits(CARD, type)],
        )
        outcome = FakeOutcome(type, arguments, reason, verdict.effect.value)
        self.outcomes.append(outcome)
        match verdict.effect:
            case AdmissionEffect.REFUSE:
                outcome.status, outcome.message = "refused", verdict.reasons[0].sentence
            case AdmissionEffect.SUGGEST:
                outcome.status = "suggested"
            case AdmissionEffect.APPROVE:
                outcome.status = "awaiting"
            case AdmissionEffect.AUTO:
                self._perform(outcome)
        return outcome

    def wait(self, outcome: FakeOutcome, /) -> FakeOutcome:
        """Ask the person."""
        outcome.message = self.person(outcome)
        if outcome.message:
            outcome.status = "rejected"
        else:
            self._perform(outcome)
        return outcome

    def end(self, summary: str = "", /) -> None:
        """Keep the summary."""
        self.summary = summary

    def _perform(self, outcome: FakeOutcome) -> None:
        key = f"{self.id}:{self.outcomes.index(outcome)}"
        call = Call(key=key, arguments=outcome.arguments, agent=CARD.name, run_id=self.id)
        try:
            performed = build_registry([self.shop])[outcome.type].perform(call)
        except ActionFailed as error:
            outcome.status, outcome.message = "failed", str(error)
        else:
            outcome.status, outcome.result = "done", performed.result
