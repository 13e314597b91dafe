"""Who may give a standing grant, and how far it may reach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy.orm import Session

from assent.domain.actions import ProposedAction
from assent.domain.assurance import check_assurance, of_actor
from assent.domain.errors import Forbidden, InvalidInput, NotFound
from assent.domain.grants import GrantTerms
from assent.domain.people import Actor
from assent.domain.tiers import Tier
from assent.domain.voting import Electorate, Voter, in_words, is_one, why_not_approve
from assent.gateway.cards import CardInForce, card_in_force
from assent.policy.approval_block import GrantRule
from assent.policy.approving import resolve, tokens
from assent.policy.granting import samples
from assent.store import electorate as electorates


def granting_rule(found: CardInForce, action_type: str) -> GrantRule:
    """What a card says of standing grants for an action type.

    Raises:
        InvalidInput: The card does not list it, or it is only ever suggested.
        Forbidden: The card lets nobody give any.
    """
    if action_type not in found.card.actions or action_type not in found.types:
        raise InvalidInput(
            f"The card of {found.card.name} does not list {action_type}.",
            where="action_type",
            todo=f"It lists {', '.join(sorted(found.card.actions))}.",
        )
    if found.card.actions[action_type].tier is Tier.SUGGEST:
        raise InvalidInput(f"{action_type} is only ever suggested; there is nothing to grant.", where="action_type")
    rule = found.card.approving(action_type).grants
    if rule is None:
        raise Forbidden(
            f"The card of {found.card.name} lets nobody give standing grants for {action_type}.",
            where="grant",
            todo="An owner can allow it in the card, under `approval: grants:`.",
        )
    return rule


def grants_allowed(session: Session, agent: str, action_type: str) -> bool:
    """Whether the card in force lets anybody give standing grants for an action type at all.

    A card that cannot be read lets nobody: what only offers grants must not fail by it.
    """
    try:
        granting_rule(card_in_force(session, agent), action_type)
    except (Forbidden, InvalidInput, NotFound, ValidationError):
        return False
    return True


def giver_of(session: Session, found: CardInForce, rule: GrantRule, action_type: str, by: Actor, at: datetime) -> Voter:
    """The giver as a voter.

    Raises:
        Forbidden: They are not among those who may give grants; what others lent them does not count.
    """
    voter = electorates.voter(session, by.id, at)
    if voter is None or not voter.able:
        raise Forbidden(
            f"{by.name} may not decide approval requests, nor grant any.",
            where="grant",
            todo="Ask an administrator for the role approver.",
        )
    givers = [tokens(found.card, each) for each in rule.by]
    if not any(is_one(who.token, voter.own) for who in givers):
        raise Forbidden(
            f"The card of {found.card.name} lets only {', '.join(who.words for who in givers)} give standing grants "
            f"for {action_type}.",
            where="grant",
            todo="Ask one of them.",
        )
    return voter


def reaches(found: CardInForce, terms: GrantTerms) -> list[Electorate]:
    """Who decides what a grant covers: each different electorate among samples of it."""
    reached: list[Electorate] = []
    for arguments in samples(terms, found.types[terms.action_type]):
        action = ProposedAction(key="grant", type=terms.action_type, arguments=arguments)
        rules = resolve(found.card, action, run_id="", requester="")
        if rules.electorate not in reached:
            reached.append(rules.electorate)
    return reached


def require_authority(reached: Sequence[Electorate], giver: Voter, by: Actor) -> None:
    """Refuse a grant that reaches further than its giver could approve.

    Raises:
        NeedsProof: It must be surer that it is they.
        Forbidden: Their approval would not count for some of what it covers.
    """
    for each in reached:
        check_assurance(each.assurance, by)
        if why_not := why_not_approve(each, giver, of_actor(by)):
            raise Forbidden(
                "The grant reaches further than you may approve. For some of what it covers, "
                f"{in_words(each.needs)} must approve. {why_not}",
                where="grant",
                todo="Narrow it down, or have somebody give it who may.",
            )


def require_word(session: Session, reached: Sequence[Electorate], by: Actor, at: datetime) -> None:
    """Refuse the word of somebody that counts for nothing.

    Raises:
        NeedsProof: It must be surer that it is they.
        Forbidden: Their approval would count for nothing that a grant or a plan covers.
    """
    why_not = ""
    for each in reached:
        check_assurance(each.assurance, by)
        voter = electorates.voter(session, by.id, at, electorate=each)
        why_not = f"{by.name} is not known here." if voter is None else why_not_approve(each, voter, of_actor(by))
        if not why_not:
            return
    raise Forbidden(why_not, where="grant", todo="Somebody who is still needed must give their word.")
