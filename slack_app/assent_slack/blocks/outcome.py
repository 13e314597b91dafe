"""How a request was closed, in words that do not need their colour."""

from __future__ import annotations

from assent.domain.approvals import ApprovalStatus
from assent.store.queries.approvals import ApprovalView
from assent_slack.blocks.excerpts import one_line, told
from assent_slack.blocks.pieces import Block, Element, moment, quote, rich, section, words

_SHAPES = {
    ApprovalStatus.APPROVED: ("✔", "Approved"),
    ApprovalStatus.REJECTED: ("✖", "Rejected"),
    ApprovalStatus.EXPIRED: ("⧗", "Expired"),
    ApprovalStatus.WITHDRAWN: ("↩", "Withdrawn"),
}

NAME_ROOM = 200
REASON_ROOM = 600


def outcome(view: ApprovalView, url: str) -> Block:
    """Who closed a request, when, and why."""
    shape, word = _SHAPES[view.status]
    elements: list[Element] = [words(f"{shape} {word}", bold=True)]
    if view.decided_by is not None:
        elements += [words(" by "), *told(view.decided_by.name, NAME_ROOM, url, bold=True)]
        elements.append(words(f" ({view.decided_by.via.value})"))
    elif view.status is ApprovalStatus.EXPIRED:
        elements.append(words(": nobody decided in time"))
    if view.decided_at is not None:
        elements += [words(" · "), moment(view.decided_at)]
    objects = [section(elements)]
    if view.decision_reason:
        objects.append(quote(told(view.decision_reason, REASON_ROOM, url)))
    return rich(objects)


def outcome_words(view: ApprovalView) -> str:
    """The outcome in a few words, for notifications."""
    _, word = _SHAPES[view.status]
    if view.decided_by is None:
        return word
    name, _ = one_line(view.decided_by.name, 80)
    return f"{word} by {name}"
