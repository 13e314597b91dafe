"""The way to a mail server: one connection for a few mails, with what it answers told apart."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import aiosmtplib

COMMAND_SECONDS = 20.0
"""How long a mail server may take for one answer."""

SEND_SECONDS = 60.0
"""How long one mail may take, from its first command to the server's word that it has it."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in.

    Attributes:
        host: The server.
        port: Its port.
        security: ``starttls``, ``tls`` or ``none``.
        sender: Who sends, ``Assent <assent@example.com>``.
        username: Whom to sign in as; empty for nobody.
        password: Their password.
        ca_file: Certificates that the server's is checked against; ``None`` for the system's.
    """

    host: str
    port: int
    security: str
    sender: str
    username: str = ""
    password: str = ""
    ca_file: Path | None = None


class ServerAway(Exception):
    """The mail server cannot be reached or takes nothing from us: every mail has to wait."""


class NotTaken(Exception):
    """A mail was not taken, or it is not known whether it was.

    Attributes:
        lasting: The server says that trying again will not help.
    """

    def __init__(self, why: str, *, lasting: bool = False) -> None:
        super().__init__(why)
        self.lasting = lasting


class Post:
    """An open connection; after a failure it has to be opened again."""

    def __init__(self, client: aiosmtplib.SMTP, server: MailServer) -> None:
        self._client = client
        self._server = server

    @property
    def is_open(self) -> bool:
        """Whether another mail can be handed in."""
        return self._client.is_connected

    async def send(self, message: EmailMessage, to: str) -> None:
        """Hand in a mail.

        Raises:
            NotTaken: It was refused, or the connection broke before the server's last word.
        """
        sender = parseaddr(self._server.sender)[1]
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._client.send_message(message, sender=sender, recipients=[to])
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            raise _refused(first.code, first.message) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error.code, error.message) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            self._client.close()
            raise NotTaken(f"The connection broke while it was sent: {why(error)}") from error
        except (ValueError, UnicodeError) as error:
            # Neither is the server's fault: an address or a header that cannot be written.
            raise NotTaken(f"It cannot be written as a mail: {type(error).__name__}", lasting=True) from error


@asynccontextmanager
async def connected(server: MailServer) -> AsyncIterator[Post]:
    """A connection, encrypted and signed in as the settings say.

    Raises:
        ServerAway: There is no server, it offers no encryption, its certificate is not good, or it refuses the sign-in.
    """
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        timeout=COMMAND_SECONDS,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=_context(server) if server.security != "none" else None,
    )
    try:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await client.connect()
                if server.username:
                    await client.login(server.username, server.password)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise ServerAway(f"The mail server {server.host}:{server.port}: {why(error)}") from error
        yield Post(client, server)
        if client.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(COMMAND_SECONDS):
                    await client.quit()
    finally:
        client.close()


def why(error: BaseException) -> str:
    """What went wrong, on one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _context(server: MailServer) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(server.ca_file) if server.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise ServerAway(f"The certificates in {server.ca_file} cannot be read: {why(error)}") from error


def _refused(code: int, said: str) -> NotTaken:
    return NotTaken(f"The mail server refuses it: {code} {' '.join(said.split())}"[:400], lasting=500 <= code < 600)
