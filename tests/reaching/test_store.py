"""Who is told is worked out once, on both databases, and what was chosen stays chosen."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from assent.domain.people import SYSTEM, Role
from assent.domain.quiet_hours import QuietHours
from assent.domain.reaching import Reaching
from assent.store import absences, letters, outbox, reaching, slack_people, webhooks
from assent.store.letters import MAIL, Letter
from assent.store.mail_links import MailLinks, Opens, RefusedLink
from assent.store.sealing import Sealer
from assent.store.sign_in import Browser, SignIn
from assent.store.slack_people import How
from assent.store.webhooks import SEALED_FOR, WEBHOOK
from tests.databases import KINDS, migrated_database
from tests.identity.house import KEY, Clock
from tests.reaching.bureau import Bureau

LEASE = timedelta(minutes=1)


@pytest.fixture(params=KINDS)
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bureau]:
    """A bureau on each kind of database."""
    with migrated_database(request.param, request, tmp_path) as database:
        yield Bureau(database, Clock(), channels=(MAIL, WEBHOOK))


def test_a_notification_becomes_one_letter_for_each(office: Bureau) -> None:
    people = [office.person(f"Ann{number}") for number in range(5)]
    with office.database.write() as session:
        sealer = Sealer(KEY, SEALED_FOR)
        webhooks.add(session, sealer, url="https://example.com/", at=office.clock(), by=SYSTEM, internal=False)
    office.ask()
    [written] = outbox.claim_due(office.database, MAIL, at=office.clock(), lease=LEASE, limit=5)
    [told] = outbox.claim_due(office.database, WEBHOOK, at=office.clock(), lease=LEASE, limit=5)

    def address(_: int) -> bool:
        with office.database.write() as session:
            return letters.address_letters(session, written, office.clock())

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(address, range(4))) == [False, False, False, True]
    with office.database.write() as session:
        assert webhooks.address_calls(session, told, office.clock())
    assert {one.recipient for one in office.queue()} == {person.id for person in people}
    assert len(office.queue(WEBHOOK)) == 1
    claimed = outbox.claim_due(office.database, MAIL, at=office.clock(), lease=LEASE, limit=50)
    assert len(claimed) == 5


def test_a_letter_is_for_whoever_is_asked_now(office: Bureau) -> None:
    ann, bea = office.person("Ann"), office.person("Bea")
    office.ask()
    [written] = outbox.claim_due(office.database, MAIL, at=office.clock(), lease=LEASE)
    with office.database.write() as session:
        letters.address_letters(session, written, office.clock())
    to = {one.recipient: one for one in office.queue()}
    with office.database.write() as session:
        now = office.clock()
        ends = now + timedelta(days=1)
        absences.add(session, bea.id, starts_at=now, ends_at=ends, delegate_id=None, note="", at=now, by=SYSTEM)
    with office.database.read() as session:
        assert isinstance(letters.letter(session, to[ann.id], office.clock()), Letter)
        assert letters.letter(session, to[bea.id], office.clock() + timedelta(seconds=1)) is None
    office.choose(ann, mail=False)
    with office.database.read() as session:
        assert letters.letter(session, to[ann.id], office.clock()) is None


def test_a_link_is_used_once_and_kept_for_a_while(office: Bureau) -> None:
    ann, links, sign_in = office.person("Ann"), MailLinks(KEY), SignIn(KEY)
    office.ask(within=timedelta(hours=2))
    [written] = outbox.claim_due(office.database, MAIL, at=office.clock(), lease=LEASE)
    with office.database.write() as session:
        letters.address_letters(session, written, office.clock())
    [mine] = office.queue()
    with office.database.write() as session:
        letter = letters.letter(session, mine, office.clock())
        assert isinstance(letter, Letter)
        token, ends = links.make(session, letter, at=office.clock(), lifetime=timedelta(days=1))
        again, _ = links.make(session, letter, at=office.clock(), lifetime=timedelta(days=1))
        assert (token, letter.approval.expires_at) == (again, ends)
    with office.database.write() as session:
        link, _ = links.open(session, sign_in, token, at=office.clock(), browser=Browser())
        assert (link.person.id, link.opens) == (ann.id, Opens(letter.approval.id))
    with office.database.write() as session, pytest.raises(RefusedLink, match="used before"):
        links.open(session, sign_in, token, at=office.clock(), browser=Browser())
    with office.database.read() as session, pytest.raises(RefusedLink, match="never made"):
        MailLinks("another key of thirty-two characters").look(session, token, at=office.clock())


def test_direct_messages_are_one_choice_with_the_others(office: Bureau) -> None:
    ann = office.person("Ann", Role.APPROVER, slack=False, quiet=QuietHours())
    with office.database.write() as session:
        made = {"how": How.COMMAND, "at": office.clock(), "by": SYSTEM}
        assert not slack_people.link(session, ann, team_id="T1", user_id="U1", **made).direct  # type: ignore[arg-type]
        slack_people.link(session, ann, team_id="T2", user_id="U2", **made)  # type: ignore[arg-type]
    office.choose(ann, slack=True)
    with office.database.read() as session:
        assert [user.direct for user in slack_people.users_of(session, [ann.id])] == [True, True]
        assert reaching.of_person(session, ann.id) == Reaching()


def test_two_first_choices_at_once_do_not_collide(office: Bureau) -> None:
    ann = office.person("Ann")
    choices = [Reaching(mail=False), Reaching(webhook=False), Reaching(decided=True), Reaching(urgent=True)]

    def choose(wanted: Reaching) -> None:
        with office.database.write() as session:
            reaching.choose(session, ann, wanted, at=office.clock(), by=SYSTEM)

    with ThreadPoolExecutor(len(choices)) as executor:
        list(executor.map(choose, choices))
    with office.database.read() as session:
        assert reaching.of_person(session, ann.id) in choices
