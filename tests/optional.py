"""Parts that only some machines have: their tests are skipped there, and fail where everything is demanded."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

REQUIRED = "ASSENT_REQUIRE_OPTIONAL"
"""`make check` sets it: a part that is missing then fails its tests, so that none is passed over unseen."""


def missing(what: str) -> NoReturn:
    """End the test that needs ``what``."""
    if os.environ.get(REQUIRED):
        pytest.fail(f"{what} is not here, and {REQUIRED} demands it; see scripts/ensure_optional_parts.sh")
    pytest.skip(f"{what} is not here")
