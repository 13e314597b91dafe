"""A calculator for sums: numbers, ``+ - * /`` and brackets, and nothing else."""

from __future__ import annotations

import math
import re

from assent_activities.connectors.contract import ActionFailed

MAX_LENGTH = 500
"""Characters of an expression; it also bounds how deep brackets go."""

_TOKEN = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+|[-+*/()])")


def calculate(expression: str) -> float:
    """Work out a sum.

    Raises:
        ActionFailed: It is too long, has other characters or an unfinished form, or divides by zero.
    """
    if len(expression) > MAX_LENGTH:
        raise ActionFailed(f"An expression has at most {MAX_LENGTH} characters")
    try:
        reader = _Reader(_tokens(expression))
        value = reader.sum()
        reader.end()
    except ZeroDivisionError:
        raise ActionFailed("Division by zero") from None
    if not math.isfinite(value):
        raise ActionFailed("The result is too large")
    return value


def _tokens(expression: str) -> list[str]:
    tokens: list[str] = []
    rest = expression.strip()
    while rest:
        match = _TOKEN.match(rest)
        if match is None:
            raise ActionFailed("Invalid characters in expression")
        tokens.append(match[1])
        rest = rest[match.end() :]
    return tokens


class _Reader:
    """Recursive descent, one method for each level of precedence."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def sum(self) -> float:
        value = self._product()
        while sign := self._take("+", "-"):
            value = value + self._product() if sign == "+" else value - self._product()
        return value

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise ActionFailed(f"Unexpected {self._tokens[self._at]} in expression")

    def _product(self) -> float:
        value = self._signed()
        while sign := self._take("*", "/"):
            value = value * self._signed() if sign == "*" else value / self._signed()
        return value

    def _signed(self) -> float:
        if sign := self._take("+", "-"):
            return self._signed() if sign == "+" else -self._signed()
        if self._take("("):
            value = self.sum()
            if not self._take(")"):
                raise ActionFailed("A bracket is not closed")
            return value
        if self._at >= len(self._tokens) or self._tokens[self._at] in "+-*/()":
            raise ActionFailed("A number is missing in expression")
        self._at += 1
        return float(self._tokens[self._at - 1])

    def _take(self, *wanted: str) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at] in wanted:
            self._at += 1
            return self._tokens[self._at - 1]
        return ""
