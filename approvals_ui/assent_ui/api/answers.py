"""What the endpoints of the API share: pages, and descriptions of their problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Query

from assent.store.queries.paging import DEFAULT_LIMIT, MAX_LIMIT, Page, PageRequest
from assent_ui.api import schemas
from assent_ui.problems import MEDIA_TYPE, TITLES, Problem

Item = TypeVar("Item")
View = TypeVar("View")


def page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=1_000, description="`next_cursor` of the page before; leave it out for the first.")
    ] = None,
) -> PageRequest:
    """Which page of a list is wanted."""
    return PageRequest(limit, cursor)


def page_of(page: Page[View], show: Callable[[View], Item]) -> schemas.Page[Item]:
    """A page of views as a page of the API."""
    return schemas.Page(items=[show(view) for view in page.items], next_cursor=page.next_cursor)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of an endpoint's errors; 401, 403, 413, 422 and 503 are everywhere."""
    words: Mapping[int, str] = {
        401: TITLES["not-signed-in"],
        403: TITLES["forbidden"],
        404: TITLES["not-found"],
        409: TITLES["conflict"],
        413: TITLES["too-large"],
        422: TITLES["invalid-input"],
        429: TITLES["too-often"],
        503: TITLES["unavailable"],
    }
    return {
        status: {"description": words[status], "model": Problem, "content": {MEDIA_TYPE: {}}}
        for status in sorted({401, 403, 413, 422, 503, *statuses})
    }
