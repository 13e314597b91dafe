"""The talk about requests: people comment and ask, agents answer."""

from __future__ import annotations

import uuid

from assent.domain.people import Actor
from assent.domain.talk import Comment, CommentKind, Question, entry_text
from assent.gateway.door import Door
from assent.store import comments

_LOOK_EVERY = 0.2
"""Seconds between looks for a question that is waited for."""


class TalkDoor(Door):
    """What people and agents come through to talk about requests. It needs the database alone."""

    async def comment(
        self, approval_id: str, text: str, *, by: Actor, by_agent: bool = False, comment_id: str | None = None
    ) -> Comment:
        """Write a comment, for everybody who may see the request.

        Args:
            approval_id: The request.
            text: Plain text, at most :data:`~assent.domain.talk.MAX_TEXT` characters.
            by: Who writes.
            by_agent: It is the agent that asks.
            comment_id: Id of this comment, so that sending it twice writes it once.

        Raises:
            NotFound: There is no such request.
            InvalidInput: There is no text.
            TooLarge: It is too long, or there are too many entries.
            Forbidden: They may not write here.
            Conflict: The id belongs to another entry.
            Unavailable: The database is away; nothing was written.
        """
        return await self._write(CommentKind.COMMENT, approval_id, text, by, by_agent, comment_id)

    async def ask(self, approval_id: str, text: str, *, by: Actor, comment_id: str | None = None) -> Comment:
        """Ask the agent a question; it is given to the agent when it looks, see :meth:`questions`.

        Raises:
            NotFound: There is no such request.
            InvalidInput: There is no text.
            TooLarge: It is too long, or there are too many entries.
            Forbidden: They may not write here.
            Conflict: The run has ended, or the id belongs to another entry.
            Unavailable: The database is away; nothing was written.
        """
        return await self._write(CommentKind.QUESTION, approval_id, text, by, False, comment_id)

    async def answer(
        self, approval_id: str, question_id: str, text: str, *, by: Actor, comment_id: str | None = None
    ) -> Comment:
        """Answer a question, as the agent that is asked.

        Raises:
            NotFound: There is no such request of this agent, or no such question about it.
            InvalidInput: There is no text.
            TooLarge: It is too long, or the agent has written too much.
            Conflict: It was answered already, or the id belongs to another entry.
            Unavailable: The database is away; nothing was written.
        """
        return await self._write(CommentKind.ANSWER, approval_id, text, by, True, comment_id, question_id)

    async def questions(self, run_id: str, *, after: str | None = None, wait_seconds: float = 0) -> list[Question]:
        """Questions to the agent of a run that nobody has answered, oldest first.

        Args:
            run_id: The run.
            after: Id of a question; only those asked later count.
            wait_seconds: Wait so long for one if there is none.

        Raises:
            NotFound: The run has no question ``after``.
            Unavailable: The database is away.
        """
        return await self._look_until(
            lambda: self._open_questions(run_id, after), bool, wait_seconds=wait_seconds, every=_LOOK_EVERY
        )

    def _open_questions(self, run_id: str, after: str | None) -> list[Question]:
        with self._database.read() as session:
            return list(comments.open_questions(session, run_id, after=after))

    async def _write(
        self,
        kind: CommentKind,
        approval_id: str,
        text: str,
        by: Actor,
        by_agent: bool,
        comment_id: str | None,
        reply_to: str | None = None,
    ) -> Comment:
        entry = Comment(
            id=comment_id or f"c-{uuid.uuid4().hex[:16]}",
            approval_id=approval_id,
            run_id="",
            kind=kind,
            by=by,
            by_agent=by_agent,
            text=entry_text(text),
            at=self._clock(),
            reply_to=reply_to,
        )

        def keep() -> Comment:
            with self._database.write() as session:
                return comments.add(session, entry, channels=self._channels)

        return await self._in_thread(keep)
