"""Quality: are requests decided well, and are they asked of the right things?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError, InvalidInput, NotFound
from assent.domain.people import Role
from assent.domain.quality import LEAST_READING, LONGEST_LOOK, MOST_READING, WORDS_A_MINUTE, percentile
from assent.domain.suggestions import LONGEST_DISMISSAL, Direction
from assent.domain.words import lasting
from assent.store import checks, suggestions
from assent.store.quality import mark
from assent.store.queries import quality
from assent.store.queries.checks import tallies
from assent.store.queries.paging import PageRequest
from assent.store.queries.quality import PERIODS, KindFigures
from assent_ui.pages.context import Here, Place, typed
from assent_ui.rendering.charts import Chart, closed_by_day

router = APIRouter()

Text = Annotated[str, Form()]

_WORDS = {
    "reading": WORDS_A_MINUTE,
    "least": int(LEAST_READING),
    "most": int(MOST_READING),
    "longest": int(LONGEST_LOOK / 60),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: what it is called, what it says, and of how many."""

    name: str
    value: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class KindView:
    """The figures of one kind as the page lays them out."""

    kind: KindFigures
    counts: tuple[Line, ...]
    rates: tuple[Line, ...]
    chart: Chart


@router.get("/quality", response_class=HTMLResponse)
def show(here: Here, days: str = "30", agent: str = "", cursor: str | None = None) -> HTMLResponse:
    """Figures by agent and action type, and what they suggest."""
    return _page(here, days=days, agent=agent, cursor=cursor)


@router.post("/quality/dismissals")
def dismiss(
    here: Here, agent: Text = "", type: Text = "", direction: Text = "", days: Text = "", reason: Text = ""
) -> Response:
    """Put a suggestion aside for a time."""
    here.viewer.require(Role.OWNER, "put suggestions aside")
    try:
        if direction not in list(Direction):
            raise InvalidInput("There is no such suggestion.", where="direction")
        with here.database.write() as session:
            suggestions.dismiss(
                session,
                agent,
                type,
                Direction(direction),
                days=int(days) if days.isascii() and days.isdecimal() and len(days) < 6 else 0,
                reason=typed(reason),
                by=here.viewer.actor,
                at=here.clock(),
            )
    except (InvalidInput, NotFound) as error:
        return _page(here, problem=error, typed={"key": f"{agent} {type}", "days": days, "reason": reason})
    return RedirectResponse("/quality#suggestions", status_code=303)


def _page(
    here: Place,
    *,
    days: str = "30",
    agent: str = "",
    cursor: str | None = None,
    problem: AssentError | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    now = here.clock()
    period = next((each for each in PERIODS if str(each) == days), 0)
    with here.database.read() as session:
        page = quality.page(
            session, now, days=period, agent=agent or None, request=PageRequest(quality.KINDS.limit, cursor)
        )
        return here.show(
            session,
            "quality.html",
            "agents",
            status=problem.status if problem else 200,
            kinds=[view_of(kind, now.date()) for kind in page.items if not _is_idle(kind)],
            idle=[kind for kind in page.items if _is_idle(kind)],
            next_cursor=page.next_cursor,
            later=cursor is not None,
            days=period,
            periods=PERIODS,
            agent=agent,
            agents=here.agent_names(session),
            counted_at=mark(session)[1],
            suggestions=suggestions.open_ones(session, now),
            announced=checks.announced(session, here.viewer.id),
            tallies={each.of: each for each in tallies(session, now - timedelta(days=period))},
            dismissed=suggestions.dismissed(session, now),
            longest=LONGEST_DISMISSAL.days,
            may_own=here.viewer.may(Role.OWNER),
            may_publish=here.may_publish,
            problem=problem,
            typed=typed or {},
            how=_WORDS,
        )


def view_of(kind: KindFigures, today: date) -> KindView:
    """A kind's figures in words."""
    total = kind.total
    counts = (
        Line("Asked", f"{total.asked:,}"),
        Line("Approved", f"{total.approved:,}"),
        Line("Edited", f"{total.edited:,}"),
        Line("Refused", f"{total.refused:,}"),
        Line("Expired", f"{total.expired:,}"),
        Line("Withdrawn", f"{total.withdrawn:,}"),
        *([Line("Ran unopposed", f"{total.unopposed:,}")] if total.unopposed else []),
        *([Line("Undone", f"{total.undone:,}", f"of {total.ran:,} effects")] if total.undone else []),
        *([Line("Unknown effects", f"{total.unknown:,}")] if total.unknown else []),
    )
    half, most = percentile(total.decide, 0.5), percentile(total.decide, 0.9)
    rates = (
        Line("Time to decide", _time(half), f"nine in ten within {_time(most)}" if most else ""),
        Line("Changed or refused", _share(total.changed_share), _of(total.changed, total.decided, "decided")),
        Line("Opened before approving", _share(total.opened_share), _of(total.opened, total.votes, "approvals")),
        Line("Time on the card", _time(percentile(total.look, 0.5)), _of(total.timed, total.votes, "known")),
        Line("Faster than it can be read", _share(total.hasty_share), _of(total.hasty, total.timed, "known times")),
    )
    return KindView(kind, counts, rates, closed_by_day(kind.daily, days=kind.days, today=today))


def _is_idle(kind: KindFigures) -> bool:
    """Whether nobody was asked for it, and nothing it did by itself was undone or became unknown."""
    total = kind.total
    asked = total.asked + total.approved + total.edited + total.refused + total.expired + total.withdrawn
    return not asked + total.unopposed + total.undone + total.unknown


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else lasting(timedelta(seconds=max(seconds, 1.0)))


def _of(part: int, whole: int, of_what: str) -> str:
    return f"{part:,} of {whole:,} {of_what}" if whole else ""
