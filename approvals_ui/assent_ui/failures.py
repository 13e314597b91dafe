"""The one place where errors become HTTP responses: problem details for the API, a page for people."""

from __future__ import annotations

import logging
import uuid
from functools import partial
from http import HTTPStatus

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from assent.domain.errors import AssentError, Forbidden, InvalidInput, Unavailable
from assent.domain.people import Via
from assent_ui.auth import Viewer
from assent_ui.deps import deps_of
from assent_ui.pages.errors import error_page, missing_page, unexpected_page
from assent_ui.problems import (
    Problem,
    answer,
    problem_of,
    problem_of_faults,
    problem_of_status,
    problem_of_surprise,
)

log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Let an application answer errors."""
    app.add_exception_handler(AssentError, _deliberate)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _unforeseen)


async def _deliberate(request: Request, error: Exception) -> Response:
    assert isinstance(error, AssentError)
    await _note_refusal(request, error)
    if _is_api(request):
        return answer(problem_of(error, request.url.path))
    return await error_page(request, error)


async def _note_refusal(request: Request, error: AssentError) -> None:
    """Write down that somebody tried what their roles do not allow, unless this minute had its share."""
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    if type(error) is not Forbidden or error.where != "role" or viewer is None or request.method == "GET":
        return
    via = Via.API if _is_api(request) else Via.WEB
    record = deps_of(request).refusals.record
    note = partial(record, "access.refused", error.what, where=request.url.path, via=via, actor=viewer.actor)
    try:
        await anyio.to_thread.run_sync(note)
    except Unavailable:
        log.warning("A refusal could not be written down: %s", error.what)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problem = problem_of_faults(error.errors(), request.url.path)
    return answer(problem) if _is_api(request) else await _as_page(request, problem)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = {
        HTTPStatus.NOT_FOUND: "There is no such address.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"This address does not take {request.method}.",
    }.get(HTTPStatus(error.status_code), error.detail)
    problem = problem_of_status(error.status_code, detail, request.url.path)
    if _is_api(request):
        return answer(problem, error.headers)
    return await (missing_page(request) if error.status_code == HTTPStatus.NOT_FOUND else _as_page(request, problem))


async def _unforeseen(request: Request, error: Exception) -> Response:
    reference = uuid.uuid4().hex[:12]
    # A link's token in the log would let in whoever reads it.
    path = request.scope["route"].path if "token" in request.path_params else request.url.path
    log.error("%s %s failed, reference %s", request.method, path, reference, exc_info=error)
    if _is_api(request):
        return answer(problem_of_surprise(reference, request.url.path))
    return await unexpected_page(request)


async def _as_page(request: Request, problem: Problem) -> Response:
    error = InvalidInput(problem.detail, where=problem.where)
    error.status = problem.status
    return await error_page(request, error)


def _is_api(request: Request) -> bool:
    path = request.url.path
    return path.startswith("/api/") or path in {"/healthz", "/readyz", "/live"}
