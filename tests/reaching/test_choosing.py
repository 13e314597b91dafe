"""Everybody says for themselves how they are reached: on their account page, by REST, on the command line."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from assent.cli import app
from assent.domain.errors import InvalidInput
from assent.domain.people import Role
from assent.runtime.settings import Settings
from assent.store import reaching
from tests.identity.house import House
from tests.pages.reading import PageReader

CHOSEN = {
    "mail": True,
    "slack": False,
    "webhook": True,
    "decided": True,
    "quiet": {"zone": "Europe/Berlin", "starts": "21:30", "ends": "06:30", "days": ["sun"]},
    "urgent": True,
}


async def test_by_rest(house: House) -> None:
    ann, boss = house.person("Ann", Role.APPROVER), house.person("Boss", Role.ADMIN)
    async with house.browser(ann) as browser:
        assert (await browser.api("GET", "/me/reaching")).json()["chosen"]["mail"] is True
        answer = await browser.api("PUT", "/me/reaching", json=CHOSEN)
        assert answer.json()["chosen"] == CHOSEN
        assert "uiet" in answer.json()["next_quiet"]
        for wrong in ({"quiet": {"zone": "Mars"}}, {"telex": True}, {"quiet": {"days": ["fog"]}}):
            refused = await browser.api("PUT", "/me/reaching", json=wrong)
            assert refused.status_code == 422, refused.text
        assert (await browser.api("GET", f"/people/{boss.id}/reaching")).status_code == 403
    async with house.browser(boss) as browser:
        assert (await browser.api("GET", f"/people/{ann.id}/reaching")).json()["chosen"] == CHOSEN
        assert (await browser.api("GET", "/people/none/reaching")).status_code == 404
    [event] = house.events("person.reaching_chosen")
    assert (event.actor.id, event.body["after"]) == (ann.id, CHOSEN)


async def test_on_the_account_page(house: House) -> None:
    ann = house.person("Ann", Role.APPROVER)
    async with house.browser(ann) as browser:
        form = PageReader((await browser.get("/account")).text).form("/account/reaching")
        fields = {"quiet": "yes", "urgent": "yes", "starts": "21:30", "ends": "06:30", "zone": "Asia/Tokyo"}
        answer = await browser.client.post("/account/reaching", data={**form.fields, **fields, "days": ["sat", "sun"]})
        assert answer.headers["location"] == "/account?done=reaching#reaching"
        words = PageReader((await browser.get("/account?done=reaching")).text).words
        assert "uiet" in words
        wrong = await browser.client.post("/account/reaching", data={**form.fields, **fields, "zone": "Mars/One"})
        assert wrong.status_code == 422
    with house.database.read() as session:
        chosen = reaching.of_person(session, ann.id)
    assert chosen.mail
    assert chosen.slack
    assert chosen.quiet is not None
    assert chosen.quiet.words == "21:30 to 06:30, and on Saturday and Sunday"


def test_on_the_command_line(house: House, settings: Settings) -> None:
    house.person("Ann", Role.APPROVER)
    path = house.database.url.database
    environment = {"ASSENT_DATABASE_URL": f"sqlite:///{path}", "ASSENT_DATA_DIR": str(settings.data_dir)}

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["people", "reach", "ann@example.com", *words], env=environment)
        return done.exit_code, done.output

    words = ("--no-slack", "--decided", "--urgent", "--quiet", "21:30-06:30")
    code, said = run(*words, "--quiet-day", "sun", "--zone", "Europe/Berlin", "--json")
    assert code == 0, said
    assert {name: json.loads(said)[name] for name in CHOSEN} == CHOSEN
    assert "except for reminders" in run()[1]
    assert run("--no-quiet", "--json")[0] == 0
    for wrong in (("--quiet", "soon"), ("--zone", "Mars/One"), ("--no-quiet", "--zone", "UTC")):
        refused = CliRunner().invoke(app, ["people", "reach", "ann@example.com", *wrong], env=environment)
        assert isinstance(refused.exception, InvalidInput), refused.output
