"""A real mail server on loopback, whose trouble can be arranged; and somebody who reads what arrived."""

from __future__ import annotations

import asyncio
import email.policy
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from assent.reaching.post import MailServer

SENDER = "Assent <assent@example.com>"


@dataclass
class MailHost:
    """What the server does and what it got.

    Attributes:
        port: Where it listens.
        arrived: What it took, oldest first, with the recipients of each.
        answers: Answers in place of taking the next mails.
        refuses: Answers to recipients, by address.
        dies: How often it still closes the connection after it took a mail, before it says so.
        slow: Seconds before it answers a mail.
        encrypted: Of each mail, whether it came encrypted.
        login: Name and password that it wants.
    """

    port: int = 0
    arrived: list[tuple[str, EmailMessage]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    dies: int = 0
    slow: float = 0
    encrypted: list[bool] = field(default_factory=list)
    login: tuple[str, str] = ("", "")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.slow)
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.arrived.append((envelope.rcpt_tos[0], message))
        self.encrypted.append(session.ssl is not None)
        if self.dies:
            self.dies -= 1
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return "250 Taken"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: object) -> AuthResult:
        """Check a sign-in."""
        assert isinstance(data, LoginPassword)
        good = (data.login.decode(), data.password.decode()) == self.login
        return AuthResult(success=good, handled=good)

    def to(self, address: str) -> list[EmailMessage]:
        """What arrived for somebody."""
        return [message for recipient, message in self.arrived if recipient == address]

    def server(self, **changes: Any) -> MailServer:
        """How Assent reaches it."""
        usual: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "security": "none", "sender": SENDER}
        return MailServer(**(usual | changes))


@asynccontextmanager
async def mail_host(*, tls: ssl.SSLContext | None = None, login: tuple[str, str] = ("", "")) -> AsyncIterator[MailHost]:
    """A server that listens while the block runs; with a certificate it offers STARTTLS."""
    host = MailHost(login=login)

    def session() -> SMTP:
        return SMTP(
            host,
            hostname="mail.example.com",
            tls_context=tls,
            require_starttls=tls is not None,
            authenticator=host.authenticate if login[0] else None,
            auth_required=bool(login[0]),
            auth_require_tls=tls is not None,
            enable_SMTPUTF8=True,
        )

    listening = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    host.port = listening.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        listening.close()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for 127.0.0.1 that signs itself: what a server needs, and the file that clients trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "mail.pem", folder / "mail.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def text_of(message: EmailMessage) -> str:
    """The text of a mail."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(message: EmailMessage) -> str:
    """The same as markup."""
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def link_of(message: EmailMessage) -> str:
    """The path of the one link."""
    [found] = set(re.findall(r"https?://[^\s\"<>]+", text_of(message)))
    assert set(re.findall(r'href="([^"]+)"', html_of(message))) == {found}
    return f"/{found.split('/', 3)[3]}"
