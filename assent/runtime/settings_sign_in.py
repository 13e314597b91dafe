"""Settings of how people sign in."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator


class SignInSettings(BaseModel):
    """A part of :class:`assent.runtime.settings.Settings`."""

    secret_key: SecretStr | None = Field(
        default=None,
        description="Key that signs sessions and links, 32 characters or more; unset, one is kept in the data folder.",
    )
    oidc_issuer: str = Field(
        default="", description="Issuer identifier of an OpenID provider that people sign in with; turns that on."
    )
    oidc_client_id: str = Field(default="", description="What the OpenID provider calls Assent (client id).")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Secret that Assent shows the OpenID provider; unset for a public client."
    )
    oidc_name: str = Field(
        default="your company account",
        min_length=1,
        max_length=60,
        description="What people call the OpenID provider, on the button.",
    )
    oidc_create_people: bool = Field(
        default=False,
        description="Make somebody unknown with a verified address there a person without roles, instead of refusing.",
    )

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("must have 32 characters or more")
        return value

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("ASSENT_OIDC_ISSUER needs ASSENT_OIDC_CLIENT_ID beside it")
        return self
