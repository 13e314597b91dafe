"""Standing grants: giving, confirming and revoking them.

A grant is configuration, like a pause: it is written by the gateway at once, needs no Temporal server, and is looked at
by the transaction that claims. Nobody grants more than they could approve by themselves; where a card asks for several
people, a grant is pending until as many have confirmed it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel
from sqlalchemy.orm import Session

from assent.domain.actions import AdmissionEffect
from assent.domain.approvals import ApprovalStatus
from assent.domain.ballots import Ballot, weigh
from assent.domain.errors import AssentError, Conflict, Forbidden, NotFound, TooLarge
from assent.domain.grants import GrantStatus, GrantTerms, standing
from assent.domain.people import Actor
from assent.domain.voting import Electorate, in_words
from assent.gateway.authority import giver_of, granting_rule, reaches, require_authority, require_word
from assent.gateway.cards import CardInForce, card_in_force, require_still
from assent.gateway.door import Door
from assent.gateway.refusing import refusals_kept
from assent.gateway.word_asking import ask_for_grant
from assent.policy.approval_block import GrantRule
from assent.policy.granting import check_terms, terms_for
from assent.store import grants, words_asked
from assent.store.consents import weigh_consents
from assent.store.queries import grants as views
from assent.store.queries.grants import GrantView
from assent.store.tables import ActionRow, ApprovalRow

MAX_NOTE = 4_000
"""Characters of a note or of the reason of a revocation."""


class GrantOffer(BaseModel):
    """What a person may approve from now on, for a request in front of them.

    Attributes:
        allowed: They may give a grant that covers this request.
        why_not: Why they may not, one sentence.
        terms: Terms that fit exactly this request, for a form to start from; ``None`` if they may not.
        arguments: Names of the arguments that a pattern may be on.
        max_uses: The most uses.
        longest: The longest it may stand.
        alone: Their word is enough; else others must confirm it.
        needs: Who must give their word, in words.
    """

    allowed: bool = False
    why_not: str = ""
    terms: GrantTerms | None = None
    arguments: list[str] = []
    max_uses: int = 0
    longest: timedelta = timedelta(0)
    alone: bool = False
    needs: str = ""


class GrantDoor(Door):
    """What people come through who let alike actions run from now on."""

    async def grant_offer(self, approval_id: str, *, by: Actor) -> GrantOffer:
        """What a person may grant on the occasion of a request, and why not.

        Raises:
            NotFound: There is no such request.
            Unavailable: The database is away.
        """

        def look() -> GrantOffer:
            with self._database.read() as session:
                return self._offer(session, approval_id, by)

        return await self._in_thread(look)

    async def grant(
        self,
        terms: GrantTerms,
        *,
        by: Actor,
        note: str = "",
        approval_id: str = "",
        grant_id: str | None = None,
    ) -> GrantView:
        """Let alike actions run from now on, without asking for each.

        Args:
            terms: What is covered, how often and until when.
            by: The person.
            note: Why; kept with it.
            approval_id: The request on which it is given, if on one.
            grant_id: Id of this click, so that sending it twice gives one grant.

        Returns:
            The grant; active, or pending where the card needs more people than this one.

        Raises:
            NotFound: There is no such agent.
            InvalidInput: The terms are more than the card allows, or can cover nothing.
            Forbidden: The card lets this person give no such grant, or it reaches further than they may approve.
            Conflict: There are too many grants.
            Unavailable: The database is away; nothing was granted.
        """
        _short(note, "note")
        new_id = grant_id or f"grant-{uuid.uuid4().hex[:12]}"

        def write() -> GrantView:
            # Names alone: a pattern that was refused may hold a secret.
            tried = {"agent": terms.agent, "type": terms.action_type, "arguments": sorted(terms.arguments)}
            with refusals_kept(self._refusals, "grant.refused", by, tried):
                return give()

        def give() -> GrantView:
            found, rule, reached = self._weigh_terms(terms)
            with self._database.write() as session:
                now = self._clock()
                grants.lock(self._database, session, terms.agent, terms.action_type)
                require_still(session, found)
                giver = giver_of(session, found, rule, terms.action_type, by, now)
                require_authority(reached, giver, by)
                alone = all(weigh(each, [Ballot(by.id, giver)]).met for each in reached)
                grants.give(
                    session,
                    new_id,
                    terms,
                    electorates=reached,
                    active=alone,
                    by=by,
                    at=now,
                    note=note.strip(),
                    approval_id=approval_id,
                )
                return self._asking_others(session, new_id, reached, now)

        return await self._in_thread(write)

    async def confirm_grant(self, grant_id: str, *, digest: str, by: Actor) -> GrantView:
        """Give one's word for a pending grant; the last one that is needed makes it active.

        Raises:
            NotFound: There is no such grant.
            Conflict: It is not pending, its terms are others, or this person has given their word already.
            Forbidden: This person's word does not count for it.
            Unavailable: The database is away; nothing was confirmed.
        """

        def write() -> GrantView:
            with refusals_kept(self._refusals, "grant.refused", by, {"grant": grant_id, "digest": digest}):
                return confirm()

        def confirm() -> GrantView:
            with self._database.read() as session:
                seen = views.one(session, grant_id, now=self._clock())
            _require_pending(seen.status)
            found, _, reached = self._weigh_terms(seen.terms)
            with self._database.write() as session:
                now = self._clock()
                require_still(session, found)
                row = grants.locked(session, grant_id)
                _require_pending(
                    standing(GrantStatus(row.status), used=row.used, uses=row.uses, expires_at=row.expires_at, now=now)
                )
                if row.digest != digest:
                    raise Conflict(
                        "The grant is not what you saw.", where="digest", todo="Open it again and look at its terms."
                    )
                given = grants.consents(session, grant_id)
                if any(each.by.id == by.id for each in given):
                    raise Conflict("You have given your word already.", where="grant", todo="Somebody else must.")
                require_word(session, reached, by, now)
                words = [*given, grants.Consent(by, now)]
                active = all(weigh_consents(session, each, words, now).met for each in reached)
                grants.confirm(session, row, by=by, active=active, at=now)
                return self._asking_others(session, grant_id, reached, now)

        return await self._in_thread(write)

    async def revoke_grant(self, grant_id: str, *, by: Actor, reason: str = "") -> GrantView:
        """Revoke a grant: when this returns, it covers nothing that is not claimed.

        Raises:
            NotFound: There is no such grant.
            Conflict: It is revoked or has ended already.
            Unavailable: The database is away; the grant stands.
        """
        _short(reason, "reason")

        def write() -> GrantView:
            with self._database.write() as session:
                now = self._clock()
                row = grants.locked(session, grant_id)
                grants.revoke(session, row, by=by, at=now, reason=reason.strip())
                words_asked.stale_homes(session, [Electorate.model_validate(each) for each in row.electorates], now)
                return views.one(session, grant_id, now=now)

        return await self._in_thread(write)

    def _asking_others(
        self, session: Session, grant_id: str, reached: Sequence[Electorate], now: datetime
    ) -> GrantView:
        """The grant as it stands; whoever can still confirm it is told that it waits for them."""
        view = views.one(session, grant_id, now=now)
        if view.status is GrantStatus.PENDING:
            ask_for_grant(session, view, reached, self._channels, at=now)
        if view.status is GrantStatus.PENDING or len(view.words) > 1:
            words_asked.stale_homes(session, reached, now)
        return view

    def _weigh_terms(self, terms: GrantTerms) -> tuple[CardInForce, GrantRule, list[Electorate]]:
        """What the card says of the terms, and who decides what they reach; before the transaction that writes."""
        with self._database.read() as session:
            found = card_in_force(session, terms.agent)
        rule = granting_rule(found, terms.action_type)
        check_terms(terms, found.types[terms.action_type], rule, now=self._clock())
        return found, rule, reaches(found, terms)

    def _offer(self, session: Session, approval_id: str, by: Actor) -> GrantOffer:
        row, action = _asked(session, approval_id)
        found = card_in_force(session, row.agent)
        now = self._clock()
        try:
            if row.status != ApprovalStatus.PENDING.value:
                raise Conflict(f"The request is {row.status}.")
            rule = granting_rule(found, row.type)
            if any(
                reason["rule"] in ("stop-rule", "limit") and reason["effect"] == AdmissionEffect.APPROVE.value
                for reason in action.reasons
            ):
                raise Forbidden("A stop rule or a limit of the card asked here, and those ask whatever is granted.")
            giver = giver_of(session, found, rule, row.type, by, now)
            terms = terms_for(
                row.agent, found.types[row.type], action.arguments, uses=min(rule.uses, 10), expires_at=now + rule.lasts
            )
            check_terms(terms, found.types[row.type], rule, now=now)
            reached = reaches(found, terms)
            require_authority(reached, giver, by)
        except NotFound:
            raise
        except AssentError as error:
            return GrantOffer(why_not=error.what)
        return GrantOffer(
            allowed=True,
            terms=terms,
            arguments=sorted({*terms.arguments, *found.types[row.type].arguments.get("properties", {})}),
            max_uses=rule.uses,
            longest=rule.lasts,
            alone=all(weigh(each, [Ballot(by.id, giver)]).met for each in reached),
            needs=_needed(reached),
        )


def _require_pending(status: GrantStatus) -> None:
    if status is not GrantStatus.PENDING:
        raise Conflict(f"The grant is {status.value}.", where="grant", todo="Nothing was changed.")


def _asked(session: Session, approval_id: str) -> tuple[ApprovalRow, ActionRow]:
    row = session.get(ApprovalRow, approval_id)
    action = None if row is None else session.get(ActionRow, row.action_id)
    if row is None or action is None:
        raise NotFound(f"There is no approval request {approval_id}.", where="approval")
    return row, action


def _needed(reached: Sequence[Electorate]) -> str:
    widest = max(reached, key=lambda each: each.size, default=Electorate())
    return in_words(widest.needs)


def _short(text: str, where: str) -> None:
    if len(text) > MAX_NOTE:
        raise TooLarge(f"This has at most {MAX_NOTE:,} characters.", where=where)
