"""The talk about requests: comments, questions to agents, answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.orm import Session

from assent.domain.checks import Check
from assent.domain.errors import InvalidInput, NotFound
from assent.domain.talk import Comment, CommentKind, Question
from assent.store import comments
from assent.store.keys import KeyScope
from assent.store.queries import approvals
from assent_ui.api import checks
from assent_ui.api import talk_schemas as schemas
from assent_ui.api.answers import problems
from assent_ui.api.callers import Caller, require_scope
from assent_ui.api.runs import MAX_WAIT, RunId, own_run
from assent_ui.clicks import own_decision_id
from assent_ui.deps import Deps, DepsHere

router = APIRouter(tags=["approvals"])

Reader = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_READ))]
Writer = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_WRITE))]
ApprovalId = Annotated[str, Path(max_length=80)]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for a question.")]
After = Annotated[str | None, Query(max_length=80, description="Id of a question; only later ones are given.")]


@router.get("/approvals/{approval_id}/comments", responses=problems(404))
async def list_comments(approval_id: ApprovalId, caller: Reader, deps: DepsHere) -> schemas.Comments:
    """Everything that was written about a request, oldest first; an agent's key shows its own requests."""
    await _own_request(approval_id, caller, deps)
    found = await deps.read(lambda session: comments.of_request(session, approval_id))
    return schemas.Comments(items=[schemas.CommentOut.model_validate(each) for each in found])


@router.post("/approvals/{approval_id}/comments", status_code=201, responses=problems(404, 409))
async def write_comment(
    approval_id: ApprovalId, body: schemas.CommentIn, caller: Writer, deps: DepsHere
) -> schemas.CommentOut:
    """Comment on a request, ask its agent (`question`), or answer as the agent (`answer` with `reply_to`)."""
    check = await _own_request(approval_id, caller, deps)
    by, by_agent = caller.actor, caller.holder is not None
    own_id = own_decision_id(body.id, f"agent:{by.id}" if by_agent else by.id)
    written: Comment
    if check is not None and body.kind is not CommentKind.ANSWER:
        return await checks.ask(deps, approval_id, body.kind, body.text, by, id=body.id)
    if body.kind is CommentKind.ANSWER:
        if not by_agent:
            raise InvalidInput("Only the agent answers.", where="kind", todo="Write a comment instead.")
        if not body.reply_to:
            raise InvalidInput("Which question is answered?", where="reply_to", todo="Send the question's id.")
        written = await deps.gateway.answer(approval_id, body.reply_to, body.text, by=by, comment_id=own_id)
    elif body.kind is CommentKind.QUESTION:
        if by_agent:
            raise InvalidInput("Agents answer questions, they ask none.", where="kind", todo="Write a comment.")
        written = await deps.gateway.ask(approval_id, body.text, by=by, comment_id=own_id)
    else:
        written = await deps.gateway.comment(approval_id, body.text, by=by, by_agent=by_agent, comment_id=own_id)
    return schemas.CommentOut.model_validate(written)


@router.get("/runs/{run_id}/questions", responses=problems(404))
async def list_questions(
    run_id: RunId, caller: Reader, deps: DepsHere, after: After = None, wait: Wait = 0
) -> schemas.Questions:
    """Questions to the run's agent that nobody has answered; with `wait`, answers as soon as there is one."""
    await own_run(run_id, caller, deps)
    found = await deps.gateway.questions(run_id, after=after, wait_seconds=wait)
    return schemas.Questions(items=[_question(each) for each in found])


async def _own_request(approval_id: str, caller: Caller, deps: Deps) -> Check | None:
    """Refuse a request of another agent, as if it were not there; gives the check if it is one of the caller's."""

    def agent_of(session: Session) -> str:
        return approvals.one(session, approval_id).agent

    try:
        agent = await deps.read(agent_of)
    except NotFound:
        if (check := await checks.own(deps, approval_id, caller)) is None:
            raise
        return check
    caller.require_agent(agent, f"approval request {approval_id!r}", "approval_id")
    return None


def _question(question: Question) -> schemas.QuestionOut:
    answer = f"/api/v1/approvals/{question.approval_id}/comments"
    return schemas.QuestionOut.model_validate({**question.model_dump(), "by": question.by, "answer": answer})
