"""What the OpenID provider says of itself: its description, its keys, and asking it at safe addresses only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.httpx_client import AsyncOAuth2Client
from httpx2 import HTTPError
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from assent.domain.errors import InvalidInput, Unavailable

SCOPE = "openid email profile"

_FRESH_METADATA = 3_600.0
_KEYS_AGAIN = 60.0
_TIMEOUT = 10.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_AWAY = "Try again in a moment, or sign in another way."


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """The provider.

    Attributes:
        issuer: Its issuer identifier, an https address (http on this machine only).
        client_id: What it calls Assent.
        client_secret: What Assent shows it; empty for a public client.
        name: What people call it, on the button.
        create_people: Whether somebody unknown with a verified address becomes a person without roles.
    """

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    name: str = "your company account"
    create_people: bool = False


class OpenIdSource:
    """The provider as it is asked.

    Args:
        settings: Which.
        back: The redirect URI.

    Raises:
        InvalidInput: The issuer is no https address.
    """

    def __init__(self, settings: OpenIdSettings, *, back: str) -> None:
        self._settings = settings
        self._back = back
        self._metadata: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_at = self._keys_at = float("-inf")
        self._reading = asyncio.Lock()
        _require_safe(settings.issuer, "ASSENT_OIDC_ISSUER", settings.issuer)

    async def described(self) -> Mapping[str, Any]:
        """What the provider says of itself, at most an hour old.

        Raises:
            Unavailable: It does not answer, or not as it must.
        """
        async with self._reading:
            if time.monotonic() - self._read_at < _FRESH_METADATA:
                return self._metadata
            async with self.client({}) as client:
                address = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                found = await self.json(client, address)
            if found.get("issuer") != self._settings.issuer:
                raise away("calls itself something else than ASSENT_OIDC_ISSUER does")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
                if name in found or name != "userinfo_endpoint":
                    _require_endpoint(found.get(name), self._settings.issuer)
            self._metadata, self._read_at = found, time.monotonic()
            return found

    async def key_set(self, client: AsyncOAuth2Client, metadata: Mapping[str, Any], *, again: bool) -> KeySet:
        """The provider's public keys, at most an hour old; read ``again`` if one is missing, once a minute at most.

        Raises:
            Unavailable: It does not answer, or publishes no usable keys.
        """
        old = time.monotonic() - self._keys_at
        if self._keys is None or old > _FRESH_METADATA or (again and old > _KEYS_AGAIN):
            found = await self.json(client, metadata["jwks_uri"])
            try:
                self._keys = KeySet.import_key_set({"keys": list(found["keys"])})
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise away("publishes no usable keys") from error
            self._keys_at = time.monotonic()
        return self._keys

    async def json(
        self, client: AsyncOAuth2Client, address: str, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """An object that the provider serves.

        Raises:
            Unavailable: It does not answer, or with something else.
        """
        try:
            answer = await client.request("GET", address, withhold_token=True, headers=headers)
            answer.raise_for_status()
            found = answer.json()
        except (HTTPError, ValueError) as error:
            raise away("does not answer") from error
        if not isinstance(found, dict):
            raise away("does not answer as it must")
        return found

    @asynccontextmanager
    async def client(self, metadata: Mapping[str, Any]) -> Any:
        """A client that shows the provider what it wants of its clients."""
        ways = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        way = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        client = AsyncOAuth2Client(
            self._settings.client_id,
            self._settings.client_secret or None,
            scope=SCOPE,
            redirect_uri=self._back,
            code_challenge_method="S256",
            token_endpoint_auth_method=way if self._settings.client_secret else "none",
            timeout=_TIMEOUT,
            follow_redirects=False,
        )
        try:
            yield client
        finally:
            await client.aclose()


def away(what: str) -> Unavailable:
    """The error for a provider that is of no use now."""
    return Unavailable(f"The OpenID provider {what}.", where="openid", todo=_AWAY)


def _require_endpoint(address: object, issuer: str) -> None:
    if not isinstance(address, str) or not _is_safe(address, issuer):
        raise away("names an address that is not safe")


def _require_safe(address: str, where: str, issuer: str) -> None:
    if not _is_safe(address, issuer):
        raise InvalidInput(
            "The issuer is no https address.", where=where, todo="Copy the issuer identifier from your provider."
        )


def _is_safe(address: str, issuer: str) -> bool:
    """Whether secrets may go there: by https, or by http where the provider is this machine itself."""
    parts, home = urlsplit(address), urlsplit(issuer)
    if not parts.hostname or parts.username or parts.fragment:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and home.scheme == "http" and {parts.hostname, home.hostname} <= _LOOPBACK
    )
