"""Settings of the ways in which Assent reaches people and programs: Slack, mail, webhooks."""

from __future__ import annotations

import re
from email.utils import parseaddr
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

_ADDRESS = re.compile(r"[^@\s<>\",]+@[^@\s<>\",]+")


class ReachingSettings(BaseModel):
    """A part of :class:`assent.runtime.settings.Settings`."""

    slack_bot_token: SecretStr | None = Field(default=None, description="Slack bot token (`xoxb-…`); turns Slack on.")
    slack_app_token: SecretStr | None = Field(
        default=None, description="Slack app-level token (`xapp-…`) for Socket Mode, which needs no public address."
    )
    slack_signing_secret: SecretStr | None = Field(
        default=None, description="Secret that Slack signs its HTTP requests with; needed without Socket Mode."
    )
    slack_channel: str | None = Field(default=None, description="Slack channel that approval requests are posted to.")
    slack_client_id: str | None = Field(
        default=None, description="Client id of the Slack app; with the client secret, other workspaces can install it."
    )
    slack_client_secret: SecretStr | None = Field(default=None, description="Client secret of the Slack app.")
    slack_http_url: str = Field(
        default="",
        description="Public address of `assent slack` in HTTP mode, for installing it; unset, the public URL.",
    )
    slack_link_by_email: bool = Field(
        default=True,
        description="Link a Slack user of an installed workspace to the person with the same confirmed address.",
    )
    slack_direct_hourly: int = Field(
        default=30,
        ge=0,
        description="Requests that one person gets as direct messages in Slack in an hour; one more message tells of "
        "the rest. 0: any number.",
    )
    slack_base_url: str | None = Field(
        default=None, description="Address of the Slack Web API; unset means Slack's own. Tests point it at a fake."
    )
    smtp_host: str = Field(default="", description="Mail server (SMTP) that Assent sends through; turns mail on.")
    smtp_port: int = Field(
        default=0, ge=0, le=65535, description="Its port; 0 means 587 with `starttls`, 465 with `tls`, 25 with `none`."
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="`starttls` refuses a server that offers no encryption, `tls` speaks it from the first byte.",
    )
    smtp_username: str = Field(default="", description="Name to sign in to the mail server with; unset, without.")
    smtp_password: SecretStr | None = Field(default=None, description="Password to sign in to the mail server with.")
    smtp_ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) that the mail server's is checked against; unset, the system's."
    )
    mail_from: str = Field(
        default="", description="Sender of mails, `Assent <assent@example.com>`; needed with a mail server."
    )
    mail_link_hours: int = Field(
        default=24,
        ge=1,
        le=24 * 14,
        description="Hours that the link in a mail works at most; it ends with its request's time.",
    )
    mail_hourly: int = Field(
        default=30,
        ge=0,
        description="Mails about requests that one person gets in an hour; one more tells of the rest. 0: any number.",
    )
    webhooks: bool = Field(default=False, description="Call the webhooks that are kept (`assent webhook add`).")
    webhooks_internal: bool = Field(
        default=False, description="Let webhooks go to addresses of private networks, and by `http`."
    )

    @field_validator("mail_from")
    @classmethod
    def _one_address(cls, value: str) -> str:
        address = parseaddr(value)[1]
        if value and (not _ADDRESS.fullmatch(address) or not value.isprintable()):
            raise ValueError("must be one address, like Assent <assent@example.com>")
        return value

    @model_validator(mode="after")
    def _whole_mail(self) -> Self:
        if self.smtp_host and not self.mail_from:
            raise ValueError("ASSENT_SMTP_HOST needs ASSENT_MAIL_FROM beside it")
        if self.smtp_username and self.smtp_password is None:
            raise ValueError("ASSENT_SMTP_USERNAME needs ASSENT_SMTP_PASSWORD beside it")
        return self

    @property
    def slack_wanted(self) -> bool:
        """Whether enough is set for Slack to work: one workspace's own token and channel, or what installing needs."""
        way_in = self.slack_app_token or self.slack_signing_secret
        one_workspace = self.slack_bot_token is not None and bool(self.slack_channel) and way_in is not None
        return one_workspace or self.slack_installable

    @property
    def slack_installable(self) -> bool:
        """Whether other Slack workspaces can install the app: client id, client secret and signing secret are set."""
        return None not in (self.slack_client_id, self.slack_client_secret, self.slack_signing_secret)

    @property
    def mail_wanted(self) -> bool:
        """Whether mails are sent."""
        return bool(self.smtp_host)
