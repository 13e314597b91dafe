"""Building the connectors that the settings name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assent.domain.errors import InvalidInput
from assent.runtime.settings import Settings
from assent_activities.connectors import Connector, ConnectorEnvironment, CounterPost, Operation, build_registry


class ConnectorEntry(BaseModel):
    """One entry of a connectors file.

    Attributes:
        use: The factory, ``module:function``.
        options: What the factory is given.
    """

    model_config = ConfigDict(extra="forbid")

    use: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    options: dict[str, Any] = Field(default_factory=dict)


class Connectors:
    """The connectors of a process, by action type.

    Args:
        settings: Names factories (``module:function``) or YAML files with a list of entries.
        post: Assent's own mail, for those that undo by a counter-message.
    """

    def __init__(self, settings: Settings, *, post: CounterPost | None = None) -> None:
        self._open: list[Connector] = [
            _build(entry, settings.data_dir, post) for name in settings.connectors for entry in _entries(name)
        ]
        self.registry: Mapping[str, Operation] = build_registry(self._open)

    def close(self) -> None:
        """Give back their connections."""
        for connector in self._open:
            connector.close()


def _entries(name: str) -> list[ConnectorEntry]:
    try:
        if not name.endswith((".yaml", ".yml")):
            return [ConnectorEntry(use=name)]
        content = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
        return [ConnectorEntry.model_validate(entry) for entry in content]
    except (OSError, yaml.YAMLError, ValidationError, TypeError) as error:
        raise InvalidInput(
            f"The connectors cannot be read: {error}.",
            where=name,
            todo="Name a `module:factory`, or a YAML file with a list of `use:` and `options:`.",
        ) from error


def _build(entry: ConnectorEntry, data_dir: Path, post: CounterPost | None) -> Connector:
    module, _, factory = entry.use.partition(":")
    try:
        build = getattr(importlib.import_module(module), factory)
    except (ImportError, AttributeError) as error:
        raise InvalidInput(
            f"The connector {entry.use} cannot be loaded: {error}.",
            where="connectors",
            todo="Install its package or correct the setting ASSENT_CONNECTORS.",
        ) from error
    connector: Connector = build(ConnectorEnvironment(data_dir=data_dir, options=entry.options, post=post))
    return connector
