"""A run told action by action: what its ledger events and action rows say together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from assent.domain.effects import ResourceChange
from assent.domain.words import lasting
from assent.store.queries.events import EventView
from assent.store.queries.runs import ActionView
from assent_ui.rendering.records import RecordRows, records

_DECIDED = {"approval.decided", "approval.late"}
_ENDED = {"effect.done", "effect.failed", "effect.unknown"}


@dataclass(slots=True)
class Story:
    """One action and what became of it.

    Attributes:
        action: The action as it is now.
        holds: Times a pause began to hold it.
        asked: When a person was asked.
        decisions: Decisions that reached it, also those that came too late.
        effect: How its effect ended.
        took: How long the effect took, in words.
        records: Records its effect touched.
        undos: What became of taking it back.
        undo_records: Records that taking it back touched.
    """

    action: ActionView
    holds: list[EventView] = field(default_factory=list)
    asked: EventView | None = None
    decisions: list[EventView] = field(default_factory=list)
    effect: EventView | None = None
    took: str = ""
    records: list[RecordRows] = field(default_factory=list)
    undos: list[EventView] = field(default_factory=list)
    undo_records: list[RecordRows] = field(default_factory=list)

    @property
    def decided(self) -> EventView | None:
        """The decision that counted."""
        return next((event for event in self.decisions if event.kind == "approval.decided"), None)

    @property
    def changed_fields(self) -> int:
        """How many fields its effect changed."""
        return sum(len(item.different) for item in self.records)


def tell(actions: Sequence[ActionView], events: Sequence[EventView]) -> list[Story]:
    """The stories of some actions, in their order.

    Args:
        actions: The actions.
        events: Events of their run, or of the actions only; others are passed over.
    """
    by_action: dict[str, list[EventView]] = defaultdict(list)
    for event in events:
        by_action[event.action_id].append(event)
    return [_story(action, by_action[action.action_id]) for action in actions]


def _story(action: ActionView, events: list[EventView]) -> Story:
    story = Story(action)
    claimed = None
    for event in events:
        if event.kind == "action.held":
            story.holds.append(event)
        elif event.kind == "approval.requested":
            story.asked = event
        elif event.kind in _DECIDED:
            story.decisions.append(event)
        elif event.kind == "effect.claimed":
            claimed = event
        elif event.kind in _ENDED:
            story.effect = event
            story.records = _records(event)
            story.took = lasting(event.at - claimed.at) if claimed and (event.at - claimed.at).seconds else ""
        elif event.kind.startswith("undo."):
            story.undos.append(event)
    if any(event.kind != "undo.claimed" for event in story.undos):
        story.undos = [event for event in story.undos if event.kind != "undo.claimed"]
    story.undo_records = [item for event in story.undos for item in _records(event)]
    return story


def _records(event: EventView) -> list[RecordRows]:
    return records([ResourceChange.model_validate(change) for change in event.body.get("changes", [])])
