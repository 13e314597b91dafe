"""The talk about requests: comments, questions to agents and their answers, each with its ledger event."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import Conflict, Forbidden, NotFound, TooLarge
from assent.domain.people import Actor
from assent.domain.talk import MAX_AGENT_ENTRIES, MAX_ENTRIES, Comment, CommentKind, Question
from assent.store import approvals, ledger
from assent.store.statements import rows_changed
from assent.store.tables import ApprovalRow, CommentRow, PersonRow, RunRow

MAX_OPEN = 50
"""Open questions that an agent is given at once."""


def add(session: Session, entry: Comment, *, channels: Sequence[str] = ()) -> Comment:
    """Keep an entry; the same id of the same author again gives what was kept.

    Args:
        session: The transaction.
        entry: Its run is looked up; give it as the request has it or empty.
        channels: Ways that copies of the request went, so that they are made true.

    Raises:
        NotFound: There is no such request, or the question that is answered is not about it.
        Conflict: The question was answered already, or nobody is there to answer one.
        Forbidden: The author may not write here.
        TooLarge: There are too many entries already.
    """
    request = session.get(ApprovalRow, entry.approval_id, with_for_update=True)
    if request is None:
        raise NotFound(f"There is no approval request {entry.approval_id!r}.", where="approval_id")
    entry = entry.model_copy(update={"run_id": request.run_id})
    known = session.get(CommentRow, entry.id)
    if known is not None:
        return _same(known, entry)
    _require_author(session, request, entry)
    _require_room(session, entry)
    if entry.kind is CommentKind.QUESTION:
        _require_agent_there(session, request.run_id)
    if entry.kind is CommentKind.ANSWER:
        _settle_question(session, entry)
    session.execute(insert(CommentRow).values(**_values(entry)))
    ledger.append(
        session,
        at=entry.at,
        kind=f"approval.{entry.kind.value}",
        actor=entry.by,
        run_id=request.run_id,
        action_id=request.action_id,
        agent=request.agent,
        body={"approval": request.id, "comment": entry.id, "text": entry.text, "reply_to": entry.reply_to},
    )
    approvals.notify(session, channels, approvals.CHANGED, request.id, entry.at)
    return entry


def of_request(session: Session, approval_id: str) -> tuple[Comment, ...]:
    """Everything that was written about a request, oldest first."""
    rows = session.execute(
        select(CommentRow)
        .where(col(CommentRow.approval_id) == approval_id)
        .order_by(col(CommentRow.at), col(CommentRow.id))
        .limit(MAX_ENTRIES)
    ).scalars()
    return tuple(_comment(row) for row in rows)


def open_questions(session: Session, run_id: str, *, after: str | None = None) -> tuple[Question, ...]:
    """Questions of a run that nobody has answered, oldest first, at most :data:`MAX_OPEN`.

    Args:
        session: To read with.
        run_id: The run.
        after: Id of a question; only those asked later are given.

    Raises:
        NotFound: There is no such question in the run.
    """
    wanted = (
        select(CommentRow, ApprovalRow)
        .join(ApprovalRow, col(ApprovalRow.id) == col(CommentRow.approval_id))
        .where(
            col(CommentRow.run_id) == run_id,
            col(CommentRow.kind) == CommentKind.QUESTION.value,
            col(CommentRow.answered_at).is_(None),
        )
        .order_by(col(CommentRow.at), col(CommentRow.id))
        .limit(MAX_OPEN)
    )
    if after is not None:
        last = session.get(CommentRow, after)
        if last is None or last.run_id != run_id:
            raise NotFound(f"The run has no question {after!r}.", where="after", todo="Leave it out to get all.")
        later = (col(CommentRow.at) > last.at) | ((col(CommentRow.at) == last.at) & (col(CommentRow.id) > last.id))
        wanted = wanted.where(later)
    return tuple(_question(row, request) for row, request in session.execute(wanted).all())


def _require_author(session: Session, request: ApprovalRow, entry: Comment) -> None:
    if entry.by_agent:
        if entry.by.id != request.agent:
            raise NotFound(f"There is no approval request {request.id!r}.", where="approval_id")
        if entry.kind is CommentKind.QUESTION:
            raise Forbidden("Agents answer questions, they ask none.", where="kind", todo="Write a comment.")
        return
    person = session.get(PersonRow, entry.by.id)
    if person is None or person.disabled or not person.roles:
        raise Forbidden(
            f"{entry.by.name} may not write about requests.",
            where="comment",
            todo="Ask an administrator for a role.",
        )
    if entry.kind is CommentKind.ANSWER:
        raise Forbidden("Only the agent answers its questions.", where="kind", todo="Write a comment.")


def _require_room(session: Session, entry: Comment) -> None:
    about = col(CommentRow.approval_id) == entry.approval_id
    everything = session.execute(select(func.count()).select_from(CommentRow).where(about)).scalar_one()
    by_agent = select(func.count()).select_from(CommentRow).where(about, col(CommentRow.by_agent))
    if everything >= MAX_ENTRIES:
        raise TooLarge(f"A request takes {MAX_ENTRIES} entries, and this one has them.", where="comment")
    if entry.by_agent and session.execute(by_agent).scalar_one() >= MAX_AGENT_ENTRIES:
        raise TooLarge(f"An agent may write {MAX_AGENT_ENTRIES} entries about a request.", where="comment")


def _require_agent_there(session: Session, run_id: str) -> None:
    run = session.get(RunRow, run_id)
    if run is None or run.ended_at is not None:
        raise Conflict("The run has ended, so nobody would answer.", where="comment", todo="Write a comment instead.")


def _settle_question(session: Session, entry: Comment) -> None:
    question = session.get(CommentRow, entry.reply_to or "")
    if question is None or question.kind != CommentKind.QUESTION.value or question.approval_id != entry.approval_id:
        raise NotFound(
            f"The request has no question {entry.reply_to!r}.",
            where="reply_to",
            todo="Name the id of an open question.",
        )
    settled = session.execute(
        update(CommentRow)
        .where(col(CommentRow.id) == question.id, col(CommentRow.answered_at).is_(None))
        .values(answered_at=entry.at)
    )
    if rows_changed(settled) == 0:
        raise Conflict("The question was answered already.", where="reply_to", todo="Nothing was changed.")


def _same(known: CommentRow, entry: Comment) -> Comment:
    kept = _comment(known)
    same = (kept.approval_id, kept.by.id, kept.by_agent, kept.kind, kept.text)
    if same != (entry.approval_id, entry.by.id, entry.by_agent, entry.kind, entry.text):
        raise Conflict("This id belongs to another entry.", where="id", todo="Choose another one, or leave it out.")
    return kept


def _values(entry: Comment) -> dict[str, object]:
    return {
        "id": entry.id,
        "approval_id": entry.approval_id,
        "run_id": entry.run_id,
        "kind": entry.kind.value,
        "by_agent": entry.by_agent,
        "author": entry.by.model_dump(mode="json"),
        "reply_to": entry.reply_to,
        "text": entry.text,
        "at": entry.at,
        "answered_at": None,
    }


def _comment(row: CommentRow) -> Comment:
    return Comment(
        id=row.id,
        approval_id=row.approval_id,
        run_id=row.run_id,
        kind=CommentKind(row.kind),
        by=Actor.model_validate(row.author),
        by_agent=row.by_agent,
        text=row.text,
        at=row.at,
        reply_to=row.reply_to,
        answered_at=row.answered_at,
    )


def _question(row: CommentRow, request: ApprovalRow) -> Question:
    return Question(
        id=row.id,
        approval_id=request.id,
        action_id=request.action_id,
        key=request.action_id.removeprefix(f"{request.run_id}:"),
        headline=request.headline,
        text=row.text,
        by=Actor.model_validate(row.author),
        at=row.at,
    )
