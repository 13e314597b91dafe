"""Approving from now on: a standing grant that starts from the request in front of somebody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from assent.domain.canonical import Json
from assent.domain.errors import AssentError, Forbidden, InvalidInput
from assent.domain.grants import GrantTerms, Pattern, PatternKind
from assent.domain.hostile_text import restore_all
from assent.gateway import GrantOffer
from assent.store.queries import approvals
from assent_ui.clicks import own_decision_id
from assent_ui.pages import checks
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.request_parts import refused_in_thread, request_context
from assent_ui.rendering.records import plain

router = APIRouter()

KINDS = {
    PatternKind.IS: "is exactly",
    PatternKind.ONE_OF: "is one of these, one a line",
    PatternKind.RANGE: "is a number from … to …",
    PatternKind.PREFIX: "begins with",
    PatternKind.ANY: "may be anything",
}
"""What a grant can ask of an argument, in words."""


@dataclass(frozen=True, slots=True)
class ArgumentRow:
    """One argument in the form.

    Attributes:
        name: Its name.
        now: What it is in this request, as text.
        kind: What is asked of it.
        value: The value, the values a line each, or the beginning.
        least: The smallest number.
        most: The greatest.
        fault: What is wrong with what was typed.
    """

    name: str
    now: str
    kind: str
    value: str
    least: str
    most: str
    fault: str = ""


@router.get("/approvals/{approval_id}/grant", response_class=HTMLResponse)
async def show(here: Here, approval_id: str) -> Response:
    """The form, as narrow as the request itself."""
    if (back := await here.in_thread(lambda: checks.instead(here, approval_id))) is not None:
        return back
    offer = await here.gateway.grant_offer(approval_id, by=here.viewer.actor)
    return await here.in_thread(lambda: _page(here, approval_id, offer, {}))


@router.post("/approvals/{approval_id}/grant")
async def send(here: Here, approval_id: str, request: Request) -> Response:
    """Look at what it would cover (``step=look``), or grant it (``step=send``)."""
    # Forms show hidden characters as marks; here they become what they were again.
    sent = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    values = restore_all(sent)
    offer = await here.gateway.grant_offer(approval_id, by=here.viewer.actor)
    step = values.get("step", "look")
    try:
        if offer.terms is None:
            raise Forbidden(offer.why_not, where="grant")
        if step == "back":
            return await here.in_thread(lambda: _page(here, approval_id, offer, values))
        terms = read_terms(offer, values)
        if step != "send":
            return await here.in_thread(lambda: _page(here, approval_id, offer, values, terms=terms))
        given = await here.gateway.grant(
            terms,
            by=here.viewer.actor,
            note=values.get("note", ""),
            approval_id=approval_id,
            grant_id=_grant_id(values, here.viewer.id),
        )
    except InvalidInput as error:
        fault = error
        return await here.in_thread(lambda: _page(here, approval_id, offer, values, error=fault))
    except AssentError as error:
        return await refused_in_thread(here, approval_id, error, typed={"note": values.get("note", "")})
    return RedirectResponse(f"/approvals/{approval_id}?granted={given.id}", status_code=303)


def read_terms(offer: GrantOffer, values: Mapping[str, str]) -> GrantTerms:
    """The terms that a form says.

    Raises:
        InvalidInput: Something is not what it must be; ``where`` names the field.
    """
    assert offer.terms is not None
    patterns: dict[str, Pattern] = {}
    for name in offer.arguments:
        kind = values.get(f"kind:{name}", "")
        if kind:
            patterns[name] = _pattern(offer, name, kind, values)
    uses = _whole(values.get("uses", ""), "uses", 1, offer.max_uses)
    most_days = max(1, offer.longest // timedelta(days=1))
    days = _whole(values.get("days", ""), "days", 1, most_days)
    # The offer ends after the longest time from now on.
    ends = offer.terms.expires_at - offer.longest + min(timedelta(days=days), offer.longest)
    return GrantTerms(
        agent=offer.terms.agent,
        action_type=offer.terms.action_type,
        arguments=patterns,
        uses=uses,
        expires_at=ends,
    )


def _pattern(offer: GrantOffer, name: str, kind: str, values: Mapping[str, str]) -> Pattern:
    where = f"value:{name}"
    text = typed(values.get(where, ""))
    known = offer.terms.arguments.get(name) if offer.terms else None
    example = known.values[0] if known is not None and known.values else None
    fields: dict[str, Any]
    match kind:
        case PatternKind.IS:
            fields = {"values": [_value(text, example)]}
        case PatternKind.ONE_OF:
            fields = {"values": [_value(line, example) for line in text.split("\n") if line]}
        case PatternKind.PREFIX:
            fields = {"prefix": text}
        case PatternKind.RANGE:
            fields = {"min": _limit(values, f"min:{name}"), "max": _limit(values, f"max:{name}")}
        case PatternKind.ANY:
            fields = {}
        case _:
            raise InvalidInput(f"{kind!r} cannot be asked of an argument.", where=where)
    try:
        return Pattern(kind=PatternKind(kind), **fields)
    except ValidationError as error:
        told = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"{name}: {told}.", where=where) from error


def _value(text: str, example: Json) -> Json:
    """What was typed, as the kind of value the argument has now."""
    if text == plain(example):
        return example
    if isinstance(example, str):
        return text
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value


def _limit(values: Mapping[str, str], where: str) -> float | None:
    text = values.get(where, "").replace(",", "").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no number.", where=where, todo="Write it as 1250.50.") from error


def _whole(text: str, where: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise InvalidInput(f"Choose a whole number from {least:,} to {most:,}.", where=where)
    return int(text)


def _grant_id(values: Mapping[str, str], person: str) -> str | None:
    click = own_decision_id(values.get("click"), person)
    return f"grant-{click[:12]}" if click else None


def _page(
    here: Place,
    approval_id: str,
    offer: GrantOffer,
    values: Mapping[str, str],
    *,
    terms: GrantTerms | None = None,
    error: AssentError | None = None,
) -> HTMLResponse:
    with here.database.read() as session:
        approval = approvals.one(session, approval_id)
        context = request_context(here, session, approval)
        days = max(1, offer.longest // timedelta(days=1)) if offer.allowed else 0
        context |= {
            "offer": offer,
            "rows": _rows(offer, values, error) if offer.terms else [],
            "kinds": KINDS,
            "terms": terms,
            "values": dict(values),
            "fault": f"{error.what} {error.todo}".strip() if error else "",
            "fault_at": error.where if error else "",
            "days": days,
        }
        return here.show(session, "request_grant.html", "inbox", status=error.status if error else 200, **context)


def _rows(offer: GrantOffer, values: Mapping[str, str], error: AssentError | None) -> list[ArgumentRow]:
    assert offer.terms is not None
    rows = []
    for name in offer.arguments:
        pattern = offer.terms.arguments.get(name)
        now = plain(pattern.values[0]) if pattern is not None and pattern.values else ""
        kind = pattern.kind.value if pattern is not None else ""
        mine = error is not None and error.where in (f"value:{name}", f"min:{name}", f"max:{name}")
        rows.append(
            ArgumentRow(
                name,
                now,
                values.get(f"kind:{name}", kind),
                values.get(f"value:{name}", now),
                values.get(f"min:{name}", ""),
                values.get(f"max:{name}", ""),
                error.what if mine and error is not None else "",
            )
        )
    return rows
