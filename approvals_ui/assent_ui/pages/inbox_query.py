"""What an address of the inbox asks for: filters, an order, a question, and how it is laid out."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from assent.domain.errors import InvalidInput
from assent.store.queries.inbox import Wanted
from assent.store.queries.inbox_walk import Bounds, Sort

MINE, EVERYBODY = "mine", "all"
GROUP = "group:"

SORTS = {
    Sort.DUE: "Due soonest",
    Sort.OLDEST: "Asked first",
    Sort.NEWEST: "Asked last",
    Sort.AMOUNT: "Largest amount",
}
"""Orders that people can choose, and their names."""

TIMES = {
    "10m": ("10 minutes", timedelta(minutes=10)),
    "1h": ("1 hour", timedelta(hours=1)),
    "4h": ("4 hours", timedelta(hours=4)),
    "1d": ("1 day", timedelta(days=1)),
    "3d": ("3 days", timedelta(days=3)),
    "7d": ("7 days", timedelta(days=7)),
}
"""Times to choose from, for how long a request waits or has left."""

LONGEST = 200
"""Characters of one filter."""


@dataclass(frozen=True, slots=True)
class InboxQuery:
    """The inbox as somebody wants it; every field stands in the address under its name.

    Attributes:
        who: ``mine``, ``all`` or ``group:NAME``; empty for what fits the viewer.
        agent: Only of this agent.
        type: Only of this action type.
        least: Only moving this much or more.
        most: Only moving this much or less.
        older: Only waiting this long or longer, one of :data:`TIMES`.
        due: Only with this much time left or less, one of :data:`TIMES`.
        sort: The order.
        alike: ``yes`` lays requests out by kind.
        q: Words to search for.
    """

    who: str = ""
    agent: str = ""
    type: str = ""
    least: str = ""
    most: str = ""
    older: str = ""
    due: str = ""
    sort: str = ""
    alike: str = ""
    q: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            if len(getattr(self, field.name)) > LONGEST:
                raise InvalidInput(f"A filter has at most {LONGEST} characters.", where=field.name)
        _number(self.least, "least")
        _number(self.most, "most")
        _one_of(self.older, TIMES, "older")
        _one_of(self.due, TIMES, "due")
        _one_of(self.sort, SORTS, "sort")
        if self.who not in ("", MINE, EVERYBODY) and not self.who.startswith(GROUP):
            raise InvalidInput(f"{self.who!r} is nobody.", where="who", todo="Choose mine, all or group:NAME.")

    @classmethod
    def read(cls, query: str) -> InboxQuery:
        """What a saved view asks for; what it does not know is left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in parse_qsl(query) if name in known})

    @property
    def bounds(self) -> dict[str, str]:
        """The filters that are set, besides whose requests and the words."""
        names = ("agent", "type", "least", "most", "older", "due")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    @property
    def narrowed(self) -> bool:
        """Something that waits may be out of sight."""
        return bool(self.bounds or self.q)

    def wanted(self, tokens: Collection[str], now: datetime, default: str) -> Wanted:
        """The same for the store.

        Args:
            tokens: Everything the viewer can be asked as.
            now: The time.
            default: Whose requests are shown if the address does not say.
        """
        who = self.who or default
        asked = None if who == EVERYBODY else tuple(tokens) if who == MINE else (who,)
        return Wanted(
            bounds=Bounds(
                agent=self.agent or None,
                type=self.type or None,
                least=_number(self.least, "least"),
                most=_number(self.most, "most"),
                asked_before=now - TIMES[self.older][1] if self.older else None,
                due_before=now + TIMES[self.due][1] if self.due else None,
            ),
            tokens=asked,
            sort=Sort(self.sort) if self.sort else Sort.DUE,
        )

    def address(self, **changes: str) -> str:
        """The same with some fields changed, as the end of an address, without what is empty."""
        changed = replace(self, **changes)
        set_fields = [(field.name, getattr(changed, field.name)) for field in fields(changed)]
        return urlencode([(name, value) for name, value in set_fields if value])

    def link(self, **changes: str) -> str:
        """The address of the inbox with some fields changed."""
        query = self.address(**changes)
        return f"/?{query}" if query else "/"

    def words(self) -> list[tuple[str, str]]:
        """Each filter that is set in words, and the address without it."""
        told = {
            "agent": self.agent,
            "type": self.type,
            "least": f"{self.least} or more",
            "most": f"{self.most} or less",
            "older": f"waiting {TIMES[self.older][0]} or longer" if self.older else "",
            "due": f"due within {TIMES[self.due][0]}" if self.due else "",
        }
        return [(told[name], self.link(**{name: ""})) for name in self.bounds]


def _number(text: str, where: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInput(f"{text!r} is no amount.", where=where, todo="Write it as 1250.50.")
    return number


def _one_of(text: str, known: Collection[str], where: str) -> None:
    if text and text not in known:
        raise InvalidInput(f"{text!r} cannot be chosen.", where=where, todo="Choose one of those in the list.")
