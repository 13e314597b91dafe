"""Resolving a card's ``approval`` blocks for one action: who decides it, by when, and what silence means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from assent.domain.actions import ProposedAction
from assent.domain.approving import Agenda, ApprovalRules, Escalation, Silence, Step, StepKind, Who
from assent.domain.people import Assurance, Role, mailbox_of
from assent.domain.voting import REQUESTER, Bar, Electorate, Need, in_words
from assent.policy.approval_block import CONTACTS, ON_CALL, ApprovalBlock, EscalateRule, NeedRule, OnSilence, RaiseRule
from assent.policy.cards import AgentCard, Contact
from assent.policy.conditions import ConditionError, holds
from assent.policy.durations import write_duration
from assent.policy.hours import later, working_hours

_ONE_APPROVER = NeedRule(of=f"role:{Role.APPROVER.value}")
_CONTACT_WORDS = {word: word.replace("-", " ") for word in CONTACTS} | {"escalation": "escalation contact"}


def resolve(
    card: AgentCard,
    action: ProposedAction,
    *,
    run_id: str,
    requester: str,
    requester_mailbox: str = "",
    veto: bool = False,
) -> ApprovalRules:
    """How a request about this action is decided.

    Args:
        card: The card that was applied.
        action: The action, as people are shown it.
        run_id: The run.
        requester: Id of the person, or name of the agent, that started the run.
        requester_mailbox: That person's mailbox.
        veto: It runs unless somebody objects.

    Returns:
        The action type's block over the card's, with everything that its ``raise`` rules ask for in addition.
    """
    rule = card.actions[action.type]
    block = card.approving(action.type)
    raised = [each for each in block.raises if _applies(each, card, action, run_id)]
    needs = _needs(card, block, raised)
    within = rule.veto if veto and rule.veto is not None else rule.expires
    hours = working_hours(block.hours)
    last_resort = _last_resort(card) if block.on_silence is OnSilence.ESCALATE and not veto else ()
    electorate = Electorate(
        needs=needs,
        never_by=_bars(card, [*block.never_by, *(who for each in raised for who in each.never_by)]),
        deny=1 if veto else block.deny,
        veto=veto,
        assurance=_strongest([block.assurance, *(each.assurance for each in raised if each.assurance)]),
        requester=requester,
        requester_mailbox=requester_mailbox,
    )
    rules = ApprovalRules(
        electorate=electorate,
        within=within,
        silence=Silence.RUN if veto else Silence(block.on_silence.value),
        remind=tuple(block.remind),
        escalate=tuple(_escalations(card, block.escalate)),
        last_resort=last_resort,
        hours=hours,
        edit=block.edit,
        opened=block.opened,
        because=tuple(each.because for each in raised),
    )
    return rules.model_copy(update={"silence_words": silence_words(rules), "needs_words": needs_words(electorate)})


def agenda(rules: ApprovalRules, start: datetime) -> tuple[Agenda, datetime]:
    """What time will bring to a request that is opened now, and when its time is up."""
    end = later(start, rules.within, rules.hours)
    steps = [Step(at=later(start, after, rules.hours), kind=StepKind.REMIND) for after in rules.remind]
    steps += [
        Step(at=later(start, each.after, rules.hours), kind=StepKind.ESCALATE, to=each.to) for each in rules.escalate
    ]
    return Agenda(steps=tuple(sorted((step for step in steps if step.at < end), key=lambda step: step.at))), end


def silence_words(rules: ApprovalRules) -> str:
    """What silence means, one sentence."""
    span = write_duration(rules.within)
    if rules.hours is not None:
        span += f" of working time ({rules.hours.words})"
    match rules.silence:
        case Silence.RUN:
            return f"It runs in {span} unless somebody objects."
        case Silence.HOLD:
            return f"If nobody decides within {span}, it goes on waiting until somebody does."
        case Silence.ESCALATE:
            asked = _listed([who.words for who in rules.last_resort])
            return (
                f"If nobody decides within {span}, {asked} can decide it too, for the same time; then it is rejected."
            )
        case Silence.REJECT:
            return f"If nobody decides within {span}, it is rejected."


def needs_words(electorate: Electorate) -> str:
    """Who must approve, one sentence, with whoever must not."""
    who = f"Approval needs {in_words(electorate.needs)}"
    if not electorate.never_by:
        return f"{who}."
    return f"{who}, and not {_listed([bar.words for bar in electorate.never_by], 'or')}."


def tokens(card: AgentCard, expression: str) -> Who:
    """The token of an approver expression, and what people call it; ``on-call`` is for escalation alone."""
    if expression in CONTACTS:
        contact = _contact(card, expression)
        return Who(token=f"mail:{mailbox_of(contact.email)}", words=f"{contact.name} ({_CONTACT_WORDS[expression]})")
    if "@" in expression:
        return Who(token=f"mail:{mailbox_of(expression)}", words=expression)
    if expression.startswith("role:"):
        return Who(token=expression, words=expression.removeprefix("role:"))
    return Who(token=f"group:{expression}", words=expression)


def _needs(card: AgentCard, block: ApprovalBlock, raised: Sequence[RaiseRule]) -> tuple[Need, ...]:
    """What the block needs and what raises it, the larger number where both name somebody.

    The one approver of a block that says nothing gives way to a raise.
    """
    wanted = [*block.need, *(need for each in raised for need in each.need)] or [_ONE_APPROVER]
    found: dict[str, Need] = {}
    for need in wanted:
        who = tokens(card, need.of)
        count = max(need.count, found[who.token].count if who.token in found else 0)
        found[who.token] = Need(token=who.token, count=count, words=who.words)
    return tuple(found.values())


def _bars(card: AgentCard, expressions: Sequence[str]) -> tuple[Bar, ...]:
    found: dict[str, Bar] = {}
    for expression in expressions:
        if expression == REQUESTER:
            found[REQUESTER] = Bar(token=REQUESTER, words="whoever started the run")
            continue
        who = tokens(card, expression)
        words = f"the {_CONTACT_WORDS[expression]}" if expression in CONTACTS else _role_words(who)
        found[who.token] = Bar(token=who.token, words=words)
    return tuple(found.values())


def _role_words(who: Who) -> str:
    return f"in the role {who.words}" if who.token.startswith("role:") else who.words


def _escalations(card: AgentCard, rules: Sequence[EscalateRule]) -> Iterator[Escalation]:
    """Each mention of ``on-call`` takes the next person of the card's list, and starts over at its end."""
    turn = 0
    for rule in sorted(rules, key=lambda rule: rule.after):
        asked = []
        for expression in rule.to:
            if expression == ON_CALL:
                asked.append(_on_call(card.on_call[turn % len(card.on_call)]))
                turn += 1
            else:
                asked.append(tokens(card, expression))
        yield Escalation(after=rule.after, to=tuple(asked))


def _last_resort(card: AgentCard) -> tuple[Who, ...]:
    found = {who.token: who for who in [tokens(card, "escalation"), *(_on_call(email) for email in card.on_call)]}
    return tuple(found.values())


def _on_call(email: str) -> Who:
    return Who(token=f"mail:{mailbox_of(email)}", words=f"{email} (on call)")


def _contact(card: AgentCard, word: str) -> Contact:
    contact: Contact = getattr(card, word.replace("-", "_"))
    return contact


def _applies(rule: RaiseRule, card: AgentCard, action: ProposedAction, run_id: str) -> bool:
    """A condition that cannot be evaluated counts as met: the careful side."""
    try:
        return holds(rule.when, arguments=action.arguments, agent=card.name, run_id=run_id, reason=action.reason)
    except ConditionError:
        return True


def _strongest(assurances: Sequence[Assurance]) -> Assurance:
    return max(assurances, key=lambda each: each.rank)


def _listed(words: Sequence[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
