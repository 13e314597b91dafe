"""What the provider of the tests says of people."""

from __future__ import annotations

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator


class Claims(OAuth2Validator):  # type: ignore[misc]
    """Addresses are in the identity token; one of them is not verified."""

    oidc_claim_scope = None

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        """The claims of the person who is signed in."""
        user = request.user
        return {
            "email": user.email,
            "email_verified": not user.email.startswith("unverified"),
            "name": user.first_name,
        }
