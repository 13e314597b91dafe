"""The one place where errors become HTTP responses: problem details for the API, a page for people."""

from __future__ import annotations

import logging
import uuid
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from assent.domain.errors import AssentError, InvalidInput
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
    if _is_api(request):
        return answer(problem_of(error, request.url.path))
    return error_page(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problem = problem_of_faults(error.errors(), request.url.path)
    return answer(problem) if _is_api(request) else _as_page(request, problem)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = {
        HTTPStatus.NOT_FOUND: "There is no such address.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"This address does not take {request.method}.",
    }.get(HTTPStatus(error.status_code), error.detail)
    problem = problem_of_status(error.status_code, detail, request.url.path)
    if _is_api(request):
        return answer(problem, error.headers)
    return missing_page(request) if error.status_code == HTTPStatus.NOT_FOUND else _as_page(request, problem)


async def _unforeseen(request: Request, error: Exception) -> Response:
    reference = uuid.uuid4().hex[:12]
    log.error("%s %s failed, reference %s", request.method, request.url.path, reference, exc_info=error)
    if _is_api(request):
        return answer(problem_of_surprise(reference, request.url.path))
    return unexpected_page(request)


def _as_page(request: Request, problem: Problem) -> Response:
    error = InvalidInput(problem.detail, where=problem.where)
    error.status = problem.status
    return error_page(request, error)


def _is_api(request: Request) -> bool:
    path = request.url.path
    return path.startswith("/api/") or path in {"/healthz", "/readyz", "/live"}
