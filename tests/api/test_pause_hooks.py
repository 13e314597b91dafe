"""Monitoring systems pause by signed calls: once for each alarm, never without the secret, and they never resume."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from assent.cli import app as cli
from assent.domain.canonical import Json
from assent.domain.pause_hooks import terms_of
from assent.domain.people import SYSTEM, Role
from assent.domain.signed_calls import signature
from assent.store import pause_hooks, pauses
from assent.store.queries import pauses as views
from assent.store.queries.pauses import PauseView
from tests.api.api import served
from tests.docs.pages import blocks
from tests.identity.house import ADDRESS, KEY, House, build
from tests.site import HOSTILE

HOOK: dict[str, Json] = {
    "name": "prometheus",
    "scope": {"kind": "everything"},
    "cause": "{commonLabels.alertname}: {alerts.0.annotations.summary}",
    "only_when": "status=firing",
}
ALARM: dict[str, Json] = {
    "status": "firing",
    "commonLabels": {"alertname": "TooManyRefunds"},
    "alerts": [{"annotations": {"summary": "312 in a minute"}}],
}
ANOTHER_SECRET = "whsec_" + "QUJD" * 11


@dataclass
class Monitoring:
    """A monitoring system with a hook's secret."""

    house: House
    secret: str
    name: str = "prometheus"
    ids: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000)))

    async def call(
        self,
        body: Json = None,
        *,
        id: str | None = None,
        ahead: timedelta = timedelta(0),
        secret: str = "",
        raw: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a message, a new one unless its id is given; headers of its own take the place of good ones."""
        content = raw or json.dumps(ALARM if body is None else body).encode()
        id, sent = id or f"msg_{next(self.ids)}", int((self.house.clock() + ahead).timestamp())
        signed = {
            "webhook-id": id,
            "webhook-timestamp": str(sent),
            "webhook-signature": signature(secret or self.secret, id, sent, content),
            **(headers or {}),
        }
        sent_as = {name.encode(): value.encode() for name, value in signed.items()}
        async with self.house.browser() as browser:
            return await browser.client.post(f"/api/v1/hooks/pause/{self.name}", content=content, headers=sent_as)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An installation without Temporal: pausing needs the database alone."""
    made = build(tmp_path / "assent.db")
    yield made
    made.database.close()


async def made(house: House, **changes: Json) -> Monitoring:
    """A hook in force."""
    terms = HOOK | changes
    scope = terms["scope"]
    assert isinstance(scope, dict)
    deps = house.app.state.deps
    written = terms_of(
        name=str(terms["name"]),
        kind=str(scope["kind"]),
        scope_name=str(scope.get("name", "")),
        cause=str(terms["cause"]),
        disposition="",
        when=str(terms["only_when"]),
    )
    _, secret = await deps.gateway.add_pause_hook(written, deps.webhook_sealer, by=SYSTEM)
    return Monitoring(house, secret, written.name)


def held(house: House) -> list[PauseView]:
    """What is paused."""
    with house.database.read() as session:
        return list(views.active(session))


async def test_an_alarm_pauses_once_while_it_holds(house: House) -> None:
    async with house.proven(house.person("Olga", Role.OWNER)) as olga:
        answer = await olga.api("POST", "/hooks/pause", json=HOOK)
    assert answer.status_code == 201, answer.text
    assert answer.json()["url"] == f"{ADDRESS}/api/v1/hooks/pause/prometheus"
    monitoring = Monitoring(house, answer.json()["secret"])
    first = await monitoring.call()
    assert first.status_code == 200, first.text
    (pause,) = held(house)
    assert first.json() == {"hook": "prometheus", "what": "paused", "pause_id": pause.id}
    assert (pause.scope.sentence, pause.cause) == ("everything", "TooManyRefunds: 312 in a minute")
    assert pause.requested_by.name == "Monitoring by prometheus"
    assert (await monitoring.call()).json() == {"hook": "prometheus", "what": "held already", "pause_id": pause.id}
    assert (await monitoring.call(id="msg_1")).json()["what"] == "seen before"
    assert held(house) == [pause]
    uses = [event.body["what"] for event in house.events("pause_hook.called")]
    assert uses == ["paused", "held already"]
    (asked,) = house.events("pause.requested")
    assert asked.actor.id == "hook:prometheus"


async def test_many_at_once_pause_once(house: House) -> None:
    monitoring = await made(house)
    answers = await asyncio.gather(*(monitoring.call(id="one" if each % 2 else "") for each in range(10)))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert len(held(house)) == 1
    assert [answer.json()["what"] for answer in answers].count("paused") == 1


async def test_the_end_of_an_alarm_and_old_messages_do_not_pause_again(house: House) -> None:
    monitoring = await made(house)
    await monitoring.call(id="alarm")
    (pause,) = held(house)
    with house.database.write() as session:
        pauses.end(house.database, session, pause_id=pause.id, note="", by=SYSTEM, at=house.clock())
    over = await monitoring.call(ALARM | {"status": "resolved"})
    assert over.json() == {"hook": "prometheus", "what": "not asked to pause", "pause_id": None}
    again = await monitoring.call(id="alarm")
    assert again.json() == {"hook": "prometheus", "what": "seen before", "pause_id": pause.id}
    assert held(house) == []
    house.clock.ahead = pause_hooks.REMEMBERED - timedelta(minutes=1)
    assert (await monitoring.call(id="alarm")).json()["what"] == "seen before"
    assert (await monitoring.call()).json()["what"] == "paused"
    assert len(held(house)) == 1


@pytest.mark.parametrize(
    ("headers", "where"),
    [
        ({"webhook-timestamp": "soon"}, "webhook-timestamp"),
        ({"webhook-timestamp": "9" * 400}, "webhook-timestamp"),
        ({"webhook-timestamp": "999999999999"}, "webhook-timestamp"),
        ({"webhook-timestamp": "٣"}, "webhook-timestamp"),
        ({"webhook-id": ""}, "webhook-id"),
        ({"webhook-id": "x" * 201}, "webhook-id"),
        ({"webhook-id": "another"}, "webhook-signature"),
        ({"webhook-signature": ""}, "webhook-signature"),
        ({"webhook-signature": "v1,"}, "webhook-signature"),
        ({"webhook-signature": "v1a,AAAA v2,BBBB nonsense"}, "webhook-signature"),
    ],
)
async def test_who_does_not_sign_well_pauses_nothing(house: House, headers: dict[str, str], where: str) -> None:
    refused(house, await (await made(house)).call(headers=headers), where)


async def test_who_signs_with_another_secret_pauses_nothing(house: House) -> None:
    refused(house, await (await made(house)).call(secret=ANOTHER_SECRET), "webhook-signature")


def refused(house: House, answer: httpx.Response, where: str) -> None:
    """Nothing was paused, and the ledger says so."""
    assert answer.status_code == 401, answer.text
    assert answer.json()["where"] == where
    assert held(house) == []
    (event,) = house.events("pause_hook.refused")
    assert event.body["where"] == "hook prometheus"


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_call_of_another_time_pauses_nothing(house: House, minutes: int) -> None:
    monitoring = await made(house)
    answer = await monitoring.call(ahead=timedelta(minutes=minutes))
    assert (answer.status_code, answer.json()["where"]) == (401, "webhook-timestamp")
    assert held(house) == []


async def test_a_hook_that_is_not_there_or_was_revoked_takes_no_calls(house: House) -> None:
    monitoring = await made(house)
    assert (await Monitoring(house, monitoring.secret, "another").call()).status_code == 401
    await monitoring.call()
    async with house.browser(house.person("Olga", Role.OWNER)) as olga:
        assert (await olga.api("POST", "/hooks/pause/prometheus/revocation")).status_code == 200
        assert (await olga.api("POST", "/hooks/pause/prometheus/revocation")).status_code == 404
        assert (await olga.api("GET", "/hooks/pause")).json()["items"] == []
    assert (await monitoring.call()).status_code == 401
    assert len(held(house)) == 1
    fresh = await made(house)
    assert (await monitoring.call()).status_code == 401
    assert (await fresh.call()).json()["what"] == "paused"
    assert [len(house.events(f"pause_hook.{kind}")) for kind in ("added", "revoked")] == [2, 1]


async def test_what_an_alarm_says_stays_text_and_short(house: House) -> None:
    monitoring = await made(house, cause="{who}: {much} {none} {deep.0.x}", only_when="")
    await monitoring.call({"who": HOSTILE, "much": "x" * 5_000, "deep": [{"x": {"a": 1}}]})
    (pause,) = held(house)
    assert pause.cause.startswith("Bob</h1><script>")
    assert pause.cause.endswith('… (not given) {"a": 1}')
    assert len(pause.cause) < 500
    async with house.browser(house.person("Ann", Role.APPROVER)) as ann:
        page = (await ann.get("/stop")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "said", [r'"half \ud800 a character"', r'"nothing \u0000 at all"', r'["\udfff"]', "[" * 900 + "]" * 900]
)
async def test_no_words_of_an_alarm_keep_it_from_pausing(house: House, said: str) -> None:
    monitoring = await made(house, cause="{said}", only_when="")
    answer = await monitoring.call(raw=f'{{"said": {said}}}'.encode())
    assert answer.status_code == 200, answer.text
    (pause,) = held(house)
    assert pause.cause.isprintable()
    pause.cause.encode()


async def test_bodies_that_cannot_be(house: House) -> None:
    reads = await made(house)
    assert (await reads.call(raw=b"{")).status_code == 422
    assert (await reads.call(raw=b"[" * 100_000)).status_code == 422
    assert (await reads.call(raw=b"x" * 300_000)).status_code == 413
    assert (await reads.call([])).json()["what"] == "not asked to pause"
    assert held(house) == []
    plain = await made(house, name="plain", cause="The probe failed.", only_when="")
    assert (await plain.call(raw=b"\xff not JSON")).json()["what"] == "paused"


async def test_it_can_be_called_by_another_name_of_the_machine(house: House) -> None:
    monitoring = await made(house)
    assert (await monitoring.call(headers={"host": "assent.internal:8484"})).json()["what"] == "paused"


async def test_a_signature_opens_nothing_but_hooks_under_another_name(house: House) -> None:
    headers = {"host": "rebound.example", "webhook-signature": "v1,AAAA"}
    async with house.browser() as browser:
        for path in ("/sign-in", "/api/v1/hooks", "/static/app.css"):
            assert (await browser.client.get(path, headers=headers)).status_code == 400, path


async def test_whoever_calls_without_the_secret_learns_no_hooks_name(house: House) -> None:
    await made(house)
    for headers in ({"webhook-id": "once"}, {"webhook-id": ""}, {"webhook-timestamp": "1"}):
        said = []
        for name in ("prometheus", "another"):
            answer = await Monitoring(house, ANOTHER_SECRET, name).call(headers=headers)
            said.append((answer.status_code, {**answer.json(), "instance": ""}))
        assert said[0] == said[1]
    told = {event.body["where"]: event.body["why"] for event in house.events("pause_hook.refused")}
    assert told["hook another"] == "There is no hook 'another'."
    assert told["hook prometheus"] != told["hook another"]


async def test_only_who_may_roll_back_makes_a_hook_that_does(house: House) -> None:
    rolls_back = HOOK | {"disposition": "compensate"}
    async with house.proven(house.person("Olga", Role.OWNER)) as olga:
        answer = await olga.api("POST", "/hooks/pause", json=rolls_back)
        assert (answer.status_code, answer.json()["where"]) == (403, "disposition")
        form = {"name": "mine", "scope": "everything", "cause": "x", "disposition": "compensate"}
        assert (await olga.send("/stop/hooks", **form)).status_code == 403
    assert house.events("pause_hook.added") == []
    async with house.proven(house.person("Both", Role.OWNER, Role.OPERATOR)) as both:
        assert (await both.api("POST", "/hooks/pause", json=rolls_back)).status_code == 201


async def test_who_may_make_one(house: House) -> None:
    async with house.proven(house.person("Oscar", Role.OPERATOR)) as oscar:
        assert (await oscar.api("POST", "/hooks/pause", json=HOOK)).status_code == 403
        assert (await oscar.api("POST", "/hooks/pause/prometheus/revocation")).status_code == 403
    async with house.browser(house.person("Olga", Role.OWNER)) as olga:
        answer = await olga.api("POST", "/hooks/pause", json=HOOK)
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("needs-proof")
    assert house.events("pause_hook.added") == []


async def test_hooks_that_cannot_be(house: House) -> None:
    await made(house)
    wrong: list[tuple[dict[str, Json], int]] = [
        ({"name": "Not Good"}, 422),
        ({"cause": ""}, 422),
        ({"cause": " "}, 422),
        ({"only_when": "firing"}, 422),
        ({"only_when": "a b=c"}, 422),
        ({"scope": {"kind": "everything", "name": "x"}}, 422),
        ({"scope": {"kind": "agent"}}, 422),
        ({"scope": {"kind": "agent", "name": "nobody"}}, 404),
        ({"disposition": "explode"}, 422),
        ({"name": "prometheus"}, 409),
    ]
    async with house.proven(house.person("Olga", Role.OWNER)) as olga:
        for changes, status in wrong:
            answer = await olga.api("POST", "/hooks/pause", json=HOOK | {"name": "second"} | changes)
            assert answer.status_code == status, (changes, answer.text)
    assert len(house.events("pause_hook.added")) == 1


async def test_secrets_are_neither_kept_open_nor_told(house: House) -> None:
    monitoring = await made(house)
    await monitoring.call()
    async with house.browser(house.person("Ada", Role.ADMIN)) as ada:
        (shown,) = (await ada.api("GET", "/hooks/pause")).json()["items"]
    assert shown["calls"] == 1
    assert monitoring.secret not in json.dumps(shown)
    with house.database.read() as session:
        assert monitoring.secret not in str(pause_hooks.named(session, "prometheus"))
    said = [str(event.body) for kind in ("added", "called") for event in house.events(f"pause_hook.{kind}")]
    assert not any(monitoring.secret in each for each in said)


async def test_the_shell_lines_of_the_chapter_pause(house: House) -> None:
    monitoring = await made(house, name="too-many-refunds", cause="Too many.")
    (lines,) = [block.text for block in blocks("bash") if "openssl" in block.text and "hooks/pause" in block.text]
    async with served(house.app) as address:
        environment = {"PATH": os.environ["PATH"], "SECRET": monitoring.secret, "SERVER": address}
        ran = await asyncio.create_subprocess_exec(
            "bash", "-euc", lines, env=environment, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await ran.communicate()
    assert json.loads(said)["what"] == "paused"
    assert [pause.cause for pause in held(house)] == ["Too many."]


def test_the_command_line_makes_lists_and_revokes_them(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_DATABASE_URL", house.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("ASSENT_SECRET_KEY", KEY)

    def run(*words: str) -> str:
        result = CliRunner().invoke(cli, ["pause", "hook", *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    made_now = json.loads(run("add", "nightly", "label", "eu", "--cause", "Bad {x}", "--only-when", "a.b=c", "--json"))
    assert made_now["scope"] == {"kind": "label", "name": "eu"}
    assert made_now["secret"].startswith("whsec_")
    assert "nightly" in run("list")
    (shown,) = json.loads(run("list", "--json"))["items"]
    assert (shown["only_when"], shown["calls"], "secret" in shown) == ("a.b=c", 0, False)
    assert json.loads(run("revoke", "nightly", "--json")) == {"name": "nightly", "revoked": True}
    assert json.loads(run("list", "--json")) == {"items": []}
    assert len(house.events("pause_hook.revoked")) == 1
