"""What the page of a request shows besides its card: votes, talk, what the viewer may do, and why something failed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, Conflict, InvalidInput, NeedsProof, NotFound, Unavailable
from assent.domain.people import Assurance, Role
from assent.domain.revisions import ArgumentChange
from assent.domain.talk import Comment
from assent.store import comments, electorate
from assent.store.queries import approvals, inbox, ledger, runs
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.inbox import InboxRow, Wanted
from assent.store.queries.inbox_walk import Sort
from assent.store.queries.ledger import TouchView
from assent.store.queries.paging import PageRequest
from assent.store.queries.standing import MayDo, Standing, may_do, standing
from assent.store.votes import Fate
from assent_ui.pages.context import Place

HISTORY = 6
"""Earlier actions on the same records that a request shows."""

HISTORY_RECORDS = 3
"""Records whose history is looked up."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something did not go through.

    Attributes:
        title: What happened.
        text: What was not lost, and what to do.
        tone: Its tone of the stylesheet.
        shape: Its shape.
        link: Where to go on; empty for nowhere.
        word: What the link says.
        changes: What is different from what the viewer saw.
    """

    title: str
    text: str
    tone: str = "red"
    shape: str = "cross"
    link: str = ""
    word: str = ""
    changes: Sequence[ArgumentChange] = ()


@dataclass(frozen=True, slots=True)
class Controls:
    """What the viewer may do about a request.

    Attributes:
        may: What they may do now, and why not.
        proof: They could decide if they proved again who they are: the page for that; empty if that is not it.
        edit: They may edit its arguments.
        hand: They may hand it to somebody else, or ask somebody besides.
    """

    may: MayDo
    proof: str
    edit: bool
    hand: bool

    @property
    def approve(self) -> bool:
        """They may approve it now."""
        return not self.may.why_not_approve and self.may.vote is None

    @property
    def reject(self) -> bool:
        """They may reject it now, or object."""
        return not self.may.why_not_reject and self.may.vote is None

    @property
    def why_not(self) -> str:
        """Why they may neither approve nor reject; empty if they may do either."""
        return "" if self.approve or self.reject else self.may.why_not_approve


def request_context(here: Place, session: Session, approval: ApprovalView) -> dict[str, Any]:
    """What the templates of a request need besides the request."""
    now = here.clock()
    stands = standing(session, approval.id, now)
    return {
        "approval": approval,
        "action": _action(session, approval),
        "history": _history(session, approval),
        "history_records": len({change.resource for change in approval.card.changes}),
        "standing": stands,
        "controls": _controls(here, session, approval, stands),
        "thread": _thread(comments.of_request(session, approval.id)),
        "may_undo": here.viewer.may(Role.OPERATOR),
        "decision_id": uuid.uuid4().hex,
        "look": here.looks.note(here.viewer.id, approval.id, approval.digest, now),
        "sent": "",
        "fate": None,
        "edited": "",
        "previous": None,
        "next": None,
        "problem": None,
        "fault": "",
        "typed": {},
    }


def refused(
    here: Place,
    approval_id: str,
    error: AssentError,
    *,
    typed: dict[str, str],
    template: str = "request.html",
    extra: Callable[[Session], dict[str, Any]] | None = None,
) -> HTMLResponse:
    """A page of a request again, with why something did not go through and with what was typed."""
    with here.database.read() as session:
        approval = approvals.one(session, approval_id)
        context = request_context(here, session, approval) | {"typed": typed}
        if isinstance(error, InvalidInput):
            context["fault"] = f"{error.what} {error.todo}".strip()
        else:
            context["problem"] = problem_of(error, approval, typed=bool(any(typed.values())))
        context |= extra(session) if extra else {}
        return here.show(session, template, "inbox", status=error.status, **context)


async def refused_in_thread(here: Place, approval_id: str, error: AssentError, **more: Any) -> HTMLResponse:
    """The same from where nothing may wait for the database."""
    if isinstance(error, NotFound):
        raise error
    return await here.in_thread(partial(refused, here, approval_id, error, **more))


def problem_of(error: AssentError, approval: ApprovalView, *, typed: bool = False) -> Problem:
    """Why something did not go through, as the page says it."""
    kept = " What you typed is kept below." if typed else ""
    if isinstance(error, NeedsProof):
        return Problem(
            "Confirm that it is you",
            f"{error.what} Nothing was sent yet.{kept}",
            "amber",
            "person",
            link=proof_page(approval.id),
            word="Confirm and come back",
        )
    if isinstance(error, Conflict) and error.where == "digest":
        revised = approval.card.revised
        what = f" {revised.by.name} edited it." if revised else ""
        return Problem(
            "It has changed since you opened it",
            f"Your decision was not sent.{what} Below is what would run now; look again and decide on that.{kept}",
            "amber",
            "question",
            changes=revised.changes if revised else (),
        )
    if isinstance(error, Conflict):
        title = "Somebody else was quicker" if approval.decided_at else "That is not possible any more"
        return Problem(title, f"{error.what} Yours changed nothing and nothing is lost.", "amber", "person")
    if isinstance(error, Unavailable):
        return Problem("Your decision did not get through", f"{error.what} Nothing was decided; send it again.{kept}")
    return Problem(error.what, f"{error.todo}{kept}".strip())


def fate_problem(fate: Fate | None) -> Problem | None:
    """What to tell whose decision reached the run and did not count."""
    if fate is None or fate.counted:
        return None
    return Problem("Your decision did not count", f"{fate.why_not} Nothing is lost.", "amber", "person")


def proof_page(approval_id: str) -> str:
    """Where somebody confirms that it is they, and comes back from."""
    return f"/account/confirm?next={quote(f'/approvals/{approval_id}', safe='')}"


def neighbours(here: Place, session: Session, approval: ApprovalView) -> dict[str, InboxRow | None]:
    """The requests before and after one in the viewer's inbox, by due time."""
    own = electorate.tokens_of(session, here.viewer.id, here.clock())
    tokens = inbox.asked_now(session, own) if own else None
    found = {}
    for name, sort in (("previous", Sort.LAST_DUE), ("next", Sort.DUE)):
        cursor = inbox.cursor_at(sort, approval.expires_at, approval.id)
        rows = inbox.page(session, Wanted(tokens=tokens, sort=sort), request=PageRequest(1, cursor)).items
        found[name] = rows[0] if rows else None
    if found["next"] is None:
        # At the end of the inbox the first one comes next.
        rows = inbox.page(session, Wanted(tokens=tokens), request=PageRequest(2)).items
        found["next"] = next((row for row in rows if row.id != approval.id), None)
    return found


def _controls(here: Place, session: Session, approval: ApprovalView, stands: Standing) -> Controls:
    now = here.clock()
    may = may_do(session, approval.id, here.viewer.id, here.viewer.assurance, now)
    sure = may_do(session, approval.id, here.viewer.id, Assurance.FRESH, now) if may.why_not_approve else may
    unproven = bool(may.why_not_approve) and not sure.why_not_approve and may.vote is None
    could = not sure.why_not_approve
    return Controls(
        may=may,
        proof=proof_page(approval.id) if unproven else "",
        edit=could and stands.edit,
        hand=could and may.vote is None,
    )


@dataclass(frozen=True, slots=True)
class Talk:
    """An entry of the thread with what was answered to it."""

    entry: Comment
    answers: list[Comment]


def _thread(entries: Sequence[Comment]) -> list[Talk]:
    talks = [Talk(entry, []) for entry in entries if entry.reply_to is None]
    by_id = {talk.entry.id: talk for talk in talks}
    for entry in entries:
        if entry.reply_to is not None and entry.reply_to in by_id:
            by_id[entry.reply_to].answers.append(entry)
    return talks


def _action(session: Session, approval: ApprovalView) -> runs.ActionView | None:
    try:
        return runs.action(session, approval.action_id)
    except NotFound:
        return None


def _history(session: Session, approval: ApprovalView) -> list[TouchView]:
    resources = list(dict.fromkeys(change.resource for change in approval.card.changes))[:HISTORY_RECORDS]
    found = [
        touch
        for resource in resources
        for touch in ledger.touches(session, resource, request=PageRequest(HISTORY)).items
        if touch.action_id != approval.action_id
    ]
    unique = {(touch.action_id, touch.undo): touch for touch in found}
    return sorted(unique.values(), key=lambda touch: touch.at, reverse=True)[:HISTORY]
