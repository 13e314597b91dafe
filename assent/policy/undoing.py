"""Weighing a rollback by the cards of the agents whose work it takes back; the strictest wins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from assent.domain.money import money_text
from assent.domain.people import Actor, Via
from assent.domain.rollback_approval import RollbackRules
from assent.domain.rollbacks import RollbackTotals
from assent.domain.tiers import Tier
from assent.domain.voting import REQUESTER, Authority, Bar, Electorate, Need, is_one
from assent.domain.words import counted
from assent.policy.approval_block import NeedRule
from assent.policy.approving import tokens
from assent.policy.cards import AgentCard

ANY_CURRENCY = "any"
"""How a card names money of which no currency is declared."""

_ONE_APPROVER = NeedRule(of="role:approver")


def rollback_rules(
    cards: Sequence[AgentCard], totals: RollbackTotals, *, requester: str, requester_mailbox: str
) -> RollbackRules:
    """Who must agree before it runs.

    Every limit is held against the whole rollback, so that a mass undo is not waved through because it is spread over
    many agents; and against what is in doubt as well, so that it is not because a system was away when it was planned.

    Args:
        cards: In force, of every agent whose effects are to be dealt with.
        totals: What the plan adds up to.
        requester: Id of whoever asked for it.
        requester_mailbox: Their mailbox.
    """
    asking = [(card, why) for card in cards if (why := list(_why_asked(card, totals)))]
    electorates = {
        _electorate(card, requester=requester, requester_mailbox=requester_mailbox): None for card, _ in asking
    }
    return RollbackRules(
        electorates=list(electorates),
        because=list(dict.fromkeys(sentence for _, why in asking for sentence in why)),
        **({"within": min(card.undoing.expires for card, _ in asking)} if asking else {}),
    )


def trusted(by: Actor) -> bool:
    """Whether it is the system itself, or whoever has the machine and with it everything anyway."""
    return by.via is Via.SYSTEM or by.id.startswith("console:")


def why_not_undo(cards: Iterable[AgentCard], who: Authority) -> str:
    """Why somebody may not undo what these agents did, one sentence; empty if they may."""
    for card in cards:
        allowed = [tokens(card, each) for each in card.undoing.by]
        if not any(is_one(each.token, who) for each in allowed):
            names = ", ".join(each.words for each in allowed)
            return f"{who.name} may not undo what {card.title or card.name} did; its card lets {names} do it."
    return ""


def _why_asked(card: AgentCard, totals: RollbackTotals) -> Iterator[str]:
    block, name = card.undoing, card.title or card.name
    tried = totals.to_undo + totals.in_doubt
    if block.tier == Tier.APPROVE.word and tried:
        yield f"The card of {name} has every undo approved."
    if tried > block.effects:
        doubtful = f" and tries {totals.in_doubt:,} that conflict or are not known" if totals.in_doubt else ""
        yield (
            f"It undoes {counted(totals.to_undo, 'effect')}{doubtful}; the card of {name} lets "
            f"{counted(block.effects, 'effect')} be undone without approval."
        )
    for currency, most in sorted(block.money.items()):
        code = "" if currency == ANY_CURRENCY else currency
        # What is left is not told apart by why: where something of it may be undone yet, all of it counts.
        moved = totals.money.get(code, 0.0) + (totals.money_left.get(code, 0.0) if totals.in_doubt else 0.0)
        if moved > most:
            yield (
                f"It takes back {money_text(moved, code)}; the card of {name} lets {money_text(most, code)} be taken "
                "back without approval."
            )


def _electorate(card: AgentCard, *, requester: str, requester_mailbox: str) -> Electorate:
    block = card.undoing
    needs = []
    for rule in block.need or [_ONE_APPROVER]:
        who = tokens(card, rule.of)
        needs.append(Need(token=who.token, count=rule.count, words=who.words))
    bars = []
    for expression in block.never_by:
        if expression == REQUESTER:
            asked = [f"person:{requester}", *([f"mail:{requester_mailbox}"] if requester_mailbox else [])]
            bars += [Bar(token=token, words="who asked for this rollback") for token in asked]
        else:
            who = tokens(card, expression)
            bars.append(Bar(token=who.token, words=who.words))
    return Electorate(
        needs=tuple(needs),
        never_by=tuple(bars),
        assurance=block.assurance,
        requester=requester,
        requester_mailbox=requester_mailbox,
    )
