"""Secrets that are handed out once and kept only as hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

TOKEN_BYTES = 32
"""Random bytes of every token: guessing one is out of the question, so a plain fast hash is enough to keep it."""

_MAX_LENGTH = 200


def new_token(prefix: str = "") -> str:
    """A fresh token: a prefix, then :data:`TOKEN_BYTES` random bytes in base64url."""
    return prefix + secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """What is kept of a token: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class SignedTokens:
    """Tokens with a signature, so that made-up ones are refused without asking the database.

    Args:
        key: The installation's secret key.
        purpose: What the tokens are for; a token for one purpose is none for another.
    """

    def __init__(self, key: str, purpose: str) -> None:
        self._key = hashlib.sha256(f"{purpose}\n{key}".encode()).digest()

    def make(self) -> str:
        """A fresh token."""
        return self._signed(new_token())

    def make_for(self, what: str) -> str:
        """The one token for something: the same each time, and nobody without the key can tell it."""
        made = hmac.new(self._key, f"token for {what}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return self._signed(base64.urlsafe_b64encode(made).rstrip(b"=").decode("ascii"))

    def known_hash(self, signed: str) -> str | None:
        """The hash of a token that was made here; ``None`` if it was not."""
        token, dot, signature = signed[:_MAX_LENGTH].rpartition(".")
        expected = self._signature(token)
        given = signature.encode("utf-8", "surrogatepass")
        if not dot or not hmac.compare_digest(expected.encode(), given):
            return None
        return token_hash(token)

    def _signed(self, token: str) -> str:
        return f"{token}.{self._signature(token)}"

    def _signature(self, token: str) -> str:
        return hmac.new(self._key, token.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
