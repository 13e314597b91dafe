"""What the command line works with: the database, and the gateway with or without Temporal."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, InvalidInput
from assent.domain.people import Actor, Role, Via
from assent.gateway import Gateway
from assent.runtime.channels import channels_of
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal.connect import connect
from assent.runtime.verify import VerifyReport, verify
from assent.store import people
from assent.store.database import Database
from assent.store.people import Person
from assent.store.queries.paging import MAX_LIMIT, PageRequest

PATIENCE = timedelta(seconds=5)
"""How long a command waits for a Temporal server that does not answer."""


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database of these settings."""
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def reading(settings: Settings) -> Iterator[Session]:
    """A session that reads the database of these settings.

    Raises:
        Unavailable: It cannot be reached.
    """
    with opened(settings) as database, database.read() as session:
        yield session


async def verified(settings: Settings, *, histories: bool) -> VerifyReport:
    """Check everything against everything, with progress on standard error.

    Raises:
        Unavailable: The database is away. Temporal may be: then its histories are left out, and the report says so.
    """
    progress = Progress()
    with opened(settings) as database:
        client = None
        if histories:
            with contextlib.suppress(AssentError):
                client = await connect(settings, patience=PATIENCE)
        return await verify(database, client, progress.phase)


@contextlib.asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[tuple[Gateway, Database]]:
    """A gateway that reaches Temporal, and its database.

    Raises:
        Unavailable: Temporal does not answer.
    """
    with opened(settings) as database:
        client = await connect(settings, patience=PATIENCE)
        channels = channels_of(settings)
        yield Gateway(client, database, task_queue_prefix=settings.task_queue_prefix, channels=channels), database


async def connect_if_there(gateway: Gateway, settings: Settings) -> str:
    """Connect a gateway to Temporal; gives the reason if it cannot be reached at once."""
    try:
        gateway.client = await connect(settings, patience=timedelta(0))
    except AssentError as error:
        return error.what
    return ""


def console_actor() -> Actor:
    """Whoever types: the account of the operating system, for the ledger."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = str(os.getuid())
    return Actor(id=f"console:{account}", name=f"{account} at the console", via=Via.CLI)


def deciding_person(session: Session, email: str | None) -> Person:
    """The person in whose name a decision is made: the named one, or the only one who may decide.

    Raises:
        NotFound: There is no person with this address.
        InvalidInput: Nobody is named, and it is not clear who.
    """
    if email is not None:
        return people.named(session, email)
    everybody = people.page(session, request=PageRequest(MAX_LIMIT)).items
    able = [person for person in everybody if person.may(Role.APPROVER) and not person.disabled]
    if len(able) != 1:
        raise InvalidInput(
            "In whose name? " + (f"{len(able)} people may decide." if able else "Nobody may decide yet."),
            where="--as",
            todo="Say it with `--as ADDRESS`; `assent people list` shows everybody.",
        )
    return able[0]
