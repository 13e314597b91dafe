"""The one renderer of a request's content: a card becomes sections in order, which every place only lays out.

Titles, labels and what a section says are decided here, so that web, Slack, mail and the command line show the same
facts. All texts are raw: a layout escapes them and marks hidden characters (:mod:`assent.domain.hostile_text`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from assent.domain.approvals import RequestCard
from assent.domain.card_facts import EarlierDecision, Reached
from assent.domain.card_records import FIELDS, Money, Record, field_rows, records
from assent.domain.differences import FieldChange
from assent.domain.hostile_text import written_out
from assent.domain.money import money_text
from assent.domain.passages import Passage, Room
from assent.domain.revisions import ArgumentChange
from assent.domain.words import counted, lasting

NOTHING = Passage("")


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled fact.

    Attributes:
        label: What it is; Assent's own word.
        text: The fact; empty if its name says it all.
        name: A stable name that goes with it: of a record, an action type, a run.
    """

    label: str
    text: Passage
    name: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence; ``quiet`` if it says that there is nothing to say."""

    text: Passage
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """An entry of a list.

    Attributes:
        text: What it says.
        note: More about it.
        at: When it was.
        request: Id of a request that it is about.
    """

    text: Passage
    note: Passage = NOTHING
    at: datetime | None = None
    request: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """A list; ``more`` says what is not on it."""

    points: tuple[Point, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that are not Assent's; ``label`` says whose they are."""

    label: str
    text: Passage


@dataclass(frozen=True, slots=True)
class Raw:
    """Text to be shown character for character; ``size`` is of the whole."""

    label: str
    text: Passage
    size: int


Item = Fact | Sentence | Points | Quote | Record | Raw


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the content.

    Attributes:
        key: Its stable name.
        title: Its title.
        items: What it says, in order.
    """

    key: str
    title: str
    items: tuple[Item, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Content:
    """What a request shows."""

    headline: Passage
    sections: tuple[Section, ...]

    def section(self, key: str) -> Section | None:
        """A section by its name, if there is one."""
        return next((section for section in self.sections if section.key == key), None)


NOT_CHECKED = "In the agent’s own words. Nobody has checked them."
"""Label of what the agent says."""


def content(card: RequestCard, *, whole: bool = False, unchanged: bool = False) -> Content:
    """Lay out a card.

    Args:
        card: The card.
        whole: Leave nothing out, however long it is.
        unchanged: Also lay out fields of records that do not change, for a place that can fold them away.
    """
    room = Room(None) if whole else Room()
    headline = room.headline(card.headline)
    made = [
        Section("facts", "In short", _facts(card, room)),
        Section("changes", "What changes", _changes(card, room, unchanged)),
        Section("edited", "What was edited", _edited(card, room)),
        Section("instead", "What it is proposed instead of", _instead(card, room)),
        Section("why", "Why it stopped", _why(card, room)),
        Section("undo", "How it is undone", _undo(card, room)),
        Section("who", "Who decides", _who(card, room)),
        Section("agent", "What the agent says", _agent(card, room)),
        Section("asked", "What it was asked", _asked(card, room)),
        Section("looked", "What it looked at", _looked(card, room)),
        Section("earlier", "Earlier decisions on the same record", _earlier(card.earlier, room)),
        Section("call", "The whole call", _call(card, room)),
    ]
    return Content(headline, tuple(section for section in made if section.items))


def _facts(card: RequestCard, room: Room) -> tuple[Item, ...]:
    facts = []
    if card.amount is not None:
        facts.append(Fact("Moves", room.passage(money_text(card.amount, card.currency) or str(card.amount))))
    if card.reaches:
        facts.append(Fact("Reaches", room.passage(", ".join(_counted(each) for each in card.reaches))))
    if card.target:
        facts.append(Fact("About", room.passage(card.target.words), room.name(card.target.resource)))
    action, agent = card.action_title or card.action_type, card.agent_title or card.agent
    facts += [
        Fact("Action", room.passage(action), room.name(card.action_type)),
        Fact("Agent", room.passage(agent), room.name(card.agent) if card.agent_title else ""),
    ]
    if card.card_version:
        facts.append(Fact("Card", Passage(f"version {card.card_version}")))
    return (*facts, Fact("Run", NOTHING, card.run_id))


def _counted(reached: Reached) -> str:
    number = int(reached.count) if float(reached.count).is_integer() else reached.count
    return f"{number:,} {reached.one if number == 1 else reached.unit}"


def _money(card: RequestCard) -> Money:
    return Money(card.money, card.currency)


def _changes(card: RequestCard, room: Room, unchanged: bool) -> tuple[Item, ...]:
    items: list[Item] = [Sentence(room.passage(card.preview_note), quiet=True)] if card.preview_note else []
    items += records(card.changes, _money(card), room, unchanged=unchanged)
    if not items:
        items.append(Sentence(Passage("Which records it touches cannot be known before the call."), quiet=True))
    return tuple(items)


def _edited(card: RequestCard, room: Room) -> tuple[Item, ...]:
    if card.revised is None:
        return ()
    by = room.name(card.revised.by.name)
    items: list[Item] = [Sentence(Passage(f"{by} edited the arguments; this is revision {card.revision}."))]
    if card.revised.reason:
        items.append(Quote(f"{by}’s reason", room.passage(card.revised.reason)))
    return (*items, *_differences(card.revised.changes, card, room))


def _instead(card: RequestCard, room: Room) -> tuple[Item, ...]:
    former = card.instead_of
    if former is None:
        return ()
    point = Point(
        room.passage(f"{former.sentence}: {former.status}"),
        room.passage(former.message),
        None,
        former.approval_id or "",
    )
    return (Points((point,)), *_differences(former.changes, card, room))


def _differences(changes: Sequence[ArgumentChange], card: RequestCard, room: Room) -> tuple[Item, ...]:
    if not changes:
        return ()
    fields = [FieldChange(tuple(change.path), change.change, change.before, change.after) for change in changes]
    rows = field_rows(fields, _money(card), room, None if room.left is None else FIELDS)
    return (Record("", "arguments", rows, left_out=len(fields) - len(rows)),)


def _why(card: RequestCard, room: Room) -> tuple[Item, ...]:
    points = tuple(Point(room.passage(reason.sentence or reason.rule)) for reason in card.stopped_because)
    return (Points(points),) if points else (Sentence(Passage("Its card says that a person decides.")),)


def _who(card: RequestCard, room: Room) -> tuple[Item, ...]:
    said = []
    if card.deciders is not None:
        of = card.deciders
        said = [of.needs, of.not_by, of.deny, of.assurance]
    return tuple(Sentence(room.passage(text)) for text in [*said, card.on_silence] if text)


def _undo(card: RequestCard, room: Room) -> tuple[Item, ...]:
    if card.undoing is None:
        return (Sentence(room.passage(card.undo or "It cannot be undone by Assent.")),)
    of = card.undoing
    items: list[Item] = [Sentence(room.passage(of.how)), Fact("Only if", room.passage(of.only_if))]
    until = f"{lasting(of.within)} after it was done" if of.within else "no time limit"
    return (*items, Fact("Until", Passage(until)))


def _agent(card: RequestCard, room: Room) -> tuple[Item, ...]:
    if not card.agent_words:
        return (Sentence(Passage("It gave no reason."), quiet=True),)
    return (Quote(NOT_CHECKED, room.passage(card.agent_words)),)


def _asked(card: RequestCard, room: Room) -> tuple[Item, ...]:
    items: list[Item] = [Quote("Its task", room.passage(card.goal))] if card.goal else []
    if card.received is not None:
        items.append(Quote("What it was given", room.passage(card.received.text, card.received.left_out)))
    return tuple(items)


def _looked(card: RequestCard, room: Room) -> tuple[Item, ...]:
    looked = card.looked_at
    if looked is None:
        return ()
    if not looked.readings:
        return (Sentence(Passage("It looked at nothing through Assent before it proposed this."), quiet=True),)
    points = tuple(
        Point(room.passage(reading.sentence), room.passage(reading.resource), reading.at) for reading in looked.readings
    )
    before = looked.total - len(points)
    least = "at least " if looked.at_least else ""
    return (Points(points, f"{least}{counted(before, 'more reading')} before these, in the run" if before else ""),)


def _earlier(decisions: Sequence[EarlierDecision], room: Room) -> tuple[Item, ...]:
    points = []
    for one in decisions:
        by = f" by {one.by}" if one.by else ""
        why = f": “{one.reason}”" if one.reason else ""
        said = room.passage(f"{one.verdict.capitalize()}{by}{why}")
        points.append(Point(said, room.passage(one.headline), one.at, one.approval_id))
    return (Points(tuple(points)),) if points else ()


def _call(card: RequestCard, room: Room) -> tuple[Item, ...]:
    written = written_out(card.arguments)
    return (Raw("Arguments of the call", room.passage(written), len(written)),)
