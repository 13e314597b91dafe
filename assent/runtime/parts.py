"""The parts that commands start, by name; imported when first needed, so that `assent --help` stays quick."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from typing import Any

from assent.domain.errors import NotFound


class Part(StrEnum):
    """``module:function`` of each part; every function takes the settings first."""

    WORKER = "assent.runtime.worker:main"
    WEB = "assent.runtime.web:main"
    SLACK = "assent.runtime.slack:main"
    PREPARE = "assent.runtime.prepare:prepare"
    SIGN_IN_LINK = "assent.runtime.people:sign_in_link"


def load(name: str) -> Callable[..., Any]:
    """Return the function that ``module:function`` names.

    Raises:
        NotFound: This installation has no such module or function.
    """
    module_name, _, function = name.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        # A missing dependency inside the part is another fault than a missing part, and keeps its own message.
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        raise NotFound("This installation does not have that part.", where=module_name) from error
    found = getattr(module, function, None)
    if not callable(found):
        raise NotFound("This installation does not have that part.", where=name)
    return found  # type: ignore[no-any-return]
