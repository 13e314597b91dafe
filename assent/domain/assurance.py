"""How sure it must be who decides: the check that the gateway makes and the claiming activity makes again."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from assent.domain.errors import NeedsProof
from assent.domain.people import Actor, Assurance, Via

FRESH_FOR = timedelta(minutes=5)
"""How long a passkey, a password or a sign-in at the OpenID provider counts as a fresh proof."""


class Proof(StrEnum):
    """How somebody proved who they are."""

    LINK = "link"
    MAIL = "mail"
    PASSWORD = "password"
    PASSKEY = "passkey"
    OIDC = "oidc"

    @property
    def words(self) -> str:
        """As people say it."""
        words = {"link": "one-time link", "mail": "link in a mail", "oidc": "OpenID provider"}
        return words.get(self.value, self.value)


_BY_PLACE = {Via.SLACK: Assurance.SLACK, Via.WEB: Assurance.SESSION, Via.API: Assurance.SESSION}
_NEEDS = {
    Assurance.SLACK: "somebody whom Assent knows",
    Assurance.SESSION: "a signed-in session in the web page",
    Assurance.FRESH: "a passkey, a password or a new sign-in of the last five minutes",
}
_REMEDIES = {
    Assurance.SLACK: "Ask an administrator to connect you.",
    Assurance.SESSION: "Open the request in the web page and decide there.",
    Assurance.FRESH: "Confirm in the web page that it is you, at /account/confirm, and decide again.",
}


def of_session(proven_at: datetime | None, now: datetime) -> Assurance:
    """What a web session is worth, by when its person last proved who they are."""
    fresh = proven_at is not None and timedelta(0) <= now - proven_at <= FRESH_FOR
    return Assurance.FRESH if fresh else Assurance.SESSION


def of_actor(by: Actor) -> Assurance:
    """What an actor's word is worth: what they carry, or what the place is worth where they carry nothing."""
    return by.assurance or _BY_PLACE.get(by.via, Assurance.SESSION)


def needs_in_words(needed: Assurance) -> str:
    """What a decision needs, as a phrase: "a signed-in session in the web page"."""
    return _NEEDS[needed]


def check_assurance(needed: Assurance, by: Actor) -> None:
    """Refuse a decision by somebody who is not proven well enough.

    Args:
        needed: What the card asks for.
        by: Who decides.

    Raises:
        NeedsProof: It needs more; ``needed`` says what.
    """
    if of_actor(by).is_enough_for(needed):
        return
    raise NeedsProof(f"This needs {_NEEDS[needed]}.", where="assurance", todo=_REMEDIES[needed], needed=needed.value)
