"""The OpenID provider: where people are sent, and what to believe of what they come back with.

The code flow with PKCE, state and nonce. Authlib asks for and checks the tokens; what is believed at all is written
here: one issuer, signatures with its public keys only, one client.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from httpx2 import HTTPError
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from assent.domain.clock import Clock
from assent.domain.errors import InvalidInput, NotSignedIn, Unavailable
from assent.store.identities import Claimed

SCOPE = "openid email profile"

PATH_BACK = "/sign-in/openid/return"
"""Where the provider sends people back to: the redirect URI to register there is the public address with this path."""

SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures that are believed: those that only the provider's private key can make."""

LEEWAY = 60
"""Seconds that the provider's clock may differ from ours."""

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


@dataclass(frozen=True, slots=True)
class Trip:
    """Somebody on their way to the provider.

    Attributes:
        address: Where to send them.
        state: What they come back with.
        content: What must be kept until then.
    """

    address: str
    state: str
    content: dict[str, str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who came back.

    Attributes:
        claimed: What the provider says of them.
        authenticated_at: When they last proved there who they are; ``None`` if the provider does not say.
    """

    claimed: Claimed
    authenticated_at: datetime | None


class OpenIdProvider:
    """One provider.

    Args:
        settings: Which.
        public_url: Address of the pages.
        clock: The time.

    Raises:
        InvalidInput: The issuer is no https address.
    """

    def __init__(self, settings: OpenIdSettings, *, public_url: str, clock: Clock) -> None:
        self.settings = settings
        self.back = f"{public_url}{PATH_BACK}"
        self._clock = clock
        self._metadata: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_at = self._keys_at = float("-inf")
        self._reading = asyncio.Lock()
        _require_safe(settings.issuer, "ASSENT_OIDC_ISSUER", settings.issuer)

    async def trip(self, *, again: bool = False) -> Trip:
        """The way to the provider.

        Args:
            again: They must prove there anew who they are, even if they are signed in.

        Raises:
            Unavailable: The provider does not answer, or not as it must.
        """
        metadata = await self._described()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        extra: dict[str, Any] = {"prompt": "login", "max_age": 0} if again else {}
        async with self._client(metadata) as client:
            address, _ = client.create_authorization_url(
                metadata["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce, **extra
            )
        return Trip(address, state, {"nonce": nonce, "verifier": verifier, "issuer": self.settings.issuer})

    async def arrival(self, answer: Mapping[str, str], content: Mapping[str, str]) -> Arrival:
        """Who came back, once everything was checked.

        Args:
            answer: What the browser brought, its state used up already.
            content: What was kept for this state.

        Raises:
            NotSignedIn: It is an error, another issuer's, forged, too old or not for us.
            Unavailable: The provider does not answer, or not as it must.
        """
        metadata = await self._described()
        issuer = self.settings.issuer
        said = answer.get("iss")
        must_say = metadata.get("authorization_response_iss_parameter_supported") is True
        if content.get("issuer") != issuer or (said is not None and said != issuer) or (must_say and said is None):
            raise _refused("This answer is another provider's")
        if "error" in answer or not answer.get("code"):
            raise _refused("Your OpenID provider did not let you in")
        async with self._client(metadata) as client:
            token = await self._token(client, metadata, answer["code"], content["verifier"])
            claims = await self._claims(client, metadata, token, content["nonce"])
            more = claims if "email" in claims else await self._user_info(client, metadata, token, claims)
        claimed = Claimed(
            issuer=issuer,
            subject=str(claims["sub"]),
            email=str(more.get("email") or ""),
            # Some providers write "true": who is that careless about types may be so about verifying.
            email_verified=more.get("email_verified") is True,
            name=str(more.get("name") or ""),
        )
        at = claims.get("auth_time")
        return Arrival(claimed, datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) else None)

    async def _token(
        self, client: AsyncOAuth2Client, metadata: Mapping[str, Any], code: str, verifier: str
    ) -> Mapping[str, Any]:
        try:
            token: Mapping[str, Any] = await client.fetch_token(
                metadata["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier
            )
        except OAuthError as error:
            raise _refused("Your OpenID provider did not accept the way back") from error
        except (HTTPError, ValueError) as error:
            raise _away("does not answer") from error
        if not isinstance(token.get("id_token"), str):
            raise _refused("Your OpenID provider did not say who you are")
        return token

    async def _claims(
        self, client: AsyncOAuth2Client, metadata: Mapping[str, Any], token: Mapping[str, Any], nonce: str
    ) -> Mapping[str, Any]:
        """The claims of an identity token whose signature, issuer, audience, time and nonce are right."""
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        algorithms = [name for name in SIGNATURES if name in offered]
        try:
            decoded = await self._decoded(client, metadata, token["id_token"], algorithms)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                    "sub": {"essential": True},
                    "nonce": {"essential": True, "value": nonce},
                },
                params={
                    "nonce": nonce,
                    "client_id": self.settings.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=int(self._clock().timestamp()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _refused(f"What your OpenID provider said is not right ({type(error).__name__})") from error
        if not isinstance(claims["sub"], str) or not 1 <= len(claims["sub"]) <= 255:
            raise _refused("What your OpenID provider said is not right (sub)")
        return dict(claims)

    async def _decoded(
        self, client: AsyncOAuth2Client, metadata: Mapping[str, Any], token: str, algorithms: list[str]
    ) -> jwt.Token:
        keys = await self._key_set(client, metadata, again=False)
        try:
            return jwt.decode(token, keys, algorithms=algorithms)
        except InvalidKeyIdError:
            # The provider may have changed its keys.
            return jwt.decode(token, await self._key_set(client, metadata, again=True), algorithms=algorithms)

    async def _user_info(
        self,
        client: AsyncOAuth2Client,
        metadata: Mapping[str, Any],
        token: Mapping[str, Any],
        claims: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """What the provider's own endpoint says of the same subject, where its token names no address."""
        address = metadata.get("userinfo_endpoint")
        if not address:
            return {}
        headers = {"Authorization": f"Bearer {token.get('access_token')}"}
        found = await self._json(client, address, headers)
        return found if found.get("sub") == claims["sub"] else {}

    async def _described(self) -> Mapping[str, Any]:
        """What the provider says of itself, at most an hour old."""
        async with self._reading:
            if time.monotonic() - self._read_at < _FRESH_METADATA:
                return self._metadata
            async with self._client({}) as client:
                address = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                found = await self._json(client, address)
            if found.get("issuer") != self.settings.issuer:
                raise _away("calls itself something else than ASSENT_OIDC_ISSUER does")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
                if name in found or name != "userinfo_endpoint":
                    _require_endpoint(found.get(name), self.settings.issuer)
            self._metadata, self._read_at = found, time.monotonic()
            return found

    async def _key_set(self, client: AsyncOAuth2Client, metadata: Mapping[str, Any], *, again: bool) -> KeySet:
        old = time.monotonic() - self._keys_at
        if self._keys is None or old > _FRESH_METADATA or (again and old > _KEYS_AGAIN):
            found = await self._json(client, metadata["jwks_uri"])
            try:
                self._keys = KeySet.import_key_set({"keys": list(found["keys"])})
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise _away("publishes no usable keys") from error
            self._keys_at = time.monotonic()
        return self._keys

    async def _json(
        self, client: AsyncOAuth2Client, address: str, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            answer = await client.request("GET", address, withhold_token=True, headers=headers)
            answer.raise_for_status()
            found = answer.json()
        except (HTTPError, ValueError) as error:
            raise _away("does not answer") from error
        if not isinstance(found, dict):
            raise _away("does not answer as it must")
        return found

    @asynccontextmanager
    async def _client(self, metadata: Mapping[str, Any]) -> Any:
        ways = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        way = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        client = AsyncOAuth2Client(
            self.settings.client_id,
            self.settings.client_secret or None,
            scope=SCOPE,
            redirect_uri=self.back,
            code_challenge_method="S256",
            token_endpoint_auth_method=way if self.settings.client_secret else "none",
            timeout=_TIMEOUT,
            follow_redirects=False,
        )
        try:
            yield client
        finally:
            await client.aclose()


def fresh_proof(arrival: Arrival, *, begun_at: datetime, now: datetime) -> datetime:
    """When somebody proved anew at the provider who they are.

    Raises:
        NotSignedIn: They did so before they were asked to, or the provider does not say when.
    """
    at = arrival.authenticated_at
    leeway = timedelta(seconds=LEEWAY)
    if at is None or at < begun_at - leeway or at > now + leeway:
        raise _refused("Your OpenID provider did not ask you again who you are")
    return min(at, now)


def _require_endpoint(address: object, issuer: str) -> None:
    if not isinstance(address, str) or not _is_safe(address, issuer):
        raise _away("names an address that is not safe")


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


def _refused(what: str) -> NotSignedIn:
    return NotSignedIn(f"{what}.", where="openid", todo="Try it again, or ask an administrator for a one-time link.")


def _away(what: str) -> Unavailable:
    return Unavailable(f"The OpenID provider {what}.", where="openid", todo=_AWAY)
