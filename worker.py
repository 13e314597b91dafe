"""Start a worker: ``python worker.py`` is the same as ``assent worker``."""

import sys

from assent.cli import main

if __name__ == "__main__":
    main(["worker", *sys.argv[1:]])
