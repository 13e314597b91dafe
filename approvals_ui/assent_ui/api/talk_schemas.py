"""What goes in and out of the API about edits of requests and the talk about them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from assent.domain.approvals import RequestCard
from assent.domain.people import Actor
from assent.domain.talk import MAX_TEXT, CommentKind
from assent_ui.api.schemas import In, Json, Out, Told

Id = Field(
    default=None,
    pattern=r"^[A-Za-z0-9._-]{1,80}$",
    description="An id of your choice; sending the same one twice counts once.",
)


class RevisionIn(In):
    """Other arguments for a pending request. `digest` is the request's: it proves what was edited is what was shown."""

    arguments: dict[str, Json] = Field(
        description="Whole; six bullets, as they are shown, stand for a secret that stays as it is.",
        examples=[{"order_id": "W1", "amount": 25.0}],
    )
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    reason: str = Field(default="", max_length=4_000, description="Shown to everybody, and given to the agent.")
    id: str | None = Id


class EditOut(Out):
    """An edit. `revision` is the one it made; null while the run has not said yet, then `wait` says where to look."""

    id: str
    approval_id: str
    revision: int | None
    digest: str | None
    by: Actor
    reason: str
    at: datetime
    wait: str | None
    check: Told = None


class RevisionOut(Out):
    """A request as it was shown; `card.revised` says what differs from the revision before."""

    revision: int
    digest: str
    card: RequestCard
    edited_by: Actor | None
    reason: str
    at: datetime


class RefusedEditOut(Out):
    """An edit that reached the run and made no revision."""

    id: str
    by: Actor
    reason: str
    at: datetime
    why_not: str


class Revisions(Out):
    """Every revision of a request, the agent's own first, and every edit that was refused."""

    revisions: list[RevisionOut]
    refused: list[RefusedEditOut]


class CommentIn(In):
    """A comment; or a question to the agent; or an agent's answer, with the question's id as `reply_to`."""

    text: str = Field(description=f"Plain text, at most {MAX_TEXT:,} characters.")
    kind: CommentKind = CommentKind.COMMENT
    reply_to: str | None = Field(default=None, max_length=80)
    id: str | None = Id


class CommentOut(Out):
    """What somebody wrote about a request. Everything an agent wrote (`by_agent`) is to be shown as plain text."""

    id: str
    approval_id: str
    run_id: str
    kind: CommentKind
    by: Actor
    by_agent: bool
    text: str
    at: datetime
    reply_to: str | None
    answered_at: datetime | None
    check: Told = None


class Comments(Out):
    """Everything that was written about a request, oldest first."""

    items: list[CommentOut]


class QuestionOut(Out):
    """An open question to an agent; answer it with a comment of kind `answer` at `answer`."""

    id: str
    approval_id: str
    action_id: str
    key: str
    headline: str
    text: str
    by: Actor
    at: datetime
    answer: str


class Questions(Out):
    """Open questions of a run, oldest first; wait for later ones with `after`, the id of the last."""

    items: list[QuestionOut]
