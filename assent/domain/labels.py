"""Labels of runs: words by which runs are found and paused together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

MAX_LABELS = 20
"""Labels of a run."""

MAX_LABEL = 60
"""Characters of a label."""


def clean_labels(labels: Iterable[str]) -> list[str]:
    """Each label once, in the order given."""
    return list(dict.fromkeys(labels))


Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LABEL)]
"""One label; spaces around it are no part of it."""

Labels = Annotated[list[Label], Field(max_length=MAX_LABELS), AfterValidator(clean_labels)]
"""The labels of a run."""
