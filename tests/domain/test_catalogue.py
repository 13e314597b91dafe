"""What connectors declare has one text, whichever process writes it."""

from __future__ import annotations

import os
import subprocess
import sys

from assent.domain.catalogue import ActionType
from assent.domain.tiers import Risk

_WRITE = """
from assent.domain.catalogue import ActionType
from assent.domain.tiers import Risk
sets = {"risks": frozenset(Risk), "secrets": frozenset("abcdefg"), "money": frozenset("hijklmn")}
print(ActionType(name="a.b", title="A", sentence="B", arguments={}, **sets).model_dump_json())
"""


def test_a_declaration_is_written_the_same_in_every_process() -> None:
    """Else every start would publish a new version of every card."""
    texts = {
        subprocess.run(
            [sys.executable, "-c", _WRITE], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
    read = ActionType.model_validate_json(texts.pop())
    assert (read.risks, read.money) == (frozenset(Risk), frozenset("hijklmn"))
