"""Have the Temporal server that tests need, with progress: found, fetched, or built once and kept outside the clone."""

from __future__ import annotations

import sys

from assent.domain.errors import AssentError
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal import locate

if __name__ == "__main__":
    try:
        locate.obtain(Settings.load(), Progress())
    except AssentError as error:
        sys.exit(str(error))
