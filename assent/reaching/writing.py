"""Mails about requests: the card's own text, one link, and headers that nothing an agent wrote can add to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assent.domain.approvals import ApprovalStatus
from assent.domain.card_content import content
from assent.domain.card_text import exact, plain_text, section_lines
from assent.domain.errors import InvalidInput
from assent.domain.hostile_text import reveal_text
from assent.store.letters import Letter, LetterKind

SUBJECT_LENGTH = 120
"""Characters of a subject at most."""

_LEADS = {
    LetterKind.ASKED: "You are asked to decide.",
    LetterKind.REMINDED: "Still undecided: you are asked to decide.",
    LetterKind.ESCALATED: "Nobody else decided it, or somebody handed it on: now you are asked, too.",
    LetterKind.EDITED: "What it asks for was edited: you are asked to decide anew. Approvals given before lapsed.",
}
_SUBJECTS = {
    LetterKind.ASKED: "To decide",
    LetterKind.REMINDED: "Still undecided",
    LetterKind.ESCALATED: "Escalated to you",
    LetterKind.EDITED: "Edited, to decide",
}
_OUTCOMES = {
    ApprovalStatus.APPROVED: "Approved",
    ApprovalStatus.REJECTED: "Rejected",
    ApprovalStatus.EXPIRED: "Expired undecided",
    ApprovalStatus.WITHDRAWN: "Withdrawn",
}
_WHY = (
    "This mail decides nothing. You get it because you are asked; the page of your account says by which ways, "
    "and at which hours, Assent reaches you."
)


@dataclass(frozen=True, slots=True)
class Link:
    """The link of a mail.

    Attributes:
        url: Its address.
        ends: Until when it works.
    """

    url: str
    ends: datetime


def write_mail(letter: Letter, link: Link | None, *, sender: str, at: datetime) -> EmailMessage:
    """A letter as a mail; the same letter has the same Message-ID at every attempt.

    Args:
        letter: Whom it is for and what it says.
        link: What opens the request as them; none in a mail that asks nothing.
        sender: Who sends it, ``Assent <assent@example.com>``.
        at: When.

    Raises:
        InvalidInput: The person's address is none that a mail can be sent to.
    """
    name, address = parseaddr(sender)
    host = address.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(name, address)
    message["To"] = _address(letter.person.name, letter.person.email)
    message["Subject"] = subject(letter)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = _id(f"letter {letter.notification.id} {letter.kind} {letter.approval.id}", letter, host)
    # All letters to one person about one request make one conversation.
    message["References"] = _id(f"request {letter.approval.id}", letter, host)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_text(letter, link), cte="quoted-printable")
    message.add_alternative(_html(letter, link), subtype="html", cte="quoted-printable")
    return message


def subject(letter: Letter) -> str:
    """A short sentence on one line, hidden characters marked."""
    kind = letter.kind
    said = _OUTCOMES.get(letter.approval.status, "Decided") if kind is LetterKind.DECIDED else _SUBJECTS[kind]
    line = f"{said}: {one_line(letter.approval.headline)}"
    return line if len(line) <= SUBJECT_LENGTH else f"{line[: SUBJECT_LENGTH - 2].rstrip()} …"


def one_line(text: str) -> str:
    """A text on one line, hidden characters marked."""
    return " ".join(reveal_text(text).split())


def _lead(letter: Letter) -> str:
    if letter.kind is not LetterKind.DECIDED:
        return _LEADS[letter.kind]
    approval = letter.approval
    by = f" by {one_line(approval.decided_by.name)}" if approval.decided_by else ""
    when = f", {exact(approval.decided_at)}" if approval.decided_at else ""
    why = f". The reason: {one_line(approval.decision_reason)}" if approval.decision_reason else "."
    return f"{_OUTCOMES.get(approval.status, 'Decided')}{by}{when}{why}"


def about_link(link: Link, name: str) -> str:
    """What stands under a link: as whom it opens what the mail is about, and until when."""
    who = one_line(name)
    return f"The link opens it as {who}, once, until {exact(link.ends)}. Pass it on to nobody. There you decide."


def _text(letter: Letter, link: Link | None) -> str:
    parts = [_lead(letter)]
    if letter.kind is LetterKind.DECIDED:
        parts.append(reveal_text(letter.approval.headline))
    else:
        if link is not None:
            parts.append(f"{link.url}\n{about_link(link, letter.person.name)}")
        card = letter.approval.card
        parts.append((card.text or plain_text(content(card))).rstrip("\n"))
    return "\n\n".join([*parts, f"-- \n{_WHY}"]) + "\n"


def _html(letter: Letter, link: Link | None) -> str:
    shown = content(letter.approval.card)
    sections = []
    if letter.kind is not LetterKind.DECIDED:
        sections = [(each.title, "\n".join(section_lines(each))) for each in shown.sections]
    more = f" … {shown.headline.more}" if shown.headline.left_out else ""
    return (
        _templates()
        .get_template("letter.html")
        .render(
            subject=subject(letter),
            lead=_lead(letter),
            headline=reveal_text(shown.headline.text) + more,
            url=link.url if link else "",
            about_link=about_link(link, letter.person.name) if link else "",
            sections=sections,
            why=_WHY,
        )
    )


@cache
def _templates() -> Environment:
    folder = Path(__file__).parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _address(name: str, address: str) -> Address:
    try:
        return Address(one_line(name), addr_spec=address)
    except (ValueError, IndexError) as error:
        raise InvalidInput("No mail can be sent to this address.", where="email") from error


def _id(what: str, letter: Letter, host: str) -> str:
    digest = hashlib.sha256(f"{what} {letter.person.id}".encode()).hexdigest()[:40]
    return f"<{digest}@{host}>"
