"""Mail: on or off, and whether its server answers and lets us in."""

from __future__ import annotations

from assent.reaching.post import ServerAway, connected
from assent.runtime.delivering import mail_server
from assent.runtime.doctor.report import Finding
from assent.runtime.settings import Settings


async def look_at_mail(settings: Settings) -> list[Finding]:
    """Say whether mails can be handed in; sends none."""
    if not settings.mail_wanted:
        return [Finding(part="mail", ok=True, found="Off: ASSENT_SMTP_HOST is not set.")]
    try:
        async with connected(mail_server(settings)):
            pass
    except ServerAway as error:
        todo = "Check ASSENT_SMTP_HOST and the settings beside it in docs/settings.md; mails wait until it answers."
        return [Finding(part="mail", ok=False, found=f"{error}.", todo=todo)]
    how = {"starttls": "STARTTLS", "tls": "TLS", "none": "no encryption"}[settings.smtp_security]
    who = f", signed in as {settings.smtp_username}" if settings.smtp_username else ""
    found = f"{settings.smtp_host}:{settings.smtp_port} answers, {how}{who}; mails come from {settings.mail_from}."
    return [Finding(part="mail", ok=True, found=found)]
