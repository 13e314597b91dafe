"""The talk about a request: comments, questions to the agent, and its answers. All of it is plain text."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from assent.domain.errors import InvalidInput, TooLarge
from assent.domain.people import Actor

MAX_TEXT = 10_000
"""Characters of one entry."""

MAX_ENTRIES = 500
"""Entries of one request."""

MAX_AGENT_ENTRIES = 100
"""Entries of an agent among them, so that it cannot drown the people."""


class CommentKind(StrEnum):
    """What an entry is."""

    COMMENT = "comment"
    QUESTION = "question"
    """Asks the agent."""
    ANSWER = "answer"
    """The agent's answer to a question."""


class Comment(BaseModel):
    """One entry in the talk about a request.

    Attributes:
        id: Its id.
        approval_id: The request.
        run_id: The run that asks.
        kind: Comment, question or answer.
        by: Who wrote it.
        by_agent: The agent wrote it, so the text is hostile until proven otherwise.
        text: What was written, raw: whoever shows it escapes it and marks hidden characters.
        at: When.
        reply_to: The question that an answer belongs to.
        answered_at: When a question was answered; ``None`` while it is open.
    """

    id: str
    approval_id: str
    run_id: str
    kind: CommentKind
    by: Actor
    by_agent: bool
    text: str
    at: datetime
    reply_to: str | None = None
    answered_at: datetime | None = None


class Question(BaseModel):
    """An open question to an agent.

    Attributes:
        id: Its id; an answer names it.
        approval_id: The request it is about.
        action_id: The action behind the request.
        key: The action's key in the run.
        headline: What the action would do, in words.
        text: The question.
        by: Who asks.
        at: When.
    """

    id: str
    approval_id: str
    action_id: str
    key: str
    headline: str
    text: str
    by: Actor
    at: datetime


def entry_text(text: str) -> str:
    """The text of an entry as it is kept: with plain line ends, without blanks around it.

    Raises:
        InvalidInput: It is empty, or holds what is no text.
        TooLarge: It is longer than :data:`MAX_TEXT`.
    """
    clean = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not clean:
        raise InvalidInput("There is no text.", where="text", todo="Write something.")
    if len(clean) > MAX_TEXT:
        raise TooLarge(
            f"The text has {len(clean):,} characters; the limit is {MAX_TEXT:,}.",
            where="text",
            todo="Shorten it, or say where the whole is.",
        )
    if "\0" in clean or any("\ud800" <= character <= "\udfff" for character in clean):
        raise InvalidInput("The text holds what is no character.", where="text", todo="Send valid Unicode text.")
    return clean
