"""``python -m assent``: the same as the ``assent`` command."""

from assent.cli import main

if __name__ == "__main__":
    main()
