"""Connecting to Temporal: where to, how, and what is said when nobody answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assent.domain.errors import Unavailable
from assent.runtime import instance
from assent.runtime.settings import Settings
from assent.runtime.temporal.connect import connect, connection, is_loopback

SOON = timedelta(seconds=0)


async def test_it_connects_to_the_configured_server(settings: Settings, temporal_server: str) -> None:
    client = await connect(settings.model_copy(update={"temporal_address": temporal_server}))
    assert client.namespace == "default"
    assert [workflow async for workflow in client.list_workflows("WorkflowId = 'no-such-run'")] == []


async def test_it_finds_the_server_of_a_running_assent_up(settings: Settings, temporal_server: str) -> None:
    with instance.held(settings.data_dir):
        published = instance.Instance(pid=1, url="http://here", temporal_address=temporal_server)
        instance.publish(settings.data_dir, published)
        assert connection(settings)["target_host"] == temporal_server
        await connect(settings)
    with pytest.raises(Unavailable, match="none runs for this data folder"):
        await connect(settings)


async def test_a_server_that_does_not_answer_is_named(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"temporal_address": "127.0.0.1:1"})
    with pytest.raises(Unavailable) as failed:
        await connect(nowhere, patience=SOON)
    assert failed.value.where == "127.0.0.1:1"
    assert failed.value.todo


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("127.0.0.1:7233", True),
        ("localhost:7233", True),
        ("[::1]:7233", True),
        ("temporal:7233", False),
        ("10.0.0.5:1", False),
    ],
)
def test_only_this_machine_is_loopback(address: str, near: bool) -> None:
    assert is_loopback(address) is near
