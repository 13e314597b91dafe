"""Notes in the thread under a request: what happened to it, one note a thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.people import Actor
from assent.domain.talk import Comment, CommentKind
from assent.domain.words import counted
from assent.store.queries.revisions import RevisionView
from assent_slack.blocks.excerpts import one_line, told
from assent_slack.blocks.notices import fallback
from assent_slack.blocks.outcome import outcome, outcome_words
from assent_slack.blocks.pieces import Element, Message, link, moment, paragraph, quote, rich, section, words
from assent_slack.standing import Standing, Vote

ROOM = 2_400
NAME_ROOM = 200

REMINDER = "approval.reminder"
ESCALATED = "approval.escalated"
"""Kinds of the outbox that are notes by themselves: nothing but them says that it happened."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note.

    Attributes:
        key: What tells it from the other notes on the request.
        at: When it happened.
        message: What it says.
        personal: It belongs under direct messages as well.
        aloud: It is to be noticed: the people of a channel are told of it as of a message of its own.
    """

    key: str
    at: datetime
    message: Message
    personal: bool = False
    aloud: bool = False


def notes(standing: Standing, url: str, told_of: Sequence[tuple[str, int, datetime]] = ()) -> list[Note]:
    """Every note on a request, oldest first.

    Args:
        standing: The request.
        url: Its page.
        told_of: Notifications that are to be noted: kind, id and time.
    """
    found = [
        *_votes(standing, url),
        *(_comment(entry, url) for entry in standing.comments),
        *(_revision(revision, url) for revision in standing.revisions if revision.revision > 1),
        *_told(standing, url, told_of),
    ]
    if standing.view.decided_at is not None and standing.view.status is not ApprovalStatus.PENDING:
        text = fallback(outcome_words(standing.view))
        found.append(Note("closed", standing.view.decided_at, Message(text, [outcome(standing.view, url)])))
    return sorted(found, key=lambda note: (note.at, note.key))


def _votes(standing: Standing, url: str) -> Iterator[Note]:
    for vote in standing.votes:
        if not vote.counted or vote.id == _closing(standing):
            continue
        yield _note(f"vote-{vote.id}", vote.at, vote.by, _did(vote), vote.reason, url)
        if vote.lapsed and vote.why_lapsed and vote.verb == Verb.APPROVE:
            yield _note(f"lapsed-{vote.id}", vote.at, vote.by, "'s approval no longer counts", vote.why_lapsed, url)


def _closing(standing: Standing) -> str:
    """Id of the vote that closed the request: the note of that says the same."""
    if standing.pending or standing.view.decided_by is None:
        return ""
    last = [vote for vote in standing.votes if vote.counted and vote.by.id == standing.view.decided_by.id]
    return last[-1].id if last else ""


def _did(vote: Vote) -> str:
    return {Verb.APPROVE.value: " approved", Verb.REJECT.value: " said no"}.get(vote.verb, " took their approval back")


def _comment(entry: Comment, url: str) -> Note:
    did = {CommentKind.COMMENT: " wrote", CommentKind.QUESTION: " asks the agent", CommentKind.ANSWER: " answers"}
    by_agent = " (the agent; nobody has checked its words)" if entry.by_agent else ""
    return _note(f"comment-{entry.id}", entry.at, entry.by, f"{by_agent}{did[entry.kind]}", entry.text, url, True)


def _revision(revision: RevisionView, url: str) -> Note:
    changes = revision.card.revised.changes if revision.card.revised else []
    did = f" changed {counted(len(changes), 'argument')}: revision {revision.revision}. Approvals given before lapsed"
    by = revision.edited_by or Actor(id="", name="Somebody", via="system")  # type: ignore[arg-type]
    return _note(f"revision-{revision.revision}", revision.at, by, did, revision.reason, url, True)


def _told(standing: Standing, url: str, told_of: Sequence[tuple[str, int, datetime]]) -> Iterator[Note]:
    for kind, id, at in told_of:
        if kind == REMINDER and standing.pending:
            says: list[Element] = [words("⏰ Still undecided; decide before ", bold=True)]
            says += [moment(standing.view.expires_at), words(". "), link(url, "Open in Assent")]
            headline, _ = one_line(standing.view.headline, 120)
            message = Message(fallback(f"Still undecided: {headline}"), [paragraph(*says)])
            yield Note(f"reminder-{id}", at, message, personal=True, aloud=True)
        elif kind == ESCALATED and standing.pending:
            names = ", ".join(person.name for person in standing.asked[:10]) or "nobody who can be reached"
            says = [words("↗ Escalated. Asked now: ", bold=True), *told(names, 1_000, url)]
            message = Message(fallback(f"Escalated. Asked now: {names}"), [paragraph(*says)])
            yield Note(f"escalated-{id}", at, message)


def _note(key: str, at: datetime, by: Actor, did: str, text: str, url: str, personal: bool = False) -> Note:
    name, _ = one_line(by.name, 80)
    objects = [section([*told(by.name, NAME_ROOM, url, bold=True), words(did + (":" if text else "."))])]
    if text:
        objects.append(quote(told(text, ROOM, url)))
    return Note(key, at, Message(fallback(f"{name}{did}"), [rich(objects)]), personal=personal)
