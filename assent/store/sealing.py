"""Secrets that have to be read again, encrypted before they are written down."""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from assent.domain.errors import Unavailable

_VERSION = "1."
_NONCE_BYTES = 12


class Sealer:
    """Seals and opens secrets with AES-256-GCM.

    Args:
        key: The installation's secret key; what was sealed with another one cannot be opened.
        purpose: What the secrets are; one sealed for another purpose cannot be opened.
    """

    def __init__(self, key: str, purpose: str) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"assent {purpose}".encode())
        self._cipher = AESGCM(derived.derive(key.encode()))

    def seal(self, secret: str, *, owner: str) -> str:
        """Encrypt a secret; whoever opens it has to name the same owner."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, secret.encode(), owner.encode())
        return _VERSION + base64.urlsafe_b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str, *, owner: str) -> str:
        """Decrypt a secret.

        Raises:
            Unavailable: It was sealed with another key or for another owner, or was changed.
        """
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_VERSION))
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise Unavailable(
                f"The secret kept for {owner} cannot be opened with this installation's key.",
                where="ASSENT_SECRET_KEY",
                todo="Use the key it was sealed with, or store the secret again.",
            ) from error
