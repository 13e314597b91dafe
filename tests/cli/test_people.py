"""People and groups on the command line; neither needs Temporal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from assent.cli import run
from assent.domain.people import SYSTEM, Role
from assent.gateway import utc_now
from assent.runtime.console import opened
from assent.runtime.instance import Instance, held, publish
from assent.runtime.secrets import signing_key
from assent.runtime.settings import Settings
from assent.store import passwords, people
from assent.store.sign_in import SignIn

Typed = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def typed(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type a command; gives its code, its JSON and what it said beside it."""
    monkeypatch.setenv("ASSENT_DATA_DIR", str(settings.data_dir))
    assert run(["db", "migrate"]) == 0

    def command(*arguments: str) -> tuple[int, Any, str]:
        capsys.readouterr()
        code = run([*arguments, "--json"])
        shown = capsys.readouterr()
        return code, json.loads(shown.out) if code == 0 else None, shown.err

    return command


def test_groups_are_made_filled_and_deleted(typed: Typed) -> None:
    for address in ("ann@example.com", "bo@example.com"):
        assert typed("people", "add", address)[0] == 0
    assert typed("group", "create", "finance", "--title", "Finance")[1]["size"] == 0
    assert typed("group", "create", "finance")[0] == 5
    assert typed("group", "create", "on-call")[0] == 2
    joined = typed("group", "add", "finance", "ann@example.com", "bo@example.com")[1]
    assert (joined["changed"], joined["size"]) == (["ann@example.com", "bo@example.com"], 2)
    assert typed("group", "add", "finance", "ann@example.com")[1]["changed"] == []
    # All of them or nobody.
    assert typed("group", "remove", "finance", "ann@example.com", "nobody@example.com")[0] == 3
    assert len(typed("group", "show", "finance")[1]["members"]) == 2
    assert typed("group", "remove", "finance", "ann@example.com")[1]["size"] == 1
    assert [each["name"] for each in typed("group", "list")[1]["items"]] == ["finance"]
    code, _, said = typed("group", "delete", "finance")
    assert (code, "--yes" in said) == (2, True)
    assert typed("group", "delete", "finance", "--yes")[1] == {"name": "finance", "deleted": True}
    assert typed("group", "show", "finance")[0] == 3


def test_a_second_account_of_one_mailbox_is_refused(typed: Typed) -> None:
    typed("people", "add", "ann@example.com")
    code, _, said = typed("people", "add", "Ann+2@Example.com")
    assert code == 5
    assert "One mailbox is one person" in said


def test_sessions_are_listed_and_ended(typed: Typed, settings: Settings) -> None:
    typed("people", "add", "ann@example.com", "--role", "admin")
    sign_in = SignIn(signing_key(settings))
    with opened(settings) as database:
        with database.write() as session:
            ann = people.named(session, "ann@example.com")
            assert ann.roles == (Role.ADMIN,)
            at = utc_now()
            links = [sign_in.make_link(session, ann, at=at, by=SYSTEM) for _ in range(3)]
            made = [sign_in.open(session, link, at=at) for link in links]
            passwords.keep(session, ann, "a hash", at=at, by=SYSTEM)
        found = typed("people", "sessions", "ann@example.com")[1]["items"]
        assert {each["how"] for each in found} == {"link"}
        assert len(typed("people", "sessions", "ann@example.com", "--end", found[0]["id"])[1]["items"]) == 2
        assert typed("people", "sessions", "ann@example.com", "--end", "session-none")[0] == 3
        assert typed("people", "sessions", "ann@example.com", "--end-all")[1]["items"] == []
        with database.read() as session:
            assert [sign_in.check(session, each.token, at=utc_now()) for each in made] == [None] * 3
        removed = typed("people", "reset", "ann@example.com", "--yes")[1]["removed"]
        assert removed == {"passwords": 1, "passkeys": 0, "accounts": 0, "sessions": 0}


def test_a_link_has_the_address_that_was_said_or_that_of_the_running_instance(
    typed: Typed, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ASSENT_PUBLIC_URL", "ASSENT_WEB_HOST", "ASSENT_WEB_PORT"):
        monkeypatch.delenv(name, raising=False)
    typed("people", "add", "ann@example.com")
    _, found, said = typed("people", "link", "ann@example.com")
    assert found["link"].startswith("http://127.0.0.1:8484/sign-in?token=")
    assert "Set ASSENT_PUBLIC_URL" in said
    monkeypatch.setenv("ASSENT_PUBLIC_URL", "https://assent.example.com/")
    _, found, said = typed("people", "link", "ann@example.com")
    assert found["link"].startswith("https://assent.example.com/sign-in?token=")
    assert "ASSENT_PUBLIC_URL" not in said
    monkeypatch.delenv("ASSENT_PUBLIC_URL")
    monkeypatch.setenv("ASSENT_WEB_PORT", "9484")
    assert ":9484/sign-in" in typed("people", "link", "ann@example.com")[1]["link"]
    monkeypatch.delenv("ASSENT_WEB_PORT")
    with held(settings.data_dir):
        publish(settings.data_dir, Instance(pid=os.getpid(), url="http://127.0.0.1:9999", temporal_address=""))
        _, found, said = typed("people", "link", "ann@example.com")
    assert found["link"].startswith("http://127.0.0.1:9999/sign-in?token=")
    assert "ASSENT_PUBLIC_URL" not in said
