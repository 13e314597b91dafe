"""What the API says of a pause besides the pause itself."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, Field

from assent.domain.effects import EffectStatus
from assent.domain.pauses import Disposition, ResumeState
from assent.domain.rollbacks import RollbackStatus
from assent_ui.api.schemas import In, Out, PauseOut


class DispositionIn(In):
    """What a pause does with the work in its scope."""

    disposition: Disposition


class SecondResumeIn(In):
    """What the second person saw."""

    asked_at: AwareDatetime | None = Field(
        default=None, description="`resume_asked_at` of the pause that they saw; another one is not agreed to."
    )


class AskedOut(Out):
    """How many effects were asked to stop that had not been before."""

    asked: int


class ResumeOut(Out):
    """What came of asking for a resume, and the pause as it is now."""

    state: ResumeState
    pause: PauseOut


class ClaimOut(Out):
    """An effect that was under way; without a status its claim was given back without an effect."""

    action_id: str
    run_id: str
    agent: str
    type: str
    holder: str
    since: datetime
    asked_at: datetime | None
    status: EffectStatus | None
    finished_at: datetime | None


class HeldActionOut(Out):
    """An action that is held: `approved` runs when it is let go, everything else is admitted then."""

    action_id: str
    type: str
    sentence: str
    since: datetime
    pauses: list[str]
    approval_id: str | None
    approved: bool


class HeldRunOut(Out):
    """A run that is held, and what it waits for."""

    run_id: str
    agent: str
    goal: str
    started_at: datetime
    actions: list[HeldActionOut]
    more_actions: int


class PauseRollbackOut(Out):
    """The rollback of one run; without a status it has not been taken up yet."""

    run_id: str
    rollback_id: str
    started_at: datetime
    status: RollbackStatus | None
    finished_at: datetime | None
