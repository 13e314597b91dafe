"""Nobody is told anything in their quiet hours, over changes of the clocks too, unless they said so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assent.domain.days import Day
from assent.domain.quiet_hours import QuietHours, may_tell, next_stretch
from assent.domain.reaching import Reaching
from assent.store import approvals
from tests.reaching.bureau import Bureau, at, deliver
from tests.reaching.mail_host import MailHost

NIGHT = QuietHours(zone="Europe/Berlin", starts="22:00", ends="07:00")


def utc(text: str) -> datetime:
    """A moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "now", "then"),
    [
        (NIGHT, "2026-01-15T12:00", "2026-01-15T12:00"),
        (NIGHT, "2026-01-15T21:00", "2026-01-16T06:00"),
        (NIGHT, "2026-01-16T05:59", "2026-01-16T06:00"),
        (NIGHT, "2026-01-16T06:00", "2026-01-16T06:00"),
        # The night of the change to summer time ends an hour earlier, the one back an hour later.
        (NIGHT, "2026-03-28T21:30", "2026-03-29T05:00"),
        (NIGHT, "2026-10-24T21:30", "2026-10-25T06:00"),
        # An hour that is left out holds nobody; one that comes twice is quiet twice.
        (QuietHours(zone="Europe/Berlin", starts="02:15", ends="02:45"), "2026-03-29T00:59", "2026-03-29T00:59"),
        (QuietHours(zone="Europe/Berlin", starts="09:00", ends="17:00"), "2026-07-01T07:00", "2026-07-01T15:00"),
        (NIGHT.model_copy(update={"days": (Day.SAT, Day.SUN)}), "2026-11-20T21:30", "2026-11-23T06:00"),
        (QuietHours(starts="00:00", ends="00:00", days=(Day.MON,)), "2026-11-23T10:00", "2026-11-24T00:00"),
        (QuietHours(starts="08:00", ends="08:00"), "2026-11-23T10:00", "2026-11-23T10:00"),
        (QuietHours(zone="Asia/Kathmandu", starts="22:00", ends="07:00"), "2026-11-23T17:00", "2026-11-24T01:15"),
    ],
)
def test_when_somebody_may_be_told(hours: QuietHours, now: str, then: str) -> None:
    assert may_tell(hours, utc(now)) == utc(then)


@given(
    st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: utc("2025-01-01T00:00") + timedelta(minutes=minutes)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
    st.integers(0, 23),
    st.integers(0, 23),
    st.sets(st.sampled_from(Day), max_size=6),
)
def test_quiet_ends_and_a_moment_that_may_be_used_is_not_quiet(
    now: datetime, zone: str, starts: int, ends: int, days: set[Day]
) -> None:
    hours = QuietHours(zone=zone, starts=f"{starts:02}:00", ends=f"{ends:02}:00", days=tuple(days))
    told = may_tell(hours, now)
    assert now <= told <= now + timedelta(days=8)
    assert may_tell(hours, told) == told
    following = next_stretch(hours, told)
    assert following is None or following.starts > told


@pytest.mark.parametrize(
    "wrong",
    [{"zone": "Mars/Olympus"}, {"zone": "../etc/passwd"}, {"starts": "24:00"}, {"days": list(Day)}, {"days": ["fog"]}],
)
def test_what_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        QuietHours.model_validate(wrong)


def test_the_next_quiet_in_words() -> None:
    chosen = Reaching(quiet=NIGHT)
    assert chosen.quiet_words(utc("2026-11-20T12:00")) == (
        "Next quiet: Friday 20 November, 22:00 until Saturday 21 November, 07:00."
    )
    assert chosen.quiet_words(utc("2026-11-20T22:00")) == "It is quiet now, until Saturday 21 November, 07:00."
    assert Reaching().quiet_words(utc("2026-11-20T22:00")) == ""


async def test_a_mail_waits_for_the_morning_and_a_reminder_does_not_where_they_said_so(
    bureau: Bureau, host: MailHost
) -> None:
    at(bureau.clock, utc("2026-11-24T23:00"))
    quiet = NIGHT.model_dump(mode="json")
    ann, bea = bureau.person("Ann", quiet=quiet), bureau.person("Bea", quiet=quiet, urgent=True)
    cleo = bureau.person("Cleo")
    mailer = bureau.mailer(host.server())
    approval_id = bureau.ask(within=timedelta(days=2))
    await deliver(mailer)
    assert [to for to, _ in host.arrived] == [cleo.email]
    assert {one.due_at for one in bureau.queue()} == {utc("2026-11-25T06:00")}
    assert {one.error for one in bureau.queue()} == {""}
    bureau.notify(approvals.REMINDER, approval_id)
    await deliver(mailer)
    assert [len(host.to(one.email)) for one in (ann, bea, cleo)] == [0, 1, 2]
    at(bureau.clock, utc("2026-11-25T06:00"))
    await deliver(mailer)
    assert [len(host.to(one.email)) for one in (ann, bea, cleo)] == [1, 1, 2]
    assert bureau.queue() == []


async def test_quiet_hours_that_were_chosen_meanwhile_count(bureau: Bureau, host: MailHost) -> None:
    at(bureau.clock, utc("2026-11-24T23:00"))
    ann = bureau.person("Ann")
    bureau.ask()
    host.refuses[ann.email] = "451 Later"
    mailer = bureau.mailer(host.server())
    await deliver(mailer)
    host.refuses.clear()
    bureau.choose(ann, quiet=NIGHT.model_dump(mode="json"))
    bureau.clock.ahead += timedelta(minutes=30)
    await deliver(mailer)
    assert host.arrived == []
    assert bureau.queue()[0].due_at == utc("2026-11-25T06:00")
