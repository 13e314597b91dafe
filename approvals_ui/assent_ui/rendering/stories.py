"""A run told action by action: what its ledger events and action rows say together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from assent.domain.effects import ResourceChange
from assent.domain.revisions import ArgumentChange
from assent.domain.words import lasting
from assent.store.queries.events import EventView
from assent.store.queries.runs import ActionView
from assent_ui.rendering.records import RecordRows, records

_DECIDED = {"approval.decided", "approval.voted", "approval.taken_back", "approval.late"}
_EDITED = {"approval.revised", "approval.edit_refused"}
_TALK = {"approval.comment", "approval.question", "approval.answer"}
_COVERS = {"grant.used", "plan.used", "grant.returned"}
_ENDED = {"effect.done", "effect.failed", "effect.unknown"}
_FOUND_OUT = {"effect.asked", "effect.settled", "effect.retried"}


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit of the request.

    Attributes:
        event: What the ledger says of it.
        revision: The revision it made; 0 if it was refused.
        changes: What it changed.
    """

    event: EventView
    revision: int = 0
    changes: Sequence[ArgumentChange] = ()


@dataclass(slots=True)
class Story:
    """One action and what became of it.

    Attributes:
        action: The action as it is now.
        holds: Times a pause began to hold it.
        asked: When a person was asked.
        cover: What people had approved ahead, and let it run.
        edits: Edits of the request, also those that were refused.
        talk: What was written about the request.
        decisions: Votes that reached it, also those that were taken back or did not count.
        effect: How its effect ended.
        took: How long the effect took, in words.
        records: Records its effect touched.
        found_out: What was asked and found out while nobody knew whether it happened.
        undos: What became of taking it back.
        undo_records: Records that taking it back touched.
    """

    action: ActionView
    holds: list[EventView] = field(default_factory=list)
    asked: EventView | None = None
    cover: EventView | None = None
    edits: list[Edited] = field(default_factory=list)
    talk: list[EventView] = field(default_factory=list)
    decisions: list[EventView] = field(default_factory=list)
    effect: EventView | None = None
    took: str = ""
    records: list[RecordRows] = field(default_factory=list)
    found_out: list[EventView] = field(default_factory=list)
    undos: list[EventView] = field(default_factory=list)
    undo_records: list[RecordRows] = field(default_factory=list)

    @property
    def decided(self) -> EventView | None:
        """The decision that counted."""
        return next((event for event in self.decisions if event.kind == "approval.decided"), None)

    def revision_of(self, digest: str) -> int:
        """Which revision of the request a digest belongs to, 1 for the agent's own; 0 if to none."""
        if self.asked is not None and self.asked.body.get("digest") == digest:
            return 1
        return next((edit.revision for edit in self.edits if edit.event.body.get("digest") == digest), 0)

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
        elif event.kind in _EDITED:
            story.edits.append(_edited(event))
        elif event.kind in _TALK:
            story.talk.append(event)
        elif event.kind in _COVERS:
            story.cover = event if event.kind != "grant.returned" else None
        elif event.kind in _DECIDED:
            story.decisions.append(event)
        elif event.kind == "effect.claimed":
            claimed = event
        elif event.kind in _ENDED:
            story.effect = event
            story.records = _records(event)
            story.took = lasting(event.at - claimed.at) if claimed and (event.at - claimed.at).seconds else ""
        elif event.kind in _FOUND_OUT:
            story.found_out.append(event)
            story.records = _records(event) or story.records
        elif event.kind.startswith("undo."):
            story.undos.append(event)
    if any(event.kind != "undo.claimed" for event in story.undos):
        story.undos = [event for event in story.undos if event.kind != "undo.claimed"]
    story.undo_records = [item for event in story.undos for item in _records(event)]
    return story


def _edited(event: EventView) -> Edited:
    revised = event.body.get("shown", {}).get("revised")
    if revised is None:
        return Edited(event)
    changes = [ArgumentChange.model_validate(change) for change in revised["changes"]]
    return Edited(event, event.body["shown"]["revision"], changes)


def _records(event: EventView) -> list[RecordRows]:
    return records([ResourceChange.model_validate(change) for change in event.body.get("changes", [])])
