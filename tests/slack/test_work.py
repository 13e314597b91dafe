"""Work after an acknowledgement is finished before a process ends, and what fails in it is told."""

from __future__ import annotations

import asyncio

import pytest

from assent_slack.work import Work


async def test_what_is_under_way_is_waited_for() -> None:
    work, done = Work(), []

    async def slow() -> None:
        await asyncio.sleep(0.05)
        done.append(1)

    for _ in range(3):
        work.start(slow())
    assert await work.drain(30) == 0
    assert done == [1, 1, 1]
    assert await work.drain(0) == 0


async def test_what_work_begins_is_waited_for_too() -> None:
    work, done = Work(), []

    async def second() -> None:
        await asyncio.sleep(0.05)
        done.append(2)

    async def first() -> None:
        await asyncio.sleep(0.05)
        work.start(second())

    work.start(first())
    assert await work.drain(30) == 0
    assert done == [2]


async def test_what_takes_too_long_is_given_up() -> None:
    work = Work()
    work.start(asyncio.Event().wait())  # type: ignore[arg-type]
    assert await work.drain(0.01) == 1


async def test_what_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    work = Work()

    async def fails() -> None:
        raise RuntimeError("a mistake of ours")

    work.start(fails())
    await work.drain(30)
    assert "a mistake of ours" in caplog.text
