"""Every error that Assent raises on purpose.

::

    AssentError
    ├── InvalidInput          the request is malformed or breaks a schema
    │   ├── BrokenCard        an agent card cannot be read or contradicts itself
    │   ├── BrokenArguments   arguments do not fit the JSON Schema of their action type
    │   └── TooLarge          a payload is over a documented limit
    ├── NotFound              no such agent, run, action, approval, pause, …
    ├── Forbidden             this person or key may not do that
    │   ├── NeedsProof        the caller must first prove again who they are
    │   ├── NotSignedIn       no valid session, key or signature was given
    │   └── TooOften          it was tried too often
    ├── Conflict              the thing has changed, or was already decided
    │   └── PreviewChanged    the world is no longer as a preview showed it
    └── Unavailable           Temporal, the database or another part cannot be reached
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta


class AssentError(Exception):
    """Root of all deliberate errors.

    Attributes:
        what: What went wrong, one sentence, without secrets.
        where: The field, file, record or part it concerns; empty if it concerns the whole request.
        todo: What the reader can do about it.
    """

    code = "error"
    status = 500

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what = what
        self.where = where
        self.todo = todo
        super().__init__(what)

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        advice = f" {self.todo}" if self.todo else ""
        return f"{self.what}{place}{advice}"


class InvalidInput(AssentError):
    """The request is malformed or breaks a schema."""

    code = "invalid-input"
    status = 422


class BrokenCard(InvalidInput):
    """An agent card cannot be read, or contradicts itself or the catalogue."""

    code = "broken-card"


class BrokenArguments(InvalidInput):
    """Arguments do not fit the JSON Schema of their action type.

    Attributes:
        faults: What is wrong, a sentence each, by the JSON pointer of the place; that of the whole is empty.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = dict(faults)
        place, first = next(iter(self.faults.items()))
        more = f" And {len(self.faults) - 1} more." if len(self.faults) > 1 else ""
        super().__init__(f"{first}{more}", where=f"arguments{place}", todo="Correct it; nothing was changed.")


class TooLarge(InvalidInput):
    """A payload is over a documented limit."""

    code = "too-large"
    status = 413


class NotFound(AssentError):
    """There is no such thing, or it is not visible to the caller."""

    code = "not-found"
    status = 404


class Forbidden(AssentError):
    """The caller is known but may not do that."""

    code = "forbidden"
    status = 403


class NeedsProof(Forbidden):
    """The caller may do that once they have proved better, or again, who they are.

    Attributes:
        needed: The assurance it needs, a word of :class:`assent.domain.people.Assurance`.
    """

    code = "needs-proof"

    def __init__(self, what: str, *, where: str = "", todo: str = "", needed: str = "") -> None:
        super().__init__(what, where=where, todo=todo)
        self.needed = needed


class NotSignedIn(Forbidden):
    """No valid session, key or signature was given."""

    code = "not-signed-in"
    status = 401


class TooOften(Forbidden):
    """It was tried too often.

    Attributes:
        wait: How long until it may be tried again.
        first: Whether nobody was told before, in this stretch of time.
    """

    code = "too-often"
    status = 429

    def __init__(self, what: str, *, where: str = "", todo: str = "", wait: timedelta, first: bool = False) -> None:
        super().__init__(what, where=where, todo=todo)
        self.wait = wait
        self.first = first


class Conflict(AssentError):
    """The thing changed meanwhile, or was already decided."""

    code = "conflict"
    status = 409


class PreviewChanged(Conflict):
    """The world is no longer as the preview of a rollback showed it; nothing was undone.

    Attributes:
        preview_id: The preview of how it is now; empty if it is still to be made.
    """

    code = "preview-changed"

    def __init__(self, what: str, *, preview_id: str = "", where: str = "digest", todo: str = "") -> None:
        self.preview_id = preview_id
        super().__init__(what, where=where, todo=todo or "Look at the new preview, then confirm that one.")


class Unavailable(AssentError):
    """A part that is needed cannot be reached; nothing was lost, trying again is safe."""

    code = "unavailable"
    status = 503
