"""Pausing and resuming."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import datetime

from sqlalchemy.orm import Session
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from assent.domain.errors import AssentError, Conflict, Forbidden, InvalidInput
from assent.domain.pauses import (
    Disposition,
    PauseInput,
    PausePhase,
    ResumeAnswers,
    ResumePause,
    ResumeState,
    Scope,
    cause_kept,
)
from assent.domain.people import Actor
from assent.domain.ports import Queue, WorkflowName
from assent.gateway import stop_rights
from assent.gateway.door import RPC_TIMEOUT, Door
from assent.gateway.second_asking import ask_for_second
from assent.gateway.stop_scopes import require_scope
from assent.store import pause_rows, pauses, ramps, stop_calls
from assent.store.fence import FENCE
from assent.store.stop_calls import StopEvent


class StopDoor(Door):
    """What stops, and lets go on."""

    async def may_pause(self, person: Actor, scope: Scope) -> bool:
        """Whether somebody may pause a scope, by the cards concerned."""
        return await self._in_thread(lambda: self._may(person, scope)[0])

    async def may_resume(self, person: Actor, scope: Scope) -> bool:
        """Whether somebody may let a scope go on, by the cards concerned."""
        return await self._in_thread(lambda: self._may(person, scope)[1])

    def _may(self, person: Actor, scope: Scope) -> tuple[bool, bool]:
        with self._database.read() as session:
            rules, at = stop_rights.rules_for(session, scope), self._clock()
            may_pause = stop_rights.may_pause(session, person, rules, at)
            return may_pause, stop_rights.may_resume(session, person, rules, at)

    async def pause(
        self, scope: Scope, *, by: Actor, cause: str = "", disposition: Disposition = Disposition.FREEZE
    ) -> str:
        """Pause a scope. From the moment this returns no claim in it succeeds, but for what a drain lets finish.

        The database alone suffices; a worker makes the pause known once Temporal is back.

        Returns:
            The pause's id.

        Raises:
            NotFound: There is no such agent, version, run, action type or connector.
            InvalidInput: The scope is not written right.
            Forbidden: The card does not let them.
            Unavailable: The database is away; nothing was paused.
        """
        pause_id = f"pause-{uuid.uuid4().hex[:12]}"
        at, cause = self._clock(), cause_kept(cause)

        def fence() -> None:
            with self._database.read() as session:
                require_scope(session, scope)
                stop_rights.require_pause(session, by, stop_rights.rules_for(session, scope), at)
                stop_rights.require_disposition(session, by, disposition, at)
            with self._database.write() as session:
                pauses.begin(
                    self._database,
                    session,
                    pause_id=pause_id,
                    scope=scope,
                    cause=cause,
                    by=by,
                    at=at,
                    disposition=disposition,
                )
                stop_calls.tell(session, [StopEvent.PAUSED], pause_id, scope, at=at)

        await self._in_thread(fence)
        with suppress(AssentError):
            await self.announce_pause(PauseInput(pause_id=pause_id, scope=scope, cause=cause, by=by, requested_at=at))
        return pause_id

    async def announce_pause(self, input: PauseInput) -> None:
        """Start the workflow of a pause that is already in the database; starting it again changes nothing."""
        async with self._temporal() as client:
            await client.start_workflow(
                WorkflowName.PAUSE,
                input,
                id=input.pause_id,
                task_queue=Queue.CONTROL.under(self._prefix),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                rpc_timeout=RPC_TIMEOUT,
            )

    async def change_disposition(self, pause_id: str, disposition: Disposition, *, by: Actor) -> bool:
        """Change what a pause does with the work in its scope.

        To drain lets effects go that the pause held, so it needs whoever may resume, and nobody does it alone where
        the card wants a second person for that.

        Returns:
            False if it does that already.

        Raises:
            NotFound: There is no such pause.
            Conflict: It has ended, lets its runs go, or rolls them back already.
            Forbidden: The card does not let them, or lets nobody alone.
            Unavailable: The database is away; nothing was changed.
        """
        at = self._clock()

        def change() -> bool:
            rules = self._rules(pause_id)
            with self._database.write() as session:
                if disposition is Disposition.DRAIN:
                    stop_rights.require_resume(session, by, rules, at, to="let go")
                    stop_rights.refuse_alone(rules)
                else:
                    stop_rights.require_pause(session, by, rules, at)
                stop_rights.require_disposition(session, by, disposition, at)
                return pauses.change_disposition(
                    self._database, session, pause_id=pause_id, disposition=disposition, by=by, at=at
                )

        changed = await self._in_thread(change)
        await self._look_at_once(pause_id, by)
        return changed

    async def ask_to_stop(self, pause_id: str, *, by: Actor) -> int:
        """Ask what is under way in a pause's scope to stop; whether it does is its connector's to say.

        Returns:
            How many claims were asked that had not been before.

        Raises:
            NotFound: There is no such pause.
            Conflict: It has ended.
            Forbidden: The card does not let them.
            Unavailable: The database is away; nothing was asked.
        """
        at = self._clock()

        def ask() -> int:
            rules = self._rules(pause_id)
            with self._database.write() as session:
                stop_rights.require_pause(session, by, rules, at)
                return pauses.ask_to_stop(session, pause_id=pause_id, by=by, at=at)

        return await self._in_thread(ask)

    async def resume(self, pause_id: str, *, by: Actor, answers: ResumeAnswers, at_once: bool = False) -> ResumeState:
        """Let a scope go on: the first run, then a few, then all; or ask for the second person that the card wants.

        Args:
            pause_id: The pause.
            by: Who resumes.
            answers: Cause, what was changed, which checks passed; kept in the ledger.
            at_once: Let all runs go at the same moment. While a pause lets its runs go, this ends it; nobody does
                that alone where the card wants a second person.

        Raises:
            NotFound: There is no such pause.
            Conflict: It has ended, or lets its runs go already.
            InvalidInput: Cause or change is missing.
            Forbidden: The card does not let them, or lets nobody alone.
            Unavailable: The database is away; the pause still holds.
        """
        _require_answers(answers)
        at = self._clock()

        def lift() -> ResumeState:
            rules = self._rules(pause_id)
            with self._database.write() as session:
                stop_rights.require_resume(session, by, rules, at)
                self._database.lock_alone(session, FENCE)
                row = pause_rows.in_life(session, pause_id)
                if rules.second and row.phase != PausePhase.RELEASING.value:
                    asked = (row.resume_asked_by or {}).get("id") if row.phase == PausePhase.SECOND_WANTED else ""
                    scope = pause_rows.state_of(row).scope
                    ramps.want_second(
                        self._database, session, pause_id=pause_id, answers=answers, by=by, at=at, at_once=at_once
                    )
                    if asked != by.id:
                        ask_for_second(session, pause_id, scope, rules, answers, self._channels, by=by, at=at)
                    return ResumeState.SECOND_WANTED
                if row.phase == PausePhase.RELEASING.value and at_once:
                    stop_rights.refuse_hurry(rules)
                return self._start(session, pause_id, answers, by, at, rules, at_once=at_once)

        state = await self._in_thread(lift)
        await self._look_at_once(pause_id, by)
        return state

    async def second_resume(self, pause_id: str, *, by: Actor, asked_at: datetime | None = None) -> ResumeState:
        """Agree to a resume that somebody else asked for.

        Args:
            pause_id: The pause.
            by: Who agrees.
            asked_at: When the resume that they saw was asked for; another one is not agreed to. ``None`` agrees to
                whatever stands.

        Raises:
            NotFound: There is no such pause.
            Conflict: Nobody asked to resume it, it was asked for anew, or it has ended.
            Forbidden: They are who asked, the card does not let them, or does not let who asked any more.
            Unavailable: The database is away; the pause still holds.
        """
        at = self._clock()

        def agree() -> ResumeState:
            rules = self._rules(pause_id)
            with self._database.write() as session:
                stop_rights.require_resume(session, by, rules, at)
                self._database.lock_alone(session, FENCE)
                row = pause_rows.in_life(session, pause_id)
                if row.phase != PausePhase.SECOND_WANTED.value or row.resume_asked_by is None:
                    raise Conflict(
                        f"The pause {pause_id} waits for no second person.", where="pause", todo="Resume it first."
                    )
                if asked_at is not None and asked_at != row.resume_asked_at:
                    raise Conflict("It was asked for anew since you looked.", where="asked_at", todo="Look again.")
                first = Actor.model_validate(row.resume_asked_by)
                if stop_rights.is_same_person(session, first, by, at):
                    raise Forbidden(
                        f"{by.name} asked for this resume; a second person must agree.",
                        where="pause",
                        todo="Ask somebody else who may resume.",
                    )
                if not stop_rights.may_resume(session, first, rules, at):
                    raise Forbidden(
                        f"{first.name} asked for this resume, and may not resume it any more.",
                        where="pause",
                        todo="Resume it yourself; then somebody else must agree.",
                    )
                answers = ResumeAnswers.model_validate(row.answers or {})
                return self._start(session, pause_id, answers, first, at, rules, at_once=answers.at_once, second=by)

        state = await self._in_thread(agree)
        await self._look_at_once(pause_id, by)
        return state

    def _rules(self, pause_id: str) -> stop_rights.StopRules:
        with self._database.read() as session:
            return stop_rights.rules_for(session, pause_rows.scope_by_id(session, pause_id))

    def _start(
        self,
        session: Session,
        pause_id: str,
        answers: ResumeAnswers,
        by: Actor,
        at: datetime,
        rules: stop_rights.StopRules,
        *,
        at_once: bool,
        second: Actor | None = None,
    ) -> ResumeState:
        return ramps.start(
            self._database,
            session,
            pause_id=pause_id,
            answers=answers,
            by=by,
            at=at,
            second=second,
            step_time=rules.ramp,
            at_once=at_once,
        )

    async def _look_at_once(self, pause_id: str, by: Actor) -> None:
        """Tell the pause's workflow that its row changed; it looks by itself, too."""
        with suppress(AssentError):
            await self._signal(pause_id, "resume", ResumePause(id=uuid.uuid4().hex, by=by), "")


def _require_answers(answers: ResumeAnswers) -> None:
    for name, words in (("cause", answers.cause), ("changed", answers.changed)):
        if not words.strip():
            raise InvalidInput(
                "Resuming needs the cause and what was changed.",
                where=name,
                todo="Say what the trouble was, what was changed, and which checks passed.",
            )
