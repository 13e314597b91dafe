"""Every setting that is written exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assent.runtime.settings import PREFIX, Settings
from tests.docs.pages import PAGES, ROOT, name_of

_COMPOSE_ALONE = {"ASSENT_DATABASE_PASSWORD", "ASSENT_VERSION", "ASSENT_WEB_BIND", "ASSENT_NAMESPACE"}
"""Variables of the compose file itself, which no process of Assent reads."""

FILES = [*PAGES, *(ROOT / name for name in ("docker-compose.yml", ".env.example", "Dockerfile", "Makefile"))]


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_setting_that_is_named_exists(file: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | _COMPOSE_ALONE | {"ASSENT_REQUIRE_OPTIONAL"}
    named = set(re.findall(r"\bASSENT_[A-Z][A-Z_]*[A-Z]\b", file.read_text(encoding="utf-8")))
    assert named <= known
