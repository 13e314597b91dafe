"""The first person: made once, whoever asks first and however many ask at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assent.runtime import people as letting_in
from assent.runtime.secrets import signing_key
from assent.runtime.settings import Settings
from assent.store import people
from tests.databases import KINDS, migrated_database

_AT_ONCE = 8


@pytest.mark.parametrize("kind", KINDS)
def test_all_who_start_at_once_find_the_same_one(
    kind: str, request: pytest.FixtureRequest, settings: Settings, tmp_path: Path
) -> None:
    meeting = threading.Barrier(_AT_ONCE)

    def ask(_: int) -> str:
        meeting.wait()
        return letting_in.sign_in_link(told)

    with migrated_database(kind, request, tmp_path) as database:
        url = database.url.render_as_string(hide_password=False)
        told = settings.model_copy(update={"database_url": url})
        signing_key(told)
        with ThreadPoolExecutor(_AT_ONCE) as executor:
            links = list(executor.map(ask, range(_AT_ONCE)))
        with database.read() as session:
            everybody = people.page(session).items
    assert [person.email for person in everybody] == [letting_in.FIRST_EMAIL]
    assert len(set(links)) == _AT_ONCE
