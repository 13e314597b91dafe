"""What browsers answer about passkeys (W3C Web Authentication), and what of it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.structs import AuthenticatorTransport
from webauthn.registration.verify_registration_response import VerifiedRegistration

from assent.domain.errors import InvalidInput, NotSignedIn

TRANSPORTS = frozenset(transport.value for transport in AuthenticatorTransport)
"""Ways of reaching a passkey that are known."""


@dataclass(frozen=True, slots=True)
class PasskeySite:
    """Where passkeys are good.

    Attributes:
        id: The relying party: a host name, never an address in figures.
        origin: Scheme, host and port of the pages.
    """

    id: str
    origin: str


def challenge_in(answer: Mapping[str, Any]) -> str:
    """The challenge that a browser's answer says it answers; empty if the answer cannot be read.

    It proves nothing yet: it only says which ceremony to look up.
    """
    try:
        data = answer["response"]["clientDataJSON"]
        return bytes_to_base64url(parse_client_data_json(base64url_to_bytes(data)).challenge)
    except Exception:
        return ""


def verified_new(site: PasskeySite, answer: Mapping[str, Any], challenge: str) -> VerifiedRegistration:
    """A passkey that a browser made.

    Args:
        site: Where it is to be good.
        answer: What the browser said, as JSON.
        challenge: The challenge that was used up for it.

    Raises:
        InvalidInput: The answer is not what was asked for.
    """
    try:
        made = verify_registration_response(
            credential=dict(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
        _refuse_frames(answer)
    except Exception as error:
        # Whatever an answer that somebody made up makes the library stumble over, it is refused.
        raise InvalidInput(
            f"This passkey was not made as it must be: {_said(error)}.", where="passkey", todo="Try it again."
        ) from error
    return made


def verified_known(
    site: PasskeySite,
    answer: Mapping[str, Any],
    challenge: str,
    *,
    person_id: str,
    key_id: str,
    public_key: str,
    sign_count: int,
) -> VerifiedAuthentication:
    """What a known passkey proved.

    Args:
        site: Where it is good.
        answer: What the browser said, as JSON.
        challenge: The challenge that was used up for it.
        person_id: Whose it is.
        key_id: Its id here.
        public_key: Its public key.
        sign_count: Its counter when it was last used.

    Raises:
        NotSignedIn: It was made for another person or site, or its counter went back.
    """
    _refuse_other_handle(answer, person_id)
    try:
        found = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
        _refuse_frames(answer)
    except Exception as error:
        raise refused(f"This passkey was refused: {_said(error)}", key_id) from error
    return found


def transports_in(answer: Mapping[str, Any]) -> list[str]:
    """The ways of reaching a new passkey that its browser names."""
    said = answer.get("response", {}).get("transports")
    return sorted(TRANSPORTS & {each for each in said if isinstance(each, str)}) if isinstance(said, list) else []


def refused(what: str, where: str = "passkey") -> NotSignedIn:
    """The error for a passkey that lets nobody in."""
    return NotSignedIn(f"{what}.", where=where, todo="Try it again, or sign in another way.")


def _refuse_frames(answer: Mapping[str, Any]) -> None:
    """The pages are never framed, so an answer from within another site's frame is no answer to them."""
    if parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"])).cross_origin:
        raise ValueError("it was made within another site's page")


def _refuse_other_handle(answer: Mapping[str, Any], person_id: str) -> None:
    response = answer.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    if isinstance(handle, str) and handle and handle != bytes_to_base64url(person_id.encode()):
        raise refused("This passkey is another person's")


def _said(error: Exception) -> str:
    """What the library said, without what the other side sent in: the first words, on one line."""
    return " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__
