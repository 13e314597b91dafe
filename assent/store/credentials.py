"""Everything that somebody can prove themselves with, taken away at once: for whoever lost it, or is suspected."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.people import Actor
from assent.store import identities, passkeys, passwords, sessions, slack_people, webhooks
from assent.store.people import Person
from assent.store.tables import MailLinkRow, SignInLinkRow, SlackTicketRow


def reset(session: Session, person: Person, *, at: datetime, by: Actor) -> dict[str, int]:
    """Take a person's password, passkeys, accounts elsewhere, in Slack, too, webhook and open sessions away.

    Links and codes that were made for them and not used yet work no more; a new link lets them in.

    Returns:
        How many of each there were.
    """
    counts = {"passwords": int(passwords.remove(session, person, at=at, by=by)), "passkeys": 0, "accounts": 0}
    for key in passkeys.of_person(session, person.id):
        passkeys.remove(session, person, key.id, at=at, by=by)
        counts["passkeys"] += 1
    for identity in identities.of_person(session, person.id):
        identities.unbind(session, person, identity.issuer, at=at, by=by)
        counts["accounts"] += 1
    counts["accounts"] += len(slack_people.unlink(session, person, at=at, by=by))
    # Whoever had the account may have entered it, to be told of everything from then on.
    for webhook in webhooks.of_owner(session, person.id):
        webhooks.remove(session, webhook.id, at=at, by=by)
    for made in (SignInLinkRow, SlackTicketRow, MailLinkRow):
        unused = update(made).where(col(made.person_id) == person.id, col(made.used_at).is_(None))
        session.execute(unused.values(used_at=at).execution_options(synchronize_session=False))
    return counts | {"sessions": sessions.end_all(session, person.id, at=at, by=by)}
