"""Records: what did agents do to this one?"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from assent.domain.errors import NotFound
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Role
from assent.store.queries import records
from assent.store.queries.paging import PageRequest
from assent.store.queries.records import HistoryView
from assent_ui.pages.context import Here
from assent_ui.rendering.records import RecordRows
from assent_ui.rendering.records import records as laid_out

router = APIRouter()

FOUND = 25
"""Records on a page."""

SHOWN = 25
"""Times a record was touched on a page."""


@dataclass(frozen=True, slots=True)
class Touched:
    """One time a record was touched, laid out."""

    item: HistoryView
    key: str
    records: list[RecordRows]


@router.get("/records", response_class=HTMLResponse)
def search(here: Here, q: str = "", name: str = "", cursor: str | None = None) -> HTMLResponse:
    """Find a record; a name that no address can hold is given as ``name``."""
    if name:
        return _record(here, name, cursor)
    with here.database.read() as session:
        return here.show(
            session,
            "records.html",
            "undo",
            question=q.strip(),
            tables=records.tables(session) if not q.strip() else (),
            page=records.find(session, q, request=PageRequest(FOUND, cursor)),
            later=cursor is not None,
        )


@router.get("/records/{name:path}", response_class=HTMLResponse)
def record(here: Here, name: str, cursor: str | None = None) -> HTMLResponse:
    """Everything that agents did to a record."""
    return _record(here, name, cursor)


def _record(here: Here, name: str, cursor: str | None) -> HTMLResponse:
    with here.database.read() as session:
        page = records.history(session, name, request=PageRequest(SHOWN, cursor))
        if not page.items and cursor is None:
            raise NotFound(
                f"There is no record {name!r} that an agent touched.",
                where="record",
                todo="Search for it by its table or the beginning of its id, at the top under Undo.",
            )
        touched = [_touched(item) for item in page.items]
        return here.show(
            session,
            "record.html",
            "undo",
            name=name,
            table=records.table_of(name),
            touched=touched,
            next_cursor=page.next_cursor,
            later=cursor is not None,
            to_undo=any(each.item.stands for each in touched) or page.next_cursor is not None,
            may_operate=here.viewer.may(Role.OPERATOR),
            stop_scopes=[Scope(kind=ScopeKind.RECORD, name=name)],
        )


def _touched(item: HistoryView) -> Touched:
    key = item.touch.action_id.rpartition(":")[2]
    return Touched(item, key, laid_out(item.changes))
