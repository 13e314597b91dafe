"""The one error of the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class AssentApiError(Exception):
    """Assent refused a request, or could not be reached.

    Attributes:
        status: HTTP status; 0 if there was no answer.
        code: Kind of problem, ``conflict``; ``unreachable`` if there was no answer.
        detail: What went wrong.
        where: The field, record or part it concerns.
        todo: What can be done about it.
        errors: Every field that breaks the schema, each with ``where`` and ``what``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        where: str = "",
        todo: str = "",
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.where = where
        self.todo = todo
        self.errors = list(errors)
        super().__init__(" ".join(part for part in (detail, f"({where})" if where else "", todo) if part))
