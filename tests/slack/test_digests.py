"""When more requests come than anybody reads as direct messages, one an hour tells of the rest and stays true."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from assent.domain.approvals import ApprovalStatus
from assent.domain.people import Actor, Role, Via
from assent.domain.reaching import Reaching
from assent.store import approvals, direct_digests, people, reaching
from assent_slack.buttons import APPROVE, OPEN
from assent_slack.notifier import Notifier
from assent_slack.pacing import Pacer
from assent_slack.posting import Posting
from tests.slack.fake_blocks import buttons, live, reading
from tests.slack.fake_state import Failure, Message, User
from tests.slack.office import PAGES, Office

BEA = Actor(id="bea", name="Bea", via=Via.WEB)
MINUTE = direct_digests.REFRESHED.total_seconds() + 1
HOUR = direct_digests.WITHIN.total_seconds() + 1


def limited(office: Office, hourly: int) -> Notifier:
    """The office's notifier from now on: so many direct messages an hour."""
    office.notifier = another(office, hourly)
    return office.notifier


def another(office: Office, hourly: int) -> Notifier:
    """One more process with the same limit."""
    posting = Posting(office.client, Pacer(office.now, lambda: 0.0), office.now)
    return office.notifier_with(posting, office.workspaces, hourly)


def digests_of(office: Office, user: User) -> list[Message]:
    """The digests that somebody has."""
    return [one for one in office.slack.direct(user) if told_of(one).startswith("digest-")]


def requests_of(office: Office, user: User) -> list[str]:
    """The requests that somebody has direct messages about."""
    return [told_of(one) for one in office.slack.direct(user) if not told_of(one).startswith("digest-")]


def told_of(message: Message) -> str:
    """What a message is about."""
    return str(message["metadata"]["event_payload"]["approval"])


def says(messages: Sequence[Message]) -> str:
    """What the only message says."""
    [message] = messages
    return reading(message["blocks"])


async def test_what_is_more_than_the_hour_has_room_for_is_told_in_one_message(office: Office) -> None:
    ann = office.approver()
    limited(office, 3)
    asked = [office.ask() for _ in range(8)]
    await office.deliver()
    assert requests_of(office, ann) == asked[:3]
    assert [told_of(one) for one in office.slack.messages] == asked
    await office.wait(MINUTE)
    [digest] = digests_of(office, ann)
    shown = reading(digest["blocks"])
    assert "8 requests wait for you" in shown
    assert "More came within an hour than the 3 direct messages you get in one." in shown
    assert buttons(digest).keys() == {OPEN}
    assert live(digest, PAGES) == []
    assert f"{PAGES}/" in str(digest["blocks"])
    assert office.undelivered() == []
    assert office.slack.refused == []


async def test_the_digest_follows_what_is_decided_and_asked(office: Office) -> None:
    ann = office.approver()
    limited(office, 1)
    asked = [office.ask() for _ in range(4)]
    await office.deliver()
    await office.wait(MINUTE)
    assert "4 requests wait for you" in says(digests_of(office, ann))
    office.close(asked[0], ApprovalStatus.WITHDRAWN)
    office.close(asked[3], ApprovalStatus.WITHDRAWN)
    await office.deliver()
    [row] = office.undelivered()
    assert (row.kind, row.recipient.partition("/")[0]) == (direct_digests.DIGEST, office.slack.team_id)
    await office.wait(MINUTE)
    assert "2 requests wait for you" in says(digests_of(office, ann))
    for approval_id in asked[1:3]:
        office.close(approval_id, ApprovalStatus.EXPIRED)
    await office.deliver()
    await office.wait(MINUTE)
    assert "Nothing waits for you any more" in says(digests_of(office, ann))
    assert requests_of(office, ann) == asked[:1]
    assert "Withdrawn" in reading(office.slack.direct(ann)[0]["blocks"])
    assert office.undelivered() == []


async def test_many_changes_cost_one_update(office: Office) -> None:
    office.approver()
    limited(office, 1)
    for _ in range(2):
        office.ask()
    await office.deliver()
    await office.wait(MINUTE)
    updates = office.slack.count("chat.update")
    for _ in range(30):
        office.ask()
    await office.deliver()
    await office.wait(MINUTE)
    assert office.slack.count("chat.update") == updates + 1
    assert office.undelivered() == []


async def test_direct_messages_that_somebody_has_stay_true(office: Office) -> None:
    ann = office.approver()
    office.person("Bea", Role.OPERATOR)
    limited(office, 1)
    first, _ = office.ask(), office.ask()
    await office.deliver()
    await office.gateway.comment(first, "Which half?", by=BEA)
    await office.deliver()
    [copy, *_] = office.slack.direct(ann)
    [channel] = [one for one in office.slack.channels.values() if one.with_user == ann.id]
    assert "Which half?" in str([reading(one["blocks"]) for one in channel.messages.values()])
    office.close(first, ApprovalStatus.WITHDRAWN)
    await office.deliver()
    assert "Withdrawn" in reading(copy["blocks"])
    assert APPROVE not in buttons(copy)


async def test_the_hour_passes_and_what_was_kept_back_comes_when_it_is_told_of_again(office: Office) -> None:
    ann = office.approver()
    limited(office, 2)
    asked = [office.ask() for _ in range(3)]
    await office.deliver()
    await office.wait(HOUR)
    assert requests_of(office, ann) == asked[:2]
    with office.database.write() as session:
        approvals.notify(session, ["slack"], approvals.REMINDER, asked[2], office.now())
    await office.deliver()
    assert requests_of(office, ann) == asked
    fresh = office.ask()
    await office.deliver()
    assert requests_of(office, ann) == [*asked, fresh]
    assert len(digests_of(office, ann)) == 1


async def test_another_hour_of_too_many_has_a_digest_of_its_own(office: Office) -> None:
    ann = office.approver()
    limited(office, 1)
    for _ in range(2):
        office.ask()
    await office.deliver()
    await office.wait(HOUR)
    for _ in range(3):
        office.ask()
    await office.deliver()
    await office.wait(MINUTE)
    old, new = digests_of(office, ann)
    for _ in range(2):
        assert "5 requests wait for you" in reading(new["blocks"])
        office.ask()
        await office.deliver()
    await office.wait(MINUTE)
    assert "7 requests wait for you" in reading(new["blocks"])
    assert "7 requests wait for you" not in reading(old["blocks"])


async def test_each_person_has_an_hour_of_their_own(office: Office) -> None:
    ann, bea = office.approver("Ann"), office.approver("Bea")
    with office.database.write() as session:
        person = people.one(session, "bea")
        assert person is not None
        reaching.choose(session, person, Reaching(slack=False), at=office.now(), by=BEA)
    limited(office, 2)
    first = [office.ask() for _ in range(2)]
    await office.deliver()
    with office.database.write() as session:
        reaching.choose(session, person, Reaching(slack=True), at=office.now(), by=BEA)
    then = [office.ask() for _ in range(2)]
    await office.deliver()
    assert requests_of(office, ann) == first
    assert requests_of(office, bea) == then
    assert digests_of(office, bea) == []
    assert len(digests_of(office, ann)) == 1


async def test_nobody_is_told_of_what_was_decided_before_the_digest_could_be_posted(office: Office) -> None:
    ann = office.approver()
    limited(office, 1)
    asked = [office.ask() for _ in range(3)]
    office.slack.fail("chat.postMessage", Failure(error="internal_error", times=1_000))
    await office.deliver()
    for approval_id in asked:
        office.close(approval_id, ApprovalStatus.WITHDRAWN)
    office.slack.failures.clear()
    for _ in range(5):
        await office.wait(MINUTE)
    assert digests_of(office, ann) == []
    assert office.undelivered() == []


async def test_a_digest_stays_true_when_its_successor_was_never_posted(office: Office) -> None:
    ann = office.approver()
    limited(office, 1)
    asked = [office.ask() for _ in range(3)]
    await office.deliver()
    await office.wait(MINUTE)
    (digest,) = digests_of(office, ann)
    assert "3 requests wait for you" in reading(digest["blocks"])
    await office.wait(HOUR)
    office.slack.fail("chat.postMessage", Failure(error="internal_error", times=1_000))
    asked += [office.ask() for _ in range(3)]
    await office.deliver()
    for approval_id in asked:
        office.close(approval_id, ApprovalStatus.WITHDRAWN)
    office.slack.failures.clear()
    for _ in range(5):
        await office.wait(MINUTE)
    assert digests_of(office, ann) == [digest]
    assert "requests wait for you" not in reading(digest["blocks"])


@pytest.mark.parametrize("failure", [Failure(cut=True, done=True), Failure(status=503), Failure(cut=True)], ids=repr)
async def test_a_digest_that_fails_is_in_the_queue_and_comes_once(office: Office, failure: Failure) -> None:
    ann = office.approver()
    limited(office, 1)
    await office.posted()
    failure.times = 1
    held = office.ask()
    # The channel's message goes through first; then the digest is in trouble.
    while not office.slack.messages or told_of(office.slack.messages[-1]) != held:
        await office.notifier.turn()
    office.slack.fail("chat.postMessage", failure)
    await office.deliver()
    [row] = office.undelivered()
    assert (row.kind, bool(row.error)) == (direct_digests.DIGEST, True)
    for _ in range(3):
        await office.wait(MINUTE)
    assert "2 requests wait for you" in says(digests_of(office, ann))
    assert office.undelivered() == []


async def test_whoever_wants_no_direct_messages_gets_no_digest(office: Office) -> None:
    ann = office.approver()
    limited(office, 1)
    for _ in range(2):
        office.ask()
    await office.notifier.turn()
    await office.notifier.turn()
    with office.database.write() as session:
        person = people.one(session, "ann")
        assert person is not None
        reaching.choose(session, person, Reaching(slack=False), at=office.now(), by=BEA)
    await office.deliver()
    assert digests_of(office, ann) == []
    assert office.undelivered() == []


async def test_a_digest_that_somebody_deleted_stays_away(office: Office) -> None:
    ann = office.approver()
    limited(office, 1)
    for _ in range(2):
        office.ask()
    await office.deliver()
    [digest] = digests_of(office, ann)
    place = next(one for one in office.slack.channels.values() if one.with_user == ann.id)
    del place.messages[digest["ts"]]
    for _ in range(2):
        office.ask()
        await office.deliver()
        await office.wait(MINUTE)
    assert digests_of(office, ann) == []
    assert office.undelivered() == []


async def test_processes_side_by_side_keep_to_one_limit(office: Office) -> None:
    ann, bea = office.approver("Ann"), office.approver("Bea")
    asked = [office.ask() for _ in range(20)]

    async def work(notifier: Notifier) -> None:
        while office.undelivered():
            await notifier.turn()
            office.slack.clock.advance(1)

    await asyncio.gather(*(work(another(office, 5)) for _ in range(4)))
    for user in (ann, bea):
        mine = requests_of(office, user)
        assert len(mine) == len(set(mine)) == 5
        assert "20 requests wait for you" in says(digests_of(office, user))
    assert sorted(told_of(one) for one in office.slack.messages) == sorted(asked)


async def test_any_number_comes_where_there_is_no_limit(office: Office) -> None:
    ann = office.approver()
    for _ in range(40):
        office.ask()
    await office.deliver()
    assert len(requests_of(office, ann)) == 40
    assert digests_of(office, ann) == []
