"""The whole of a request, however long: plain text that no browser takes for anything else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from assent.domain.approvals import RequestCard
from assent.domain.card_content import content
from assent.domain.card_text import text_lines
from assent.store import checks
from assent.store.queries import shown
from assent_ui.pages.context import Here

router = APIRouter()


@router.get("/approvals/{approval_id}/whole.txt")
def whole(
    here: Here, approval_id: str, revision: Annotated[int | None, Query(ge=1, lt=2**31)] = None
) -> StreamingResponse:
    """Everything on a request with nothing left out, hidden characters marked; of an earlier revision if asked for."""
    with here.database.read() as session:
        check = checks.one(session, approval_id, here.viewer.id) if revision in (None, 1) else None
        card = shown.of_revision(session, approval_id, revision).card if check is None else check.card
    return StreamingResponse(_lines(card), media_type="text/plain; charset=utf-8")


def _lines(card: RequestCard) -> Iterator[bytes]:
    for line in text_lines(content(card, whole=True)):
        yield f"{line}\n".encode("utf-8", "backslashreplace")
