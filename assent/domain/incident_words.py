"""Texts about incidents, drafted from facts alone; people may change them before they are sent or kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assent.domain.incidents import IncidentFacts, IncidentState, Section
from assent.domain.money import money_text
from assent.domain.words import counted, lasting

TITLES = {
    Section.WHAT_HAPPENED: "What happened",
    Section.CAUSE: "Why it happened",
    Section.NOTICED: "How it was noticed",
    Section.STOPPED: "How it was stopped",
    Section.UNDONE: "What was undone",
    Section.LEFT: "What is left",
    Section.CHANGES: "What changes",
}
"""Titles of the sections of a post-mortem."""

_NAMED = 5
"""Agents that a text names."""


def status_text(facts: IncidentFacts, now: datetime) -> str:
    """What people are told: what, since when, how much, stopped or not, undone or not, and who leads."""
    lines = [
        f"{facts.severity.value.capitalize()} incident: {facts.title}",
        since(facts, now),
        extent(facts),
        stopped(facts, now),
        undone(facts),
        f"{facts.commander} leads." if facts.commander else "Nobody leads it yet.",
    ]
    if facts.state is IncidentState.CLOSED:
        lines.append("It is closed.")
    return "\n".join(lines)


def section_facts(section: Section, facts: IncidentFacts, now: datetime) -> list[str]:
    """What is known for a section of a post-mortem, a sentence each; nothing where only people know."""
    match section:
        case Section.WHAT_HAPPENED:
            return [since(facts, now), extent(facts)]
        case Section.NOTICED:
            return [f"Noticed {clock(facts.noticed_at)}, {after(facts.began_at, facts.noticed_at)} it began."]
        case Section.STOPPED:
            return [stopped(facts, now)]
        case Section.UNDONE:
            return [undone(facts)]
        case Section.LEFT:
            return [left(facts)]
        case _:
            return []


def since(facts: IncidentFacts, now: datetime) -> str:
    """When it began and was noticed."""
    began = f"It began {clock(facts.began_at)}"
    if facts.noticed_at > facts.began_at:
        began += f" and was noticed {clock(facts.noticed_at)}"
    if facts.mended_at is not None:
        return f"{began}; it was over {clock(facts.mended_at)}, {after(facts.began_at, facts.mended_at)} it began."
    return f"{began}, {lasting(now - facts.began_at)} ago."


def extent(facts: IncidentFacts) -> str:
    """How many agents, runs, records and effects, and how much money."""
    if not facts.runs and not facts.records and not facts.effects:
        return "No affected run or record is known yet."
    named = ", ".join(facts.agents[:_NAMED])
    more = f" and {len(facts.agents) - _NAMED} more" if len(facts.agents) > _NAMED else ""
    agents = f"{counted(len(facts.agents), 'agent')} ({named}{more}), " if facts.agents else ""
    least = "at least " if facts.more else ""
    moved = f", {least}{sums(facts.moved)} moved" if facts.moved else ""
    return (
        f"Affected: {agents}{counted(facts.runs, 'run')}, {counted(facts.records, 'named record')}; "
        f"{least}{counted(facts.effects, 'effect')} done{moved}."
    )


def stopped(facts: IncidentFacts, now: datetime) -> str:
    """Whether it was stopped, when, and what holds now."""
    if facts.stopped_at is not None:
        text = f"Stopped {clock(facts.stopped_at)}, {after(facts.began_at, facts.stopped_at)} it began."
    else:
        text = f"Not stopped, {lasting(now - facts.began_at)} after it began."
    return f"{text} Paused now: {', '.join(facts.holding)}." if facts.holding else text


def undone(facts: IncidentFacts) -> str:
    """What was taken back."""
    if not facts.effects:
        return "There is nothing to undo that is known."
    if not facts.undone:
        return f"Nothing is undone yet; {counted(facts.effects, 'effect')} {_stand(facts.effects)}."
    back = f", {sums(facts.returned)} taken back" if facts.returned else ""
    return f"Undone: {facts.undone:,} of {counted(facts.effects, 'effect')}{back}."


def left(facts: IncidentFacts) -> str:
    """What stands, and what nobody knows."""
    text = f"{counted(facts.left, 'effect')} {_stand(facts.left)}." if facts.left else ""
    if facts.unknown:
        text += f" It is not known of {counted(facts.unknown, 'effect')} whether anything happened."
    return text.strip() or "No effect stands."


def _stand(number: int) -> str:
    return "stands" if number == 1 else "stand"


def sums(money: dict[str, float]) -> str:
    """Money by currency, ``USD 1,250.00 and EUR 3.00``."""
    written = [money_text(amount, code) or f"{amount:g}" for code, amount in sorted(money.items())]
    return " and ".join(written)


def clock(moment: datetime) -> str:
    """A moment as everybody reads it, ``14:02:10 UTC on 21 Nov 2026``."""
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC on {moment.astimezone(UTC):%-d %b %Y}"


def after(earlier: datetime, later: datetime) -> str:
    """How long after, ``2 min after``; less than a second with its milliseconds."""
    apart = later - earlier
    if timedelta(0) < apart < timedelta(seconds=1):
        return f"{apart.total_seconds() * 1_000:.0f} ms after"
    return "the moment" if apart <= timedelta(0) else f"{lasting(apart)} after"
