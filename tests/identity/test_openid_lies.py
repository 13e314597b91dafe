"""What is believed of an OpenID provider's answer: nothing that is not signed by it, for us, now."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from assent.domain.errors import InvalidInput
from assent.domain.people import Role
from assent.runtime.processes import free_port
from assent_ui.identity.openid import PATH_BACK, OpenIdProvider
from assent_ui.identity.openid_source import OpenIdSettings
from tests.identity.house import House, build
from tests.identity.serving import served

CLIENT_ID, CLIENT_SECRET = "assent", "a client secret of thirty-two characters"
Lie = Callable[["Liar", dict[str, Any]], str]


@dataclass
class Liar:
    """A provider that says what a test wants it to."""

    issuer: str
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    lie: Lie | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    nonce: str = ""

    def claims(self) -> dict[str, Any]:
        """The truth."""
        now = int(time.time())
        return {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "subject-1",
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
            "email": "vera@example.com",
            "email_verified": True,
        }

    def signed(self, claims: dict[str, Any], key: Any = None, **header: Any) -> str:
        """A token."""
        algorithm = header.get("alg", "RS256")
        return jwt.encode({"alg": "RS256", "kid": "one"} | header, claims, key or self.key, algorithms=[algorithm])

    @property
    def app(self) -> FastAPI:
        """Its endpoints."""
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def described() -> dict[str, Any]:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            } | self.metadata

        @app.get("/keys")
        async def keys() -> dict[str, Any]:
            return {"keys": [self.key.as_dict(private=False)]}

        @app.post("/token")
        async def token(_: Request) -> dict[str, Any]:
            said = self.claims()
            made = self.lie(self, said) if self.lie else self.signed(said)
            return {"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": made}

        return app


@asynccontextmanager
async def lying(folder: Path, **changes: Any) -> AsyncIterator[tuple[House, Liar]]:
    """A house whose provider lies."""
    port = free_port()
    liar = Liar(f"http://127.0.0.1:{port}", **changes)
    settings = OpenIdSettings(issuer=liar.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    house = build(folder / "assent.db", openid=settings)
    house.person("Vera", Role.ADMIN)
    async with served(liar.app, port):
        yield house, liar
    house.database.close()


async def status(house: House, liar: Liar, extra: str = "") -> int:
    """What comes of somebody's way there and back."""
    async with house.browser() as browser:
        left = await browser.get("/sign-in/openid")
        if left.status_code != 303:
            return left.status_code
        query = parse_qs(urlsplit(left.headers["location"]).query)
        liar.nonce = query["nonce"][0]
        answer = await browser.get(f"{PATH_BACK}?code=any&state={query['state'][0]}{extra}")
        assert await browser.signed_in() is (answer.status_code == 303)
        return answer.status_code


def unsigned(_: Liar, claims: dict[str, Any], **header: str) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'} | header)}.{part(claims)}."


def with_public_key_as_secret(liar: Liar, claims: dict[str, Any]) -> str:
    """Made by hand: no decent library helps with it."""
    head = unsigned(liar, claims, alg="HS256", kid="one").rstrip(".")
    mark = hmac.new(liar.key.as_pem(private=False), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


LIES: dict[str, Lie] = {
    "no signature": unsigned,
    "the public key as a shared secret": with_public_key_as_secret,
    "the client secret as a key": lambda liar, claims: liar.signed(
        claims, OctKey.import_key(CLIENT_SECRET), alg="HS256"
    ),
    "another's signature": lambda liar, claims: liar.signed(claims, RSAKey.generate_key(2048, {"kid": "one"})),
    "a key nobody knows": lambda liar, claims: liar.signed(claims, RSAKey.generate_key(2048), kid="two"),
    "another issuer": lambda liar, claims: liar.signed(claims | {"iss": "https://other.example"}),
    "another client": lambda liar, claims: liar.signed(claims | {"aud": "somebody else"}),
    "several clients, for another": lambda liar, claims: liar.signed(
        claims | {"aud": [CLIENT_ID, "other"], "azp": "other"}
    ),
    "another nonce": lambda liar, claims: liar.signed(claims | {"nonce": "replayed"}),
    "no nonce": lambda liar, claims: liar.signed({key: value for key, value in claims.items() if key != "nonce"}),
    "too old": lambda liar, claims: liar.signed(claims | {"exp": int(time.time()) - 300}),
    "no subject": lambda liar, claims: liar.signed({key: value for key, value in claims.items() if key != "sub"}),
    "an address verified by a word": lambda liar, claims: liar.signed(claims | {"email_verified": "true"}),
    "an address not verified": lambda liar, claims: liar.signed(claims | {"email_verified": False}),
    "no address": lambda liar, claims: liar.signed({key: value for key, value in claims.items() if key != "email"}),
    "no token": lambda liar, claims: "neither header nor body",
}


async def test_the_truth_is_believed(tmp_path: Path) -> None:
    async with lying(tmp_path) as (house, liar):
        assert await status(house, liar) == 303
        assert await status(house, liar, f"&iss={liar.issuer}") == 303


@pytest.mark.parametrize("name", LIES)
async def test_a_lie_is_not(tmp_path: Path, name: str) -> None:
    async with lying(tmp_path, lie=LIES[name]) as (house, liar):
        assert await status(house, liar) == 401
        assert house.events("session.opened") == []
        assert house.events("identity.bound") == []
        assert house.events("session.refused")


async def test_an_answer_that_must_name_its_issuer_does(tmp_path: Path) -> None:
    metadata = {"authorization_response_iss_parameter_supported": True}
    async with lying(tmp_path, metadata=metadata) as (house, liar):
        assert await status(house, liar) == 401
        assert await status(house, liar, "&iss=https://other.example") == 401
        assert await status(house, liar, f"&iss={liar.issuer}") == 303


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://other.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
)
async def test_a_provider_that_describes_itself_wrongly_is_away(tmp_path: Path, metadata: dict[str, Any]) -> None:
    async with lying(tmp_path, metadata=metadata) as (house, liar):
        assert await status(house, liar) == 503


async def test_new_keys_of_the_provider_are_fetched(tmp_path: Path) -> None:
    async with lying(tmp_path) as (house, liar):
        assert await status(house, liar) == 303
        liar.key = RSAKey.generate_key(2048, {"kid": "two"})
        liar.lie = lambda liar, claims: liar.signed(claims, kid="two")
        # Not at once: somebody could otherwise have the keys fetched with each made-up token.
        assert await status(house, liar) == 401
        provider: OpenIdProvider = house.app.state.deps.openid
        provider._source._keys_at -= 61
        assert await status(house, liar) == 303


async def test_an_address_that_passed_to_another_account_opens_nothing(tmp_path: Path) -> None:
    async with lying(tmp_path) as (house, liar):
        assert await status(house, liar) == 303
        liar.lie = lambda liar, claims: liar.signed(claims | {"sub": "subject-2"})
        assert await status(house, liar) == 401
        # The account that is bound goes on, whatever its address is now.
        liar.lie = lambda liar, claims: liar.signed(claims | {"email": "new@example.com", "email_verified": False})
        assert await status(house, liar) == 303


async def test_a_proof_from_before_it_was_asked_for_is_not_fresh(tmp_path: Path) -> None:
    async with lying(tmp_path) as (house, liar), house.browser() as browser:
        for old, expected in ((0, 303), (-3_600, 401), (3_600, 401)):
            left = await browser.get("/sign-in/openid")
            query = parse_qs(urlsplit(left.headers["location"]).query)
            liar.nonce, liar.lie = query["nonce"][0], None
            await browser.get(f"{PATH_BACK}?code=any&state={query['state'][0]}")
            left = await browser.get("/account/confirm/openid?next=/people")
            query = parse_qs(urlsplit(left.headers["location"]).query)
            at = int(time.time()) + old
            liar.nonce = query["nonce"][0]
            liar.lie = lambda liar, claims, at=at: liar.signed(claims | {"auth_time": at})
            answer = await browser.get(f"{PATH_BACK}?code=any&state={query['state'][0]}")
            assert answer.status_code == expected


@pytest.mark.parametrize(
    "issuer", ["http://login.example.com", "ftp://x", "login.example.com", "https://u:p@x.example"]
)
def test_an_issuer_is_an_https_address(issuer: str, house: House) -> None:
    with pytest.raises(InvalidInput) as refused:
        OpenIdProvider(OpenIdSettings(issuer, "assent"), public_url="https://assent.example", clock=house.clock)
    assert refused.value.where == "ASSENT_OIDC_ISSUER"
