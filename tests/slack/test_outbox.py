"""The outbox hands each notification to one deliverer at a time, in order per subject, on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col

from assent.store import copies, direct_digests, outbox
from assent.store.database import Database
from assent.store.outbox import Notification
from assent.store.queries.paging import PageRequest
from assent.store.tables import MessageRow, SlackUserRow
from tests.databases import KINDS, migrated_database

AT = datetime(2030, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def later(seconds: float) -> datetime:
    """Some seconds after :data:`AT`."""
    return AT + timedelta(seconds=seconds)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with migrated_database(request.param, request, tmp_path) as made:
        yield made


def enqueue(database: Database, *subjects: str, channel: str = "slack", at: datetime = AT) -> None:
    """Notifications in this order."""
    for subject in subjects:
        with database.write() as session:
            outbox.enqueue(session, channel, "approval.requested", subject, at)


def claim(database: Database, at: datetime, limit: int = 1) -> list[Notification]:
    """What is due."""
    return list(outbox.claim_due(database, "slack", at=at, lease=LEASE, limit=limit))


def test_one_of_a_subject_at_a_time_in_order(database: Database) -> None:
    enqueue(database, "a", "a", "b", "a")
    enqueue(database, "a", channel="mail")
    first = claim(database, AT, limit=10)
    assert [one.subject for one in first] == ["a", "b"]
    assert [one.attempts for one in first] == [1, 1]
    assert claim(database, later(1), limit=10) == []
    with database.write() as session:
        assert outbox.mark_sent(session, first[0], at=later(1))
    [second] = claim(database, later(1), limit=10)
    assert (second.subject, second.id > first[0].id) == ("a", True)
    with database.read() as session:
        assert len(outbox.waiting(session, "a")) == 3
        assert [one.channel for one in outbox.waiting(session, "a")] == ["slack", "slack", "mail"]


def test_what_failed_comes_back_when_it_is_due_and_holds_up_its_own_subject_only(database: Database) -> None:
    enqueue(database, "a", "a", "b")
    [failed] = claim(database, AT)
    with database.write() as session:
        assert outbox.mark_failed(session, failed, retry_at=later(30), error="x" * 2_000)
    [other] = claim(database, later(1), limit=10)
    assert other.subject == "b"
    [again] = claim(database, later(30), limit=10)
    assert (again.id, again.attempts, len(again.error)) == (failed.id, 2, outbox.ERROR_LENGTH)


def test_a_lost_lease_changes_nothing_any_more(database: Database) -> None:
    enqueue(database, "a")
    [stalled] = claim(database, AT)
    assert claim(database, later(59)) == []
    [taken] = claim(database, later(60))
    with database.write() as session:
        assert not outbox.mark_failed(session, stalled, retry_at=later(61), error="too late")
        assert not outbox.mark_sent(session, stalled, at=later(61))
        assert outbox.mark_sent(session, taken, at=later(61))
        assert not outbox.mark_failed(session, taken, retry_at=later(62), error="after the end")
    assert claim(database, later(10_000)) == []


def test_the_queue_shows_what_is_left_and_can_be_hurried(database: Database) -> None:
    enqueue(database, "a", "b", "c")
    a, b, c = claim(database, AT, limit=3)
    with database.write() as session:
        outbox.mark_failed(session, a, retry_at=later(300), error="channel_not_found")
        outbox.mark_sent(session, b, at=later(1))
    with database.read() as session:
        first = outbox.queue(session, "slack", request=PageRequest(1))
        rest = outbox.queue(session, "slack", request=PageRequest(1, first.next_cursor))
    assert [one.subject for one in (*first.items, *rest.items)] == ["c", "a"]
    assert rest.next_cursor is None
    with database.write() as session:
        assert outbox.hurry(session, "slack", at=later(5)) == 1
    assert [one.subject for one in claim(database, later(5), limit=10)] == ["a"]
    assert c.subject == "c"


def test_many_deliverers_never_hold_the_same_and_never_overtake(database: Database) -> None:
    subjects = [f"s{number % 7}" for number in range(70)]
    enqueue(database, *subjects)
    order: list[tuple[str, int]] = []
    held: set[str] = set()
    lock = threading.Lock()
    faults: list[str] = []

    def deliver() -> None:
        while True:
            with lock:
                if len(order) == len(subjects):
                    return
            for one in claim(database, AT, limit=2):
                with lock:
                    if one.subject in held:
                        faults.append(f"{one.subject} twice")
                    held.add(one.subject)
                    order.append((one.subject, one.id))
                time.sleep(0.001)
                with lock:
                    held.discard(one.subject)
                with database.write() as session:
                    assert outbox.mark_sent(session, one, at=AT)

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(order) == len(set(order)) == len(subjects)
    for subject in set(subjects):
        ids = [number for name, number in order if name == subject]
        assert ids == sorted(ids)


def test_an_intention_is_written_once_and_a_reference_kept_once(database: Database) -> None:
    with database.write() as session:
        copy, fresh = copies.intend(session, "ap-1", channel="slack", place="T/C", at=AT)
        again, fresh_again = copies.intend(session, "ap-1", channel="slack", place="T/C", at=later(9))
    assert (fresh, fresh_again, again.posted_at) == (True, False, AT)
    with database.write() as session:
        assert copies.posted(session, copy, reference="1.1", shown_status="pending", at=AT)
        assert copies.posted(session, copy, reference="1.1", shown_status="pending", at=AT)
        assert not copies.posted(session, copy, reference="2.2", shown_status="pending", at=AT)
        copies.forget(session, copy)
        copies.shows(session, copy, status="approved", at=AT)
    with database.read() as session:
        [known] = copies.of_request(session, "ap-1", channel="slack")
        assert copies.of_request(session, "ap-1", channel="mail") == []
    assert (known.reference, known.shown_status) == ("1.1", "approved")


def test_only_one_of_many_writes_the_intention(database: Database) -> None:
    results: list[bool] = []

    def intend() -> None:
        with database.write() as session:
            results.append(copies.intend(session, "ap-1", channel="slack", place="T/C", at=AT)[1])

    threads = [threading.Thread(target=intend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]


def test_a_copy_that_was_kept_back_is_posted_once(database: Database) -> None:
    with database.write() as session:
        kept = copies.keep_back(session, "ap-1", channel="slack", place="T/D", at=AT)
        assert copies.keep_back(session, "ap-1", channel="slack", place="T/D", at=later(1)) == kept
        copy, fresh = copies.intend(session, "ap-1", channel="slack", place="T/D", at=later(2))
        assert (fresh, copy.shown_status, copy.posted_at) == (True, "", later(2))
        assert copies.intend(session, "ap-1", channel="slack", place="T/D", at=later(3)) == (copy, False)
        assert copies.keep_back(session, "ap-1", channel="slack", place="T/D", at=later(4)) == copy


def test_those_who_post_to_somebody_at_once_keep_to_one_limit(database: Database) -> None:
    with database.write() as session:
        session.add(SlackUserRow(team_id="T", user_id="U", person_id="ann", how="x", linked_at=AT, conversation="D"))
    start = threading.Barrier(4)

    def post(worker: int) -> None:
        start.wait()
        for number in range(6):
            with database.write() as session:
                direct_digests.intend(session, f"ap-{worker}-{number}", place="T/D", most=5, at=later(number))

    threads = [threading.Thread(target=post, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert len(direct_digests.recent(session, "T/D", later(10), most=50)) == 5
        digests = session.query(MessageRow).where(col(MessageRow.channel) == direct_digests.DIGESTS).all()
        [row] = outbox.queue(session, "slack", request=PageRequest(20)).items
    [digest] = digests
    assert (row.kind, row.subject, row.recipient) == (direct_digests.DIGEST, digest.approval_id, "T/D")


def test_a_digest_that_is_being_posted_is_told_of_what_comes_meanwhile(database: Database) -> None:
    def keep_back(approval_id: str, at: datetime) -> None:
        with database.write() as session:
            _, fresh = direct_digests.intend(session, approval_id, place="T/D", most=0, at=at)
        assert not fresh

    keep_back("ap-1", AT)
    keep_back("ap-2", AT)
    [first] = claim(database, AT, limit=10)
    keep_back("ap-3", later(1))
    with database.write() as session:
        assert outbox.mark_sent(session, first, at=later(2))
    [second] = claim(database, later(2), limit=10)
    assert second.subject == first.subject
    with database.write() as session:
        copy, _ = copies.intend(session, first.subject, channel=direct_digests.DIGESTS, place="T/D", at=later(3))
        assert copies.posted(session, copy, reference="1.1", shown_status="digest", at=later(3))
        assert outbox.mark_sent(session, second, at=later(3))
    keep_back("ap-4", later(4))
    assert claim(database, later(5), limit=10) == []
    [third] = claim(database, later(70), limit=10)
    assert third.subject == first.subject
    with database.read() as session:
        [living] = direct_digests.living(session, ["T/D", "T/E"], later(70))
        assert living.id == first.subject
        assert direct_digests.living(session, ["T/D"], AT + 2 * direct_digests.KEPT_TRUE) == []
