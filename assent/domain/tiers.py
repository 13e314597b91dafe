"""How freely an action may run, and the risks that make it less free."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Tier(IntEnum):
    """The tier of an action: strictest first they are suggest, approve, veto, auto.

    The numbers are what rows and histories keep; they are no order.
    """

    SUGGEST = 0
    APPROVE = 1
    AUTO = 2
    VETO = 3

    @property
    def word(self) -> str:
        """The tier as cards and pages write it."""
        return self.name.lower()


class Risk(StrEnum):
    """The risk flags of the decision guide. Each forces approval unless a card grants automation safely."""

    MONEY = "money"
    ACCESS = "access"
    LEGAL = "legal"
    CUSTOMER_FACING = "customer_facing"
    IRREVERSIBLE = "irreversible"
    EXTERNAL = "external"

    @property
    def sentence(self) -> str:
        """Why the flag matters, in words for a business owner."""
        return _RISK_SENTENCES[self]


_RISK_SENTENCES = {
    Risk.MONEY: "It moves money.",
    Risk.ACCESS: "It changes who has access to something.",
    Risk.LEGAL: "It touches legal terms.",
    Risk.CUSTOMER_FACING: "A customer will see it as the company's word.",
    Risk.IRREVERSIBLE: "It is hard to reverse.",
    Risk.EXTERNAL: "It acts in a system outside the company.",
}


class Speed(StrEnum):
    """How long an action type takes: decides how the worker runs it."""

    QUICK = "quick"
    """Seconds at most; runs as a local activity."""
    LONG = "long"
    """May take minutes; runs as a heartbeating activity on a queue of its own."""
