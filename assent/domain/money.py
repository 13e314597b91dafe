"""Money as people write it, exact: noise of floating-point numbers is left out, a part of a cent never is."""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal

from assent.domain.canonical import Json

_NO_MINOR_UNIT = {
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
}
_THREE_DIGITS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
"""Currencies whose minor unit is not a hundredth (ISO 4217)."""

_CURRENCY = re.compile("[A-Z]{3}")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_NOISE = (Decimal("1e-9"), Decimal("1e-14"))
"""So far, and so far relative to its size, a floating-point number may be from a whole minor unit and still mean it."""

_EXACT = Context(prec=2_000, rounding=ROUND_HALF_UP, Emax=MAX_EMAX, Emin=MIN_EMIN)


def currency_of(text: str) -> str:
    """A currency's code if the text is one (ISO 4217, three capitals), else nothing."""
    return text if _CURRENCY.fullmatch(text) else ""


def number_of_money(value: Json, currency: str = "") -> str | None:
    """An amount with grouped thousands and the decimals of its currency, ``1,250.00``, without the currency's name.

    Args:
        value: A number, or text that is one.
        currency: Its code; two decimals if it is not known.

    Returns:
        The amount; an amount that has parts of a minor unit with all its digits; ``None`` if it is no amount.
    """
    amount = _decimal(value)
    if amount is None:
        return None
    places = 0 if currency in _NO_MINOR_UNIT else 3 if currency in _THREE_DIGITS else 2
    rounded = amount.quantize(Decimal(1).scaleb(-places), context=_EXACT)
    noise = max(_NOISE[0], _NOISE[1] * abs(amount)) if isinstance(value, float) else 0
    if abs(amount - rounded) > noise:
        return f"{amount:,f}"
    return f"{rounded if rounded else abs(rounded):,f}"


def money_text(value: Json, currency: str = "") -> str | None:
    """An amount with its currency in front, ``USD 1,250.00``; ``None`` if it is no amount."""
    number = number_of_money(value, currency)
    return number if number is None or not currency else f"{currency} {number}"


def _decimal(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    amount = Decimal(repr(value) if isinstance(value, float) else value)
    return amount if amount.is_finite() and amount.adjusted() < 1_000 else None
