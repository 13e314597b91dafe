"""What people send about seeded checks: refused and told like requests, answered at once, and never sent to any run.

Every face comes here with what :meth:`~assent.gateway.decisions.DecisionDoor.decide` and its like do not know. What
others send about somebody's check is refused as unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.approvals import Verb
from assent.domain.assurance import check_assurance
from assent.domain.canonical import Json
from assent.domain.checks import Check
from assent.domain.errors import BrokenArguments, Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.forms import Form, form_of
from assent.domain.people import MAX_REASON, Actor, Assurance
from assent.domain.revisions import same_arguments, with_kept_secrets
from assent.domain.talk import entry_text
from assent.domain.voting import why_not_approve, why_not_reject
from assent.gateway.door import Door, bounded, reason_within
from assent.gateway.refusing import refusals_kept
from assent.policy.arguments import argument_faults
from assent.store import check_answers, checks, electorate
from assent.store.openings import NOT_OPENED
from assent.store.queries import checks_shown
from assent.store.queries.revisions import Editable

_WEAK = "The page of the request says who can decide it."


class CheckDoor(Door):
    """What approvers come through with a check of theirs. It needs the database alone."""

    async def check_of(self, approval_id: str, person_id: str) -> Check | None:
        """Somebody's own check of this id; ``None`` if it is none, or another's.

        Raises:
            Unavailable: The database is away.
        """
        return await self._in_thread(lambda: self._own(approval_id, person_id))

    async def decide_check(
        self,
        check_id: str,
        *,
        verb: Verb,
        digest: str,
        by: Actor,
        reason: str = "",
        seconds: float | None = None,
        opened: bool = True,
    ) -> Check:
        """Keep somebody's verdict on a check of theirs; once it is over, the first one stays.

        Args:
            check_id: The check.
            verb: Approve or reject; nobody has a vote on a check to take back.
            digest: Digest of what they were shown.
            by: The person.
            reason: Why; needed to reject.
            seconds: How long it was in front of them; ``None`` if nobody knows.
            opened: They had all of it in front of them, for cards that ask for that.

        Returns:
            The check, which says what it was.

        Raises:
            NotFound: They have no such check.
            Conflict: The digest is of something else, or there is no vote to take back.
            Forbidden: They may not decide a request like it; the ledger keeps it.
            NeedsProof: They must prove first that it is they.
            InvalidInput: A rejection without a reason.
            Unavailable: The database is away; nothing was kept.
        """
        if verb is Verb.REJECT and not reason.strip():
            raise InvalidInput("A rejection needs a reason.", where="reason", todo="The agent is given it.")
        reason_within(MAX_REASON, reason)
        at = self._clock()

        def keep(session: Session, check: Check) -> Check:
            _require_voice(session, check, verb, digest, by, at, opened=opened)
            return check_answers.answer(
                session, check_id, verb=verb, digest=digest, reason=reason, by=by, at=at, seconds=seconds
            )

        return await self._in_thread(lambda: self._kept(check_id, verb.value, by, keep))

    async def ask_about_check(self, check_id: str, text: str, *, by: Actor) -> Check:
        """Somebody asked about a check of theirs, or commented: that ends it, and no agent is asked.

        Raises:
            NotFound: They have no such check.
            InvalidInput: There is no text.
            TooLarge: It is too long.
            Unavailable: The database is away; nothing was kept.
        """
        said, at = entry_text(text), self._clock()

        def keep(session: Session, _: Check) -> Check:
            return check_answers.question(session, check_id, text=said, by=by, at=at)

        return await self._in_thread(lambda: self._kept(check_id, "comment", by, keep))

    async def check_form(self, check_id: str, person_id: str) -> tuple[Editable, Form] | None:
        """What an edit of somebody's check would start from, and the form for it; ``None`` if they have none such.

        Raises:
            Unavailable: The database is away.
        """

        def look() -> Editable | None:
            with self._database.read() as session:
                check = checks.one(session, check_id, person_id)
                return None if check is None else checks_shown.editable(session, check)

        start = await self._in_thread(look)
        if start is None:
            return None
        schema, secrets = (start.type.arguments, start.type.secrets) if start.type else ({}, frozenset())
        return start, form_of(schema, start.arguments, secrets=secrets)

    async def change_check(
        self, check_id: str, arguments: Mapping[str, Json], *, digest: str, by: Actor, reason: str = ""
    ) -> Check:
        """Somebody set out to change a check of theirs: that ends it, and nothing is changed.

        Raises:
            NotFound: They have no such check.
            Conflict: The digest is of something else, or the card does not list the action any more.
            Forbidden: They may not decide a request like it, or the card lets nobody edit one.
            BrokenArguments: The arguments do not fit the action type.
            InvalidInput: Nothing differs.
            TooLarge: They are too large, or the reason is too long.
            Unavailable: The database is away; nothing was kept.
        """
        reason_within(MAX_REASON, reason)
        bounded(dict(arguments), "arguments")
        at = self._clock()

        def keep(session: Session, check: Check) -> Check:
            if not check.over:
                _require_voice(session, check, Verb.APPROVE, digest, by, at)
                _require_change(checks_shown.editable(session, check), arguments)
            return check_answers.change(session, check_id, reason=reason, by=by, at=at)

        return await self._in_thread(lambda: self._kept(check_id, "edit", by, keep))

    def _own(self, check_id: str, person_id: str) -> Check | None:
        with self._database.read() as session:
            return checks.one(session, check_id, person_id)

    def _kept(self, check_id: str, verb: str, by: Actor, keep: Callable[[Session, Check], Check]) -> Check:
        """Keep what somebody did, with every refusal of a person in the ledger."""
        with (
            refusals_kept(self._refusals, "approval.refused", by, {"approval": check_id, "verb": verb}),
            self._database.write() as session,
        ):
            check = checks.one(session, check_id, by.id)
            if check is None:
                raise NotFound(f"There is no approval request {check_id}.", where="approval")
            return keep(session, check)


def _require_voice(
    session: Session, check: Check, verb: Verb, digest: str, by: Actor, at: datetime, *, opened: bool = True
) -> None:
    """Refuse whose vote would not count on a request like it, with the same sentences."""
    rules = check.rules.electorate
    voter = electorate.voter(session, by.id, at, electorate=rules)
    objects = verb is Verb.REJECT and rules.veto
    if voter is None or not (voter.able or (objects and voter.enabled)):
        raise Forbidden(
            f"{by.name} may not decide approval requests.",
            where="approval",
            todo="Ask an administrator for the role approver.",
        )
    if verb is Verb.WITHDRAW:
        raise Conflict(f"{by.name} has no vote in force on it.", where="approval", todo="Nothing was changed.")
    if check.over:
        return
    if check.digest != digest:
        raise Conflict(
            "The request no longer shows what you saw.",
            where="digest",
            todo="Open it again and decide on what it shows now.",
        )
    why_not = why_not_reject if verb is Verb.REJECT else why_not_approve
    if refused := why_not(rules, voter, Assurance.FRESH):
        raise Forbidden(refused, where="approval", todo=_WEAK)
    if verb is Verb.APPROVE and check.rules.opened and not opened:
        raise Forbidden(NOT_OPENED, where="approval", todo="Decide when you have seen it.")
    if not objects:
        check_assurance(rules.assurance, by)


def _require_change(start: Editable, arguments: Mapping[str, Json]) -> None:
    """Refuse what would be no edit of a request like it, with the same sentences."""
    if not start.allowed:
        raise Forbidden(
            "The card lets nobody edit this request.", where="arguments", todo="Approve it as it is, or reject it."
        )
    if start.type is None:
        raise Conflict(
            f"The card of {start.agent} does not list this action any more.",
            where="arguments",
            todo="Reject the request.",
        )
    wanted = with_kept_secrets(arguments, start.raw, start.type.secrets)
    if faults := argument_faults(start.type, wanted):
        raise BrokenArguments(faults)
    if same_arguments(wanted, start.raw):
        raise InvalidInput("Nothing was changed.", where="arguments", todo="Change something, or decide it as it is.")
