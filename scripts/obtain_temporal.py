"""Have the Temporal server that tests need, with progress: found, fetched, or built once and kept outside the clone."""

from __future__ import annotations

import sys

from assent.domain.errors import AssentError
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal import locate


def main() -> int:
    """Find it or make it; gives the exit code."""
    try:
        found = locate.obtain(Settings.load(), Progress())
    except AssentError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Temporal: {found.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
