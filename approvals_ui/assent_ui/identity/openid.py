"""The OpenID provider: where people are sent, and what to believe of what they come back with.

The code flow with PKCE, state and nonce. Authlib asks for and checks the tokens; what is believed at all is written
here: one issuer, signatures with its public keys only, one client.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from httpx2 import HTTPError
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from assent.domain.clock import Clock
from assent.domain.errors import NotSignedIn
from assent.store.identities import Claimed
from assent_ui.identity.openid_source import OpenIdSettings, OpenIdSource, away

PATH_BACK = "/sign-in/openid/return"
"""Where the provider sends people back to: the redirect URI to register there is the public address with this path."""

SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures that are believed: those that only the provider's private key can make."""

LEEWAY = 60
"""Seconds that the provider's clock may differ from ours."""


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
        self._source = OpenIdSource(settings, back=self.back)

    async def trip(self, *, again: bool = False) -> Trip:
        """The way to the provider.

        Args:
            again: They must prove there anew who they are, even if they are signed in.

        Raises:
            Unavailable: The provider does not answer, or not as it must.
        """
        metadata = await self._source.described()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        extra: dict[str, Any] = {"prompt": "login", "max_age": 0} if again else {}
        async with self._source.client(metadata) as client:
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
        metadata = await self._source.described()
        issuer = self.settings.issuer
        said = answer.get("iss")
        must_say = metadata.get("authorization_response_iss_parameter_supported") is True
        if content.get("issuer") != issuer or (said is not None and said != issuer) or (must_say and said is None):
            raise _refused("This answer is another provider's")
        if "error" in answer or not answer.get("code"):
            raise _refused("Your OpenID provider did not let you in")
        async with self._source.client(metadata) as client:
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
            raise away("does not answer") from error
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
        keys = await self._source.key_set(client, metadata, again=False)
        try:
            return jwt.decode(token, keys, algorithms=algorithms)
        except InvalidKeyIdError:
            # The provider may have changed its keys.
            return jwt.decode(token, await self._source.key_set(client, metadata, again=True), algorithms=algorithms)

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
        found = await self._source.json(client, address, headers)
        return found if found.get("sub") == claims["sub"] else {}


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


def _refused(what: str) -> NotSignedIn:
    return NotSignedIn(f"{what}.", where="openid", todo="Try it again, or ask an administrator for a one-time link.")
