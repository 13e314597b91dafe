"""People, sign-in links, sessions and keys: kept as hashes, used once, ended in time, all in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from assent.domain.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from assent.domain.people import SYSTEM, Role
from assent.store import cards, people
from assent.store.database import Database
from assent.store.keys import KeyScope, check_key, make_key, revoke_key
from assent.store.people import Person
from assent.store.queries import ledger
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent.store.refusals import PER_MINUTE, Refusals
from assent.store.sign_in import SESSION_LIFETIME, Browser, SignIn
from tests.databases import KINDS, migrated_database

NOW = datetime(2030, 1, 1, tzinfo=UTC)
KEY = "the secret key of an installation in these tests"


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with an agent."""
    with migrated_database(request.param, request, tmp_path) as made:
        with made.write() as session:
            cards.publish(session, agent="clerk", title="Clerk", source="", card={}, catalogue={}, at=NOW, by=SYSTEM)
        yield made


@pytest.fixture
def sign_in() -> SignIn:
    return SignIn(KEY)


@pytest.fixture
def anna(database: Database) -> Person:
    with database.write() as session:
        return people.add(session, email=" Anna@Example.com ", name="Anna  A", roles=[Role.OWNER], at=NOW, by=SYSTEM)


def link(database: Database, sign_in: SignIn, person: Person, lifetime: timedelta = timedelta(minutes=15)) -> str:
    with database.write() as session:
        return sign_in.make_link(session, person, at=NOW, by=SYSTEM, lifetime=lifetime)


def kinds(database: Database) -> list[str]:
    with database.read() as session:
        return [event.kind for event in ledger.page(session, request=PageRequest(MAX_LIMIT)).items][::-1]


def everything_kept(database: Database) -> str:
    """All texts of all tables."""
    with database.engine.connect() as connection:
        return "\n".join(
            str(row) for table in SQLModel.metadata.sorted_tables for row in connection.execute(table.select())
        )


def test_a_person_is_known_by_a_tidy_address(database: Database, anna: Person) -> None:
    assert (anna.email, anna.name) == ("anna@example.com", "Anna A")
    assert anna.may(Role.OWNER)
    assert not anna.may(Role.ADMIN)
    with database.read() as session:
        assert people.by_email(session, "ANNA@example.com") == anna
        assert not people.nobody_yet(session)
    with pytest.raises(Conflict), database.write() as session:
        people.add(session, email="anna@EXAMPLE.com", at=NOW, by=SYSTEM)


@pytest.mark.parametrize(
    "email", ["", "anna", "a b@example.com", "anna@", "@example.com", "a\x00@b.c", "x" * 300 + "@b.c"]
)
def test_what_is_no_address(database: Database, email: str) -> None:
    with pytest.raises(InvalidInput), database.write() as session:
        people.add(session, email=email, at=NOW, by=SYSTEM)


def test_every_change_of_a_person_is_kept_with_before_and_after(database: Database, anna: Person) -> None:
    with database.write() as session:
        people.change(session, anna.id, at=NOW, by=SYSTEM, roles=[Role.AUDITOR, Role.APPROVER])
        people.change(session, anna.id, at=NOW, by=SYSTEM, roles=[Role.APPROVER, Role.AUDITOR])
    with database.read() as session:
        newest = ledger.page(session).items[0]
    assert newest.kind == "person.changed"
    assert newest.body["before"]["roles"] == ["owner"]
    assert newest.body["after"]["roles"] == ["approver", "auditor"]
    assert kinds(database).count("person.changed") == 1
    with pytest.raises(NotFound), database.write() as session:
        people.change(session, "nobody", at=NOW, by=SYSTEM, disabled=True)


def test_a_link_signs_in_once(database: Database, sign_in: SignIn, anna: Person) -> None:
    token = link(database, sign_in, anna)
    with database.write() as session:
        opened = sign_in.open(session, token, at=NOW, browser=Browser(user_agent="x" * 1_000))
    with database.read() as session:
        found = sign_in.check(session, opened.token, at=NOW)
    assert found is not None
    assert found.person == anna
    with pytest.raises(NotSignedIn), database.write() as session:
        sign_in.open(session, token, at=NOW)
    assert kinds(database)[-2:] == ["session.link_made", "session.opened"]
    kept = everything_kept(database)
    for secret in (token, token.partition(".")[0], opened.token, opened.token.partition(".")[0]):
        assert secret not in kept


def test_of_clicks_at_the_same_moment_one_counts(database: Database, sign_in: SignIn, anna: Person) -> None:
    token = link(database, sign_in, anna)

    def click(_: int) -> bool:
        try:
            with database.write() as session:
                sign_in.open(session, token, at=NOW)
        except NotSignedIn:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(click, range(16))) == 1


def test_links_and_sessions_end_in_time(database: Database, sign_in: SignIn, anna: Person) -> None:
    token = link(database, sign_in, anna)
    with pytest.raises(NotSignedIn), database.write() as session:
        sign_in.open(session, token, at=NOW + timedelta(minutes=15))
    with database.write() as session:
        opened = sign_in.open(session, token, at=NOW + timedelta(minutes=14))
    with database.read() as session:
        assert sign_in.check(session, opened.token, at=opened.expires_at - timedelta(seconds=1))
        assert sign_in.check(session, opened.token, at=opened.expires_at) is None
    assert opened.expires_at == NOW + timedelta(minutes=14) + SESSION_LIFETIME


def test_signing_out_ends_the_session_once(database: Database, sign_in: SignIn, anna: Person) -> None:
    with database.write() as session:
        opened = sign_in.open(session, sign_in.make_link(session, anna, at=NOW, by=SYSTEM), at=NOW)
        sign_in.close(session, opened.token, at=NOW)
        sign_in.close(session, opened.token, at=NOW)
        assert sign_in.check(session, opened.token, at=NOW) is None
    assert kinds(database).count("session.closed") == 1


def test_a_token_for_one_thing_is_none_for_another(database: Database, sign_in: SignIn, anna: Person) -> None:
    token = link(database, sign_in, anna)
    with database.read() as session:
        assert sign_in.check(session, token, at=NOW) is None
        assert SignIn(KEY + "!").check(session, token, at=NOW) is None
    for forged in ("", ".", "x", token[:-1], token + "x", token.upper(), "\ud800.x", "x" * 100_000):
        with pytest.raises(NotSignedIn), database.write() as session:
            sign_in.open(session, forged, at=NOW)


def test_who_was_switched_off_stays_out(database: Database, sign_in: SignIn, anna: Person) -> None:
    token = link(database, sign_in, anna)
    with database.write() as session:
        opened = sign_in.open(session, sign_in.make_link(session, anna, at=NOW, by=SYSTEM), at=NOW)
        people.change(session, anna.id, at=NOW, by=SYSTEM, disabled=True)
        assert sign_in.check(session, opened.token, at=NOW) is None
    with pytest.raises(NotSignedIn), database.write() as session:
        sign_in.open(session, token, at=NOW)


def test_a_key_is_shown_once_and_kept_as_a_hash(database: Database) -> None:
    with database.write() as session:
        made = make_key(session, agent="clerk", at=NOW, by=SYSTEM, scopes=[KeyScope.RUNS_READ])
        holder = check_key(session, made.key, at=NOW)
    assert (holder.agent, holder.scopes) == ("clerk", frozenset({KeyScope.RUNS_READ}))
    assert made.key.startswith("assent_")
    assert len(made.key) >= 43 + len("assent_")
    assert made.key not in everything_kept(database)


def test_a_key_ends_when_it_is_too_old_or_revoked(database: Database) -> None:
    with database.write() as session:
        made = make_key(session, agent="clerk", at=NOW, by=SYSTEM, lifetime=timedelta(days=1))
        endless = make_key(session, agent="clerk", at=NOW, by=SYSTEM, lifetime=None)
        with pytest.raises(NotSignedIn, match="too old"):
            check_key(session, made.key, at=NOW + timedelta(days=1))
        assert check_key(session, endless.key, at=NOW + timedelta(days=9_999)).agent == "clerk"
        assert revoke_key(session, endless.id, at=NOW, by=SYSTEM) == "clerk"
        revoke_key(session, endless.id, at=NOW, by=SYSTEM)
        with pytest.raises(NotSignedIn, match="revoked"):
            check_key(session, endless.key, at=NOW)
        with pytest.raises(NotFound):
            revoke_key(session, "key-none", at=NOW, by=SYSTEM)
    assert kinds(database).count("key.revoked") == 1


@pytest.mark.parametrize("key", ["", "assent_", "assent_x", "x", "\ud800", "x" * 100_000])
def test_a_made_up_key(database: Database, key: str) -> None:
    with pytest.raises(NotSignedIn), database.read() as session:
        check_key(session, key, at=NOW)


def test_a_key_needs_an_agent_a_scope_and_time(database: Database) -> None:
    with database.write() as session:
        with pytest.raises(NotFound):
            make_key(session, agent="nobody", at=NOW, by=SYSTEM)
        with pytest.raises(InvalidInput):
            make_key(session, agent="clerk", at=NOW, by=SYSTEM, scopes=[])
        with pytest.raises(InvalidInput):
            make_key(session, agent="clerk", at=NOW, by=SYSTEM, lifetime=timedelta(0))
        with pytest.raises(InvalidInput):
            make_key(session, agent="clerk", at=NOW, by=SYSTEM, name="x" * 101)


def test_knocking_often_does_not_fill_the_ledger(database: Database) -> None:
    now = NOW
    refusals = Refusals(database, lambda: now)
    for _ in range(PER_MINUTE + 40):
        refusals.record("key.refused", "This key is not known here.")
    assert kinds(database).count("key.refused") == PER_MINUTE
    now = NOW + timedelta(minutes=1)
    refusals.record("key.refused", "This key is not known here.")
    with database.read() as session:
        assert ledger.page(session).items[0].body["not_recorded_before"] == 40
