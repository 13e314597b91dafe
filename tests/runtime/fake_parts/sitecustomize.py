"""Stands in for worker, web and the rest in processes of `assent up`, so that its tests are about processes alone.

Python imports a module of this name at start when its folder is on PYTHONPATH.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

REPLACED = {"worker", "web", "slack", "prepare", "people"}


class Finder(importlib.abc.MetaPathFinder):
    """Answers imports of the replaced modules with the fake one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the fake module's location for a replaced name."""
        package, _, name = fullname.rpartition(".")
        if package == "assent.runtime" and name in REPLACED:
            return importlib.util.spec_from_file_location(fullname, Path(__file__).with_name("parts.py"))
        return None


sys.meta_path.insert(0, Finder())
