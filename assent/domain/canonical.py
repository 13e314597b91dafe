"""Canonical JSON and digests (RFC 8785, JSON Canonicalization Scheme)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import rfc8785

from assent.domain.errors import InvalidInput

Json = Any
"""A JSON value: ``None``, ``bool``, ``int``, ``float``, ``str``, a list or a dict with string keys."""


def canonical_json(value: Json) -> bytes:
    """Serialise a JSON value so that equal values give equal bytes.

    Args:
        value: Integers must fit in ±(2^53 - 1) and floats must be finite, as I-JSON (RFC 7493) asks.

    Returns:
        UTF-8 bytes in the canonical form of RFC 8785.

    Raises:
        InvalidInput: The value cannot be expressed in I-JSON.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError, TypeError) as error:
        raise InvalidInput(
            f"This value cannot be written as canonical JSON: {error}.",
            todo="Send whole numbers within ±(2^53 - 1) or as strings, finite numbers, and valid Unicode text.",
        ) from error


def stable_text(value: Json) -> str:
    """JSON text that is the same for equal values written by this function; a hash may cover it.

    It is several times quicker than :func:`canonical_json`, and enough where the text itself is what is kept.

    Raises:
        InvalidInput: The value cannot be expressed in JSON.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(f"This value cannot be written as JSON: {error}.") from error


def digest_of(value: Json) -> str:
    """SHA-256 over the canonical JSON of a value, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
