"""A slash command as it was typed."""

from __future__ import annotations

from dataclasses import dataclass

from assent.domain.errors import InvalidInput
from assent.domain.people import Actor, Via
from assent.store.people import Person
from assent_slack.clicks import Click
from assent_slack.dependencies import Dependencies
from assent_slack.people import Known


@dataclass(frozen=True, slots=True)
class Asked:
    """A command, and who typed it where."""

    deps: Dependencies
    known: Known
    click: Click
    words: list[str]

    @property
    def person(self) -> Person:
        """Who typed it."""
        return self.known.person

    @property
    def acting(self) -> Actor:
        """They, acting in Slack."""
        return self.person.acting(Via.SLACK)

    def word(self, place: int, what: str) -> str:
        """One word of it.

        Raises:
            InvalidInput: It is missing.
        """
        if len(self.words) <= place:
            raise InvalidInput(f"This needs {what}.", where="command", todo="`/assent help` shows what is understood.")
        return self.words[place]

    def rest(self, place: int) -> str:
        """Everything from a word on."""
        return " ".join(self.words[place:])
