"""Calls signed as Standard Webhooks has it (symmetric, ``v1``): those that Assent makes, and those that it takes.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from assent.domain.errors import NotSignedIn

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
"""Random bytes of a secret."""

TOLERANCE = timedelta(minutes=5)
"""How far a call's own time may lie from ours, either way."""

LONGEST_ID = 200
"""Characters of a message's id."""

_MOST_SIGNATURES = 10
"""Signatures looked at: a caller that changes its secret sends two."""


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A call as it came, before anybody believes it.

    Attributes:
        id: The header ``webhook-id``: the same for every attempt of one message.
        timestamp: The header ``webhook-timestamp``: seconds since 1970, of this attempt.
        signatures: The header ``webhook-signature``: one or several, divided by spaces.
        body: What it says, byte for byte.
    """

    id: str
    timestamp: str
    signatures: str
    body: bytes


def written_secret(random: bytes) -> str:
    """A secret as its users write it down."""
    return f"{SECRET_PREFIX}{base64.b64encode(random).decode('ascii')}"


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature`` of a call."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode('ascii')}"


def check(call: SignedCall, secret: str, *, now: datetime) -> None:
    """Believe a call, or refuse it.

    Args:
        call: What came.
        secret: What it must be signed with.
        now: The time here.

    Raises:
        NotSignedIn: A header is missing or no good, its time lies more than :data:`TOLERANCE` away, or its signature
            is not by this secret.
    """
    if not 0 < len(call.id) <= LONGEST_ID or not call.id.isprintable() or not call.id.isascii():
        raise _refused("The call has no usable id.", "webhook-id", f"Send one of 1 to {LONGEST_ID} plain characters.")
    if not call.timestamp.isascii() or not call.timestamp.isdecimal() or len(call.timestamp) > 12:
        raise _refused(
            "The call has no usable time.", "webhook-timestamp", "Send the seconds since 1970, in whole numbers."
        )
    if abs(now.timestamp() - int(call.timestamp)) > TOLERANCE.total_seconds():
        minutes = int(TOLERANCE.total_seconds() // 60)
        raise _refused(
            f"The call's time is more than {minutes} minutes away from the time here.",
            "webhook-timestamp",
            "Set both clocks, and sign each attempt anew.",
        )
    if not _signed_by(secret, call):
        raise _refused(
            "The signature is not by this hook's secret.",
            "webhook-signature",
            "Sign `id.timestamp.body`, byte for byte, with the secret shown when the hook was made.",
        )


def _signed_by(secret: str, call: SignedCall) -> bool:
    expected = signature(secret, call.id, int(call.timestamp), call.body)
    right = False
    for given in call.signatures.split()[:_MOST_SIGNATURES]:
        version, _, signed = given.partition(",")
        # Base64 is written in more than one way; what counts is what it stands for.
        right |= version == "v1" and hmac.compare_digest(_raw(signed), _raw(expected.partition(",")[2]))
    return right


def _raw(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _refused(what: str, where: str, todo: str) -> NotSignedIn:
    return NotSignedIn(what, where=where, todo=todo)
