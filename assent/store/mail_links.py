"""Links in mails: each opens one page as one person, once. Only hashes of their tokens are kept.

The page is that of a request, or of something else that waits for the person's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.assurance import Proof
from assent.domain.errors import NotSignedIn
from assent.domain.people import Via
from assent.store import ledger, people
from assent.store.letters import Letter
from assent.store.notices import Notice
from assent.store.people import Person
from assent.store.sign_in import Browser, SignedIn, SignIn
from assent.store.statements import rows_changed
from assent.store.tables import MailLinkRow
from assent.store.tokens import SignedTokens, token_hash

KEPT = timedelta(days=30)
"""How long a link's row is kept after its end, so that it is told from a made-up one."""


@dataclass(frozen=True, slots=True)
class Opens:
    """What a link opens.

    Attributes:
        id: The request, or whatever else waits for the person's word.
        path: The page of something else; empty for a request.
    """

    id: str
    path: str = ""

    @property
    def noun(self) -> str:
        """What people call it."""
        return "page" if self.path else "request"

    @property
    def named(self) -> dict[str, str]:
        """It as the ledger has it."""
        return {"about" if self.path else "approval": self.id}


class RefusedLink(NotSignedIn):
    """A link opens nothing.

    Attributes:
        opens: What it opened once; ``None`` if nobody made it.
        person_id: Whom it was made for; empty likewise.
    """

    def __init__(self, what: str, *, opens: Opens | None = None, person_id: str = "") -> None:
        todo = f"Sign in and open the {opens.noun} there." if opens else "Take the newest mail, or sign in."
        super().__init__(what, where="link", todo=todo)
        self.opens = opens
        self.person_id = person_id


@dataclass(frozen=True, slots=True)
class MailLink:
    """A link that works.

    Attributes:
        person: As whom it opens something.
        opens: What it opens.
        expires_at: Until when.
    """

    person: Person
    opens: Opens
    expires_at: datetime


class MailLinks:
    """Makes links and uses them up.

    Args:
        key: The installation's secret key.
    """

    def __init__(self, key: str) -> None:
        self._tokens = SignedTokens(key, "mail link")

    def make(self, session: Session, letter: Letter, *, at: datetime, lifetime: timedelta) -> tuple[str, datetime]:
        """The token of a letter, and until when it works; the token is the same at every attempt to send it.

        Args:
            session: The transaction.
            letter: Whom it is for and what it opens.
            at: When.
            lifetime: How long it works at most; it ends with the request's own time.
        """
        approval, person = letter.approval, letter.person
        ends = at + lifetime
        if approval.expires_at > at:
            ends = min(ends, approval.expires_at)
        token = self._tokens.make_for(f"{letter.notification.id}\n{approval.id}\n{person.id}")
        return self._keep(session, token, person, Opens(approval.id), at=at, ends=ends)

    def make_for_word(
        self, session: Session, notice: Notice, person: Person, *, at: datetime, ends: datetime
    ) -> tuple[str, datetime]:
        """The token of a mail that asks for somebody's word; the same at every attempt to send it, likewise.

        Args:
            session: The transaction.
            notice: What they are asked, and its page.
            person: Whom it is for.
            at: When.
            ends: Until when it works.
        """
        token = self._tokens.make_for(f"{notice.id}\n{notice.path}\n{person.id}")
        return self._keep(session, token, person, Opens(notice.subject, notice.path), at=at, ends=ends)

    def _keep(
        self, session: Session, token: str, person: Person, opens: Opens, *, at: datetime, ends: datetime
    ) -> tuple[str, datetime]:
        session.execute(delete(MailLinkRow).where(col(MailLinkRow.expires_at) <= at - KEPT))
        known = token_hash(token.rpartition(".")[0])
        row = session.get(MailLinkRow, known)
        if row is not None:
            row.expires_at = ends
        else:
            row = MailLinkRow(
                token_hash=known,
                person_id=person.id,
                approval_id=opens.id,
                path=opens.path,
                created_at=at,
                expires_at=ends,
            )
            session.add(row)
            session.flush()
        return token, ends

    def look(self, session: Session, token: str, *, at: datetime) -> MailLink:
        """What a link opens, without using it up.

        Raises:
            RefusedLink: It was made up, used before or is too old, or its person may no longer sign in.
        """
        known = self._tokens.known_hash(token)
        wanted = select(MailLinkRow).where(col(MailLinkRow.token_hash) == (known or ""))
        row = session.execute(wanted).scalar_one_or_none()
        if row is None:
            raise RefusedLink("This link was never made here.")
        if row.used_at is not None:
            raise _refused("This link was used before; it works once.", row)
        if row.expires_at <= at:
            raise _refused("This link is too old.", row)
        person = people.one(session, row.person_id)
        if person is None or person.disabled:
            raise _refused("Whoever this link was made for may no longer sign in.", row)
        return MailLink(person, Opens(row.approval_id, row.path), row.expires_at)

    def open(
        self, session: Session, sign_in: SignIn, token: str, *, at: datetime, browser: Browser
    ) -> tuple[MailLink, SignedIn]:
        """Use a link up and open a session, which is worth what one by a sign-in link is, or less.

        Raises:
            RefusedLink: As in :meth:`look`; of two clicks at the same moment, for the second.
        """
        link = self.look(session, token, at=at)
        known = self._tokens.known_hash(token)
        # One statement, so that of two clicks at the same moment one counts.
        used = session.execute(
            update(MailLinkRow)
            .where(col(MailLinkRow.token_hash) == known, col(MailLinkRow.used_at).is_(None))
            .values(used_at=at)
            .execution_options(synchronize_session=False)
        )
        if rows_changed(used) == 0:
            what = "This link was used before; it works once."
            raise RefusedLink(what, opens=link.opens, person_id=link.person.id)
        body = {"person": link.person.id, "email": link.person.email, **link.opens.named}
        ledger.append(session, at=at, kind="mail_link.used", actor=link.person.acting(Via.WEB), body=dict(body))
        return link, sign_in.let_in(session, link.person, Proof.MAIL, at=at, browser=browser)


def _refused(what: str, row: MailLinkRow) -> RefusedLink:
    return RefusedLink(what, opens=Opens(row.approval_id, row.path), person_id=row.person_id)
