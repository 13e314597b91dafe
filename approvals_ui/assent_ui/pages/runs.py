"""Runs: what is going on?"""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from assent.domain.errors import InvalidInput
from assent.domain.runs import RunStatus
from assent.store.queries import runs
from assent.store.queries.paging import PageRequest
from assent_ui.pages.context import Here
from assent_ui.rendering.faces import RUN

router = APIRouter()

SHOWN = 40
"""Runs of one page."""


@router.get("/runs", response_class=HTMLResponse)
def list_runs(here: Here, agent: str = "", status: str = "", cursor: str | None = None) -> HTMLResponse:
    """Runs, newest first."""
    if status and status not in list(RunStatus):
        raise InvalidInput(f"A run is never {status!r}.", where="status", todo="Choose one of the statuses above.")
    with here.database.read() as session:
        wanted = RunStatus(status) if status else None
        return here.show(
            session,
            "runs.html",
            "runs",
            page=runs.page(session, agent=agent or None, status=wanted, request=PageRequest(SHOWN, cursor)),
            agent=agent,
            agents=here.agent_names(session),
            chosen_status=status,
            statuses=[("", "All"), *((each.value, face.word) for each, face in RUN.items())],
            later=bool(cursor),
            query=urlencode({name: value for name, value in (("agent", agent), ("status", status)) if value}),
        )
