"""Errors as problem details (RFC 9457): what went wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from assent.domain.errors import AssentError, BrokenArguments, PreviewChanged

MEDIA_TYPE = "application/problem+json"

TITLES: Mapping[str, str] = {
    "invalid-input": "The request is not usable",
    "broken-card": "The agent card has faults",
    "too-large": "The request is too large",
    "not-found": "There is no such thing",
    "method-not-allowed": "That cannot be done here",
    "forbidden": "Not allowed",
    "needs-proof": "Prove first who you are",
    "not-signed-in": "Not signed in",
    "too-often": "Tried too often",
    "conflict": "Things have changed",
    "preview-changed": "The preview is out of date",
    "unavailable": "A part cannot be reached",
    "error": "Something went wrong in Assent",
}
"""Title by code; the code is the last part of a problem's ``type``."""

_CODES = {400: "invalid-input", 401: "not-signed-in", 403: "forbidden", 404: "not-found", 405: "method-not-allowed"}
_ADVICE = {
    400: ("body", "Send JSON in UTF-8, nested less deeply."),
    404: ("", "/api/docs lists every address."),
    405: ("", "/api/docs lists what each address takes."),
}


class Fault(BaseModel):
    """One field of a request that is not usable.

    Attributes:
        where: The field, its parts joined by dots.
        what: What is wrong with it.
    """

    where: str
    what: str


class Problem(BaseModel):
    """Problem details.

    Attributes:
        type: Address of the description of this kind of problem.
        title: The kind of problem, the same each time.
        status: HTTP status.
        detail: What went wrong this time.
        instance: The path that was asked for.
        where: The field, record or part it concerns; empty if it concerns the whole request.
        todo: What can be done about it.
        errors: Every field that is not usable, if the request breaks its schema.
        preview_id: The new preview, if the one of a rollback is out of date.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    where: str = ""
    todo: str = ""
    errors: list[Fault] = Field(default_factory=list)
    preview_id: str = ""


def problem_of(error: AssentError, path: str) -> Problem:
    """An error raised on purpose, as a problem."""
    problem = _problem(error.code, error.status, error.what, path, where=error.where, todo=error.todo)
    if isinstance(error, BrokenArguments):
        faults = [Fault(where=f"arguments{place}", what=what) for place, what in error.faults.items()]
        return problem.model_copy(update={"errors": faults})
    if isinstance(error, PreviewChanged):
        return problem.model_copy(update={"preview_id": error.preview_id})
    return problem


def problem_of_status(status: int, detail: str, path: str) -> Problem:
    """A refusal by the web framework, as a problem."""
    where, todo = _ADVICE.get(status, ("", ""))
    code = _CODES.get(status, "too-large" if status == 413 else "error" if status >= 500 else "invalid-input")
    return _problem(code, status, detail, path, where=where, todo=todo)


def problem_of_faults(faults: Sequence[Mapping[str, Any]], path: str) -> Problem:
    """A request that breaks its schema, as a problem that names each field."""
    errors = [Fault(where=_place(fault["loc"]), what=str(fault["msg"])) for fault in faults]
    first = errors[0] if errors else Fault(where="body", what="it cannot be read")
    more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
    problem = _problem(
        "invalid-input",
        422,
        f"{first.where}: {first.what}{more}.",
        path,
        where=first.where,
        todo="Correct the fields listed in errors; /api/docs describes them.",
    )
    return problem.model_copy(update={"errors": errors})


def problem_of_surprise(reference: str, path: str) -> Problem:
    """An error nobody foresaw: no details, but a reference that the server's log has too."""
    return _problem(
        "error",
        500,
        f"An unexpected error; the log of the web server tells more under {reference}.",
        path,
        where="web",
        todo="Repeating a request with the same key or id is safe.",
    )


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem as a response."""
    extra = dict(headers or {})
    if problem.status == 401:
        extra.setdefault("WWW-Authenticate", 'Bearer realm="assent"')
    if problem.status == 429:
        extra.setdefault("Retry-After", "60")
    if problem.status == 503:
        extra.setdefault("Retry-After", "2")
    content = problem.model_dump(
        mode="json", exclude={name for name in ("errors", "preview_id") if not getattr(problem, name)}
    )
    return JSONResponse(content, problem.status, headers=extra, media_type=MEDIA_TYPE)


def _problem(code: str, status: int, detail: str, path: str, *, where: str = "", todo: str = "") -> Problem:
    return Problem(
        type=f"/api/docs#problem-{code}",
        title=TITLES.get(code, TITLES["error"]),
        status=status,
        detail=detail,
        instance=path,
        where=where,
        todo=todo,
    )


def _place(location: Sequence[Any]) -> str:
    parts = [str(part) for part in location]
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] in {"body", "query", "path", "header"} else parts)
