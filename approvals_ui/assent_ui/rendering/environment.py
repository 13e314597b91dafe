"""The template environment: everything a template prints is escaped, with hidden characters made visible.

Safety is the default and not a filter that somebody can forget: every text that reaches a template's output passes
:func:`~assent.domain.hostile_text.reveal`, unless it already is markup made here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from markupsafe import Markup, escape

from assent.domain.actions import ActionStatus
from assent.domain.card_content import content
from assent.domain.clock import Clock
from assent.domain.hostile_text import reveal, reveal_text, size_of, written_out
from assent.domain.words import counted, lasting, money, reached
from assent_ui.rendering.faces import ACTION, face_of
from assent_ui.rendering.records import laid_out, plain
from assent_ui.rendering.rollbacks import sums

HERE = Path(__file__).parent.parent
STATIC = HERE / "static"

LONG_TEXT = 400
"""From this many characters on a text is shown with its size."""

SOON = timedelta(hours=1)
NOW = timedelta(minutes=10)


def build_environment(clock: Clock) -> Environment:
    """The templates, with the filters they use."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "attr_text": attr_text,
        "coded": coded,
        "counted": counted,
        "exact": exact,
        "excerpt": excerpt,
        "face": face_of,
        "json": written_out,
        "kind": kind,
        "lasting": lasting,
        "money": money,
        "plain": plain,
        "reach": reached,
        "record_link": record_link,
        "rows": laid_out,
        "size": size_of,
        "step": step_words,
        "sums": sums,
        "time": _time_tag(clock),
        "took": took,
    }
    environment.globals |= {
        "asset": asset,
        "card_content": partial(content, unchanged=True),
        "due": _due(clock),
        "LONG_TEXT": LONG_TEXT,
    }
    return environment


def kind(item: object) -> str:
    """Which kind of thing an item of a request's content is, ``fact``, ``points``, …"""
    return type(item).__name__.lower()


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return shown(str(value))
    return value if isinstance(value, Markup | Undefined) else shown(str(value))


def shown(text: str) -> Markup:
    """A text as markup: escaped, hidden and disguised characters as marks."""
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part.text) if part.marked else escape(part.text) for part in reveal(text)
    )


def attr_text(text: str) -> Markup:
    """A text for an attribute, where no markup can be."""
    return escape(reveal_text(text))


def exact(text: str) -> Markup:
    """A text as it is, for a field that is sent back: marks of hidden characters would become part of it."""
    return escape(text)


def coded(text: str) -> Markup:
    """Advice of ours with its commands, written between backticks, set as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return shown(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(shown(part)) if place % 2 else shown(part) for place, part in enumerate(parts)
    )


def excerpt(text: str, limit: int = 240) -> str:
    """The beginning of a long text for lists, with how much was left out said in words."""
    if len(text) <= limit + 40:
        return text
    return f"{text[:limit].rstrip()} … and {len(text) - limit:,} more characters"


def took(time: timedelta) -> str:
    """How long something took, in words."""
    return lasting(time) if time >= timedelta(seconds=1) else "less than a second"


def record_link(name: str) -> str:
    """The address of a record's page; a name that browsers would shorten as a path goes as a query."""
    parts = name.split("/")
    odd = any(part in ("", ".", "..") for part in parts)
    return f"/records?name={quote(name, safe='')}" if odd else f"/records/{quote(name)}"


def step_words(step: str) -> str:
    """A run's newest step, ``<sentence>: <status>``, as a person says it."""
    sentence, _, status = step.rpartition(": ")
    if not sentence or status not in list(ActionStatus):
        return step
    return f"{sentence.rstrip('.')}: {ACTION[ActionStatus(status)].word.lower()}"


def _time_tag(clock: Clock) -> Callable[[datetime | None], Markup]:
    def time_tag(moment: datetime | None) -> Markup:
        """A moment: relative in sight, exact on hover and for machines; scripts keep it current and local."""
        if moment is None:
            return Markup("")
        exact = moment.astimezone(UTC)
        return Markup('<time datetime="{}" title="{}" data-relative>{}</time>').format(
            exact.isoformat(timespec="seconds").replace("+00:00", "Z"),
            exact.strftime("%-d %b %Y, %H:%M:%S UTC"),
            ago(moment, clock()),
        )

    return time_tag


def ago(moment: datetime, now: datetime) -> str:
    """How far a moment lies from now, in words; the exact day from a week on."""
    apart = now - moment
    if abs(apart) < timedelta(seconds=10):
        return "now"
    if abs(apart) >= timedelta(days=7):
        return moment.astimezone(UTC).strftime("%-d %b %Y")
    words = lasting(abs(apart)).split(" ")
    rounded = " ".join(words[:2])
    return f"{rounded} ago" if apart > timedelta(0) else f"in {rounded}"


def _due(clock: Clock) -> Callable[[datetime], dict[str, str]]:
    def due(moment: datetime) -> dict[str, str]:
        left = moment - clock()
        if left <= timedelta(0):
            return {"words": "expired", "urgency": "now"}
        whole = left if left < timedelta(minutes=2) else timedelta(minutes=left // timedelta(minutes=1))
        return {"words": f"{lasting(whole)} left", "urgency": "now" if left < NOW else "soon" if left < SOON else ""}

    return due


@lru_cache
def asset(name: str) -> str:
    """The address of a static file, which changes when the file does."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
