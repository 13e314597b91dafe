"""What goes in and out of the API about standing grants, whole plans and several decisions at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from assent.domain.actions import ActionStatus, AdmissionEffect, Reason
from assent.domain.approvals import Verb
from assent.domain.grants import MAX_USES, GrantStatus, GrantTerms, Pattern
from assent.domain.people import Actor, Assurance
from assent.domain.plans import PlanApprovalStatus
from assent_ui.api.schemas import DecisionOut, In, Json, Out

_DIGEST = r"^[0-9a-f]{64}$"
_CLICK = r"^[A-Za-z0-9._-]{1,80}$"


class GrantIn(In):
    """A standing grant to give: alike actions of one agent and type run from now on without being asked for each.

    Every argument that an action may carry is named; one that is not named is not covered. `condition` is CEL over
    `args`.
    """

    agent: str = Field(min_length=1, max_length=60)
    action_type: str = Field(min_length=1, max_length=80, examples=["shop.refund_order"])
    arguments: dict[str, Pattern] = Field(
        default_factory=dict,
        max_length=100,
        examples=[{"order_id": {"kind": "prefix", "prefix": "W"}, "amount": {"kind": "range", "min": 0, "max": 20}}],
    )
    condition: str = Field(default="", max_length=1_000, examples=["args.amount < 20.0"])
    uses: int = Field(ge=1, le=MAX_USES)
    expires_at: AwareDatetime
    note: str = Field(default="", max_length=4_000, description="Why; kept with it.")
    approval_id: str = Field(default="", max_length=80, description="The request on which it is given, if on one.")
    id: str | None = Field(
        default=None, pattern=_CLICK, description="An id of your choice; sending the same one twice gives one grant."
    )

    @property
    def terms(self) -> GrantTerms:
        """What is granted."""
        return GrantTerms(
            agent=self.agent,
            action_type=self.action_type,
            arguments=self.arguments,
            condition=self.condition,
            uses=self.uses,
            expires_at=self.expires_at,
        )


class ConfirmationIn(In):
    """A person's word for a pending grant. `digest` is the grant's: it proves that these terms were seen."""

    digest: str = Field(pattern=_DIGEST)


class RevocationIn(In):
    """Why a grant or the approval of a plan is revoked."""

    reason: str = Field(default="", max_length=4_000)


class WordOut(Out):
    """A person's word for a grant or a plan."""

    by: Actor
    at: datetime


class GrantOut(Out):
    """A standing grant. `missing` says who must still confirm it; `words` and `missing` are there for one grant."""

    id: str
    terms: GrantTerms
    digest: str
    status: GrantStatus
    used: int
    note: str
    approval_id: str
    given_by: Actor
    given_at: datetime
    active_at: datetime | None
    revoked_at: datetime | None
    revoked_by: Actor | None
    revoke_reason: str
    words: list[WordOut]
    missing: str


class UseOut(Out):
    """An action that a grant or an approved plan covered; given back if it had no effect."""

    id: int
    action_id: str
    run_id: str
    sentence: str
    status: ActionStatus | None
    at: datetime
    given_back_at: datetime | None


class GrantOfferOut(Out):
    """What you may grant on the occasion of a request; `terms` fit exactly this request, for a form to start from."""

    allowed: bool
    why_not: str
    terms: GrantTerms | None
    arguments: list[str]
    max_uses: int
    longest: timedelta
    alone: bool
    needs: str


class PlanStepOut(Out):
    """One step of a plan; `open` says that it refers to earlier results, so that more can come up when it starts."""

    key: str
    type: str
    title: str
    sentence: str
    arguments: dict[str, Json]
    effect: AdmissionEffect
    asks: bool
    open: bool
    reasons: list[Reason]
    needs: str
    status: ActionStatus | None


class PlanApprovalOut(Out):
    """The approval of a run's whole plan."""

    id: str
    run_id: str
    agent: str
    card_version: int
    digest: str
    status: PlanApprovalStatus
    note: str
    given_by: Actor
    given_at: datetime
    active_at: datetime | None
    revoked_at: datetime | None
    revoked_by: Actor | None
    revoke_reason: str
    words: list[WordOut]
    missing: str


class PlanOut(Out):
    """A run's whole plan as it would be approved now, and the approvals that were given."""

    run_id: str
    steps: list[PlanStepOut]
    needs: str
    assurance: Assurance
    digest: str
    ahead: int
    approvals: list[PlanApprovalOut]


class PlanApprovalIn(In):
    """The approval of a whole plan. `digest` is the plan's: it proves that exactly this plan was seen."""

    digest: str = Field(pattern=_DIGEST)
    reason: str = Field(default="", max_length=4_000)


class ItemIn(In):
    """One request of several, with the digest of what was shown of it."""

    approval_id: str = Field(min_length=1, max_length=80)
    digest: str = Field(pattern=_DIGEST)


class DecisionsIn(In):
    """The same verdict on several requests, each bound to its own digest."""

    verdict: Verb
    items: list[ItemIn] = Field(min_length=1, max_length=200)
    reason: str = Field(default="", max_length=4_000, description="Needed to reject; each agent is given it.")
    id: str | None = Field(
        default=None, pattern=_CLICK, description="An id of your choice; sending the same one twice counts once."
    )


class RefusalOut(Out):
    """Why one of several was not sent."""

    code: str
    what: str
    todo: str


class ItemOut(Out):
    """What came of one of several: the verdict on its way to its run, or why it was refused."""

    approval_id: str
    decision: DecisionOut | None
    refusal: RefusalOut | None


class DecisionsOut(Out):
    """What came of each, in the order they were sent."""

    items: list[ItemOut]
    sent: int
    refused: int


class PlanApprovedOut(Out):
    """What came of approving a plan; `sent` tells of each of its requests that waited."""

    approval: PlanApprovalOut
    sent: list[ItemOut]
