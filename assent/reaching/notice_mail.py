"""Notices as mails: to whom a page of Assent helps, with a link to it, or to whom an earlier message went, without.

Whoever is asked for their word gets a link that opens the page as them, once, as mails about requests have it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from assent.domain.errors import InvalidInput
from assent.domain.hostile_text import reveal_text
from assent.reaching.writing import SUBJECT_LENGTH, Link, about_link, one_line
from assent.store.notices import Notice, NoticeKind

_WHY = {
    NoticeKind.ALERT: "You get this because the card of an agent names you as a contact.",
    NoticeKind.ASKED: "This mail decides nothing. You get it because your word would count.",
    NoticeKind.DIGEST: "This mail decides nothing. You get it because you are asked; the page of your account says by "
    "which ways, and at which hours, Assent reaches you.",
}


def write_notice(
    notice: Notice, *, sender: str, public_url: str, at: datetime, link: Link | None = None
) -> EmailMessage:
    """A notice as a mail; the same notice has the same Message-ID at every attempt.

    Args:
        notice: What is told.
        sender: Who sends it, ``Assent <assent@example.com>``.
        public_url: Address of the pages, without a slash at its end.
        at: When.
        link: What opens the page as them; without one they sign in there.

    Raises:
        InvalidInput: The address is none that a mail can be sent to.
    """
    name, address = parseaddr(sender)
    host = address.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(name, address)
    message["To"] = _address(notice.name, notice.email)
    line = one_line(notice.headline)
    message["Subject"] = line if len(line) <= SUBJECT_LENGTH else f"{line[: SUBJECT_LENGTH - 2].rstrip()} …"
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{hashlib.sha256(f'notice {notice.id}'.encode()).hexdigest()[:40]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_text(notice, public_url, link), cte="quoted-printable")
    return message


def _text(notice: Notice, public_url: str, link: Link | None) -> str:
    said = "\n".join(reveal_text(line) for line in notice.text.split("\n"))
    if notice.kind is NoticeKind.COUNTER:
        return f"{said}\n"
    page = f"{public_url}{notice.path}" if notice.path else ""
    ways = [page] if page else []
    if link is not None:
        ways = [f"{link.url}\n{about_link(link, notice.name)}", f"Once you are signed in, it is at {page}"]
    return "\n\n".join([reveal_text(notice.headline), said, *ways, f"-- \n{_WHY[notice.kind]}"]) + "\n"


def _address(name: str, address: str) -> Address:
    try:
        return Address(one_line(name), addr_spec=address)
    except (ValueError, IndexError) as error:
        raise InvalidInput("No mail can be sent to this address.", where="email") from error
