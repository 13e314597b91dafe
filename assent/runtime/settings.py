"""Everything that can be configured, in one place.

Each field is the environment variable ``ASSENT_<NAME>``; those of reaching people and of signing in are declared in
modules of their own. ``docs/settings.md`` lists them all, and a test holds that page to them. Nothing else in Assent
reads the environment: entry points build one ``Settings`` and hand it down.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from temporalio.envconfig import ClientConfigProfile, ClientConnectConfig

from assent.domain.errors import InvalidInput
from assent.runtime.settings_reaching import ReachingSettings
from assent.runtime.settings_sign_in import SignInSettings

PREFIX = "ASSENT_"
LOCAL_DATA_DIR = Path(".assent")

_TEST_VARIABLES = {"ASSENT_REQUIRE_OPTIONAL"}

Names = Annotated[list[str], NoDecode]
Folders = Annotated[list[Path], NoDecode]

MOST_WORKERS = 4
"""Worker processes that `assent up` starts unasked: more of them would mostly wait for SQLite's one writer."""


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _state_dir() -> Path:
    """Where Assent keeps its state: ``./.assent`` where that exists, else the platform's folder for state."""
    if LOCAL_DATA_DIR.is_dir():
        return LOCAL_DATA_DIR
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "assent"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "assent"


def _cache_dir() -> Path:
    """Where Assent keeps what it can fetch or build again."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "assent"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "assent"


class Settings(ReachingSettings, SignInSettings, BaseSettings):
    """The configuration of one process; build it with :meth:`load` so that mistakes are told in words."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    data_dir: Path = Field(
        default_factory=_state_dir,
        description="Folder for the database, the Temporal dev server's state, keys and logs of `assent up`.",
    )
    cache_dir: Path = Field(
        default_factory=_cache_dir,
        description="Folder for what can be fetched or built again, such as the Temporal executable.",
    )
    database_url: str = Field(
        default="",
        repr=False,
        description="SQLAlchemy URL of Assent's database, SQLite or PostgreSQL (`postgresql+psycopg://…`).",
    )
    temporal_address: str | None = Field(
        default=None,
        description="`host:port` of a Temporal server; unset, `TEMPORAL_ADDRESS` and Temporal's client profile count.",
    )
    temporal_namespace: str = Field(default="default", description="Temporal namespace that holds the runs.")
    temporal_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the dev server that `assent up` starts; 0 picks a free one."
    )
    temporal_ui_port: int = Field(
        default=0, ge=0, le=65535, description="Port of that dev server's own web page; 0 picks a free one."
    )
    temporal_ui_url: str | None = Field(
        default=None, description="Address of Temporal's own web page, which Assent's pages link to."
    )
    task_queue_prefix: str = Field(
        default="assent",
        min_length=1,
        description="Start of the name of each Temporal task queue of this installation.",
    )
    connectors: Names = Field(
        default_factory=list,
        description="Connectors to load, each `module:factory`, separated by commas (or a JSON list).",
    )
    cards: Folders = Field(
        default_factory=list,
        description="Folders of agent cards (YAML) that `assent up` and `assent db migrate` publish, separated by "
        "commas (or a JSON list).",
    )
    drill_database_url: str = Field(
        default="",
        repr=False,
        description="SQLAlchemy URL of the scratch records that drills act on, one that every worker reaches; never "
        "that of a real system.",
    )
    drill_check_minutes: int = Field(
        default=60, ge=0, le=1440, description="Minutes between looks for drills that are due; 0 holds none by itself."
    )
    clock_tolerance_seconds: float = Field(
        default=5.0,
        ge=0.5,
        le=10.0,
        description="Seconds that the clock of a worker may be off before it claims nothing any more.",
    )
    web_host: str = Field(default="127.0.0.1", description="Network address that the web server listens on.")
    web_port: int = Field(default=8484, ge=1, le=65535, description="Port that the web server listens on.")
    public_url: str = Field(
        default="", description="Address under which people reach the web pages, for links in Slack and mail."
    )
    trusted_proxies: Names = Field(
        default_factory=lambda: ["127.0.0.1", "::1"],
        description="Addresses of reverse proxies whose `X-Forwarded-For` is believed, separated by commas "
        "(or a JSON list).",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least important level that is logged."
    )
    worker_processes: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Worker processes that `assent up` starts; 0 means one for each processor, four at most.",
    )
    worker_workflow_tasks: int = Field(
        default=100, ge=2, le=1000, description="Workflow tasks one worker process handles at the same time."
    )
    worker_activities: int = Field(
        default=50, ge=1, le=1000, description="Activities one worker process runs at the same time."
    )
    worker_local_activities: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="Local activities (quick actions) one worker process runs at the same time.",
    )
    worker_cached_workflows: int = Field(
        default=1000, ge=0, description="Runs one worker process keeps in memory between their tasks."
    )
    probe_seconds: float = Field(
        default=10.0, ge=0.2, le=3600, description="Seconds between two health checks of a connector."
    )
    probe_timeout_seconds: float = Field(
        default=5.0, ge=0.1, le=600, description="Seconds that a health check of a connector may take."
    )

    @field_validator("connectors", "cards", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return json.loads(value)
        return [part.strip() for part in value.split(",") if part.strip()]

    @field_validator("data_dir", "cache_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="after")
    def _derive(self) -> Self:
        # The model is frozen for its readers; here it is still being made.
        if not self.database_url:
            self.__dict__["database_url"] = f"sqlite:///{self.data_dir / 'assent.db'}"
        if not self.drill_database_url:
            self.__dict__["drill_database_url"] = f"sqlite:///{self.data_dir / 'drills.db'}"
        if not self.public_url:
            self.__dict__["public_url"] = f"http://{self.web_host}:{self.web_port}"
        self.__dict__["public_url"] = self.public_url.rstrip("/")
        self.__dict__["smtp_port"] = self.smtp_port or {"starttls": 587, "tls": 465, "none": 25}[self.smtp_security]
        self.__dict__["slack_http_url"] = (self.slack_http_url or self.public_url).rstrip("/")
        return self

    @classmethod
    def load(cls, **overrides: object) -> Self:
        """Read the environment, with ``overrides`` (a command's options) on top.

        Raises:
            InvalidInput: A variable does not hold what it should; names it and never repeats its value.
        """
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else "settings"
            raise InvalidInput(
                f"The setting {name} is not usable: {first['msg']}.",
                where=PREFIX + name.upper(),
                todo="docs/settings.md says what it takes.",
            ) from None

    def temporal_profile(self) -> ClientConnectConfig:
        """Say how to connect to Temporal; without ``target_host`` if nothing names a server.

        ``ASSENT_TEMPORAL_ADDRESS`` is a plain address. A server that wants TLS or a key is named in Temporal's own
        client profile (its file, or ``TEMPORAL_*`` variables), whose credentials are used for its address alone.

        Raises:
            InvalidInput: The profile cannot be read.
        """
        try:
            profile = ClientConfigProfile.load().to_client_connect_config()
        except RuntimeError as error:
            raise InvalidInput(
                f"The Temporal client profile cannot be read: {error}.",
                where="TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE",
                todo="Correct that file or variable, or set ASSENT_TEMPORAL_ADDRESS.",
            ) from error
        namespace = self.temporal_namespace
        if "temporal_namespace" not in self.model_fields_set:
            namespace = profile.get("namespace", namespace)
        if self.temporal_address:
            return {"target_host": self.temporal_address, "namespace": namespace}
        if "target_host" not in profile:
            return {"namespace": namespace}
        profile["namespace"] = namespace
        return profile

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these settings, derived values included."""
        return {PREFIX + name.upper(): text for name in type(self).model_fields if (text := self._text(name))}

    def _text(self, name: str) -> str:
        value = getattr(self, name)
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        if isinstance(value, list):
            return json.dumps([str(item) for item in value])
        if name == "temporal_namespace" and name not in self.model_fields_set:
            return ""
        return "" if value is None else str(value)

    @property
    def address_said(self) -> bool:
        """Somebody said where the pages are: settings did, or the running instance."""
        return bool({"public_url", "web_host", "web_port"} & self.model_fields_set)

    @property
    def workers(self) -> int:
        """How many worker processes `assent up` starts."""
        return self.worker_processes or min(_processors(), MOST_WORKERS)

    @property
    def database_label(self) -> str:
        """The database's address without its password, for messages."""
        scheme, _, rest = self.database_url.partition("://")
        credentials, at, host = rest.rpartition("@")
        if not at:
            return self.database_url
        return f"{scheme}://{credentials.partition(':')[0]}:***@{host}"


def unknown_variables() -> list[str]:
    """Return the variables that look like settings and are none: most likely misspelt ones."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | _TEST_VARIABLES
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
