"""Weighing a rollback by the cards of the agents whose work it takes back; the strictest wins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from assent.domain.money import money_text
from assent.domain.people import SYSTEM, Actor, Via
from assent.domain.rollback_approval import EarlierUndo, RollbackRules
from assent.domain.rollbacks import RollbackTotals
from assent.domain.tiers import Tier
from assent.domain.voting import REQUESTER, Authority, Bar, Electorate, Need, is_one
from assent.domain.words import counted, lasting
from assent.policy.approval_block import NeedRule
from assent.policy.approving import tokens
from assent.policy.cards import AgentCard

ANY_CURRENCY = "any"
"""How a card names money of which no currency is declared."""

_HOUR = timedelta(hours=1)
_ONE_APPROVER = NeedRule(of="role:approver")


def rollback_rules(
    cards: Sequence[AgentCard],
    totals: RollbackTotals,
    *,
    requester: str,
    requester_mailbox: str,
    asked_at: datetime,
    earlier: Sequence[EarlierUndo] = (),
) -> RollbackRules:
    """Who must agree before it runs.

    Every limit is held against the whole rollback, so that a mass undo is not waved through because it is spread over
    many agents; and against what is in doubt as well, so that it is not because a system was away when it was planned.
    Nor is it because it is spread over many rollbacks: what the same person, or anybody of the same agent's work, has
    undone without approval within a card's window counts as well, and what the same pause undid.

    Args:
        cards: In force, of every agent whose effects are to be dealt with.
        totals: What the plan adds up to.
        requester: Id of whoever asked for it.
        requester_mailbox: Their mailbox.
        asked_at: When it was asked for.
        earlier: Rollbacks that nobody had to approve, as far back as the longest window of these cards, and those of
            the same pause. The effects of these are in the totals already, their money is not.
    """
    asking = [
        (card, why)
        for card in cards
        if (why := list(_why_asked(card, totals, _within_window(card, earlier, requester, asked_at))))
    ]
    electorates = {
        _electorate(card, requester=requester, requester_mailbox=requester_mailbox): None for card, _ in asking
    }
    return RollbackRules(
        electorates=list(electorates),
        because=list(dict.fromkeys(sentence for _, why in asking for sentence in why)),
        **({"within": min(card.undoing.expires for card, _ in asking)} if asking else {}),
    )


def longest_window(cards: Iterable[AgentCard]) -> timedelta:
    """How far back earlier rollbacks count for any of these cards."""
    return max((card.undoing.window for card in cards), default=timedelta(0))


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


def _within_window(
    card: AgentCard, earlier: Iterable[EarlierUndo], requester: str, asked_at: datetime
) -> list[EarlierUndo]:
    """What counts beside a rollback for a card: of the same pause, by the same person, or of the same agent's work."""
    window = card.undoing.window
    # The system is no person: what it undoes of one agent does not count for another.
    person = requester if requester != SYSTEM.id else None
    return [
        each
        for each in earlier
        if each.together
        or (
            window
            and (each.under_way or each.at > asked_at - window)
            and (each.by == person or card.name in each.totals.by_agent)
        )
    ]


def _why_asked(card: AgentCard, totals: RollbackTotals, earlier: Sequence[EarlierUndo]) -> Iterator[str]:
    block, name = card.undoing, card.title or card.name
    tried = totals.tried
    if not tried:
        return
    if block.tier == Tier.APPROVE.word:
        yield f"The card of {name} has every undo approved."
    apart = [each for each in earlier if not each.together]
    before = sum(each.totals.tried for each in apart)
    if tried + before > block.effects:
        doubtful = f" and tries {totals.in_doubt:,} that conflict or are not known" if totals.in_doubt else ""
        also = f", {tried + before:,} with the {before:,} of {_whence(card, apart)}" if before else ""
        yield (
            f"It undoes {counted(totals.to_undo, 'effect')}{doubtful}{also}; the card of {name} lets "
            f"{counted(block.effects, 'effect')} be undone without approval."
        )
    for currency, most in sorted(block.money.items()):
        code = "" if currency == ANY_CURRENCY else currency
        moved, moved_before = totals.money_tried(code), sum(each.totals.money_tried(code) for each in earlier)
        if moved and moved + moved_before > most:
            also = ""
            if moved_before:
                whole = money_text(moved + moved_before, code)
                also = f", {whole} with the {money_text(moved_before, code)} of {_whence(card, earlier)}"
            yield (
                f"It takes back {money_text(moved, code)}{also}; the card of {name} lets {money_text(most, code)} be "
                "taken back without approval."
            )


def _whence(card: AgentCard, earlier: Sequence[EarlierUndo]) -> str:
    window = card.undoing.window
    words = {
        "the same pause" if each.together else f"the last {'hour' if window == _HOUR else lasting(window)}"
        for each in earlier
    }
    return " and ".join(sorted(words))


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
