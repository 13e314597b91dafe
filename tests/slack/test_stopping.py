"""Stopping and letting go on from Slack: typed whole, or asked for in a dialog, with the database alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assent.domain.pauses import Disposition, PausePhase, ResumeAnswers
from assent.domain.people import Role
from assent.store import cards
from assent.store.queries import approvals, pauses
from assent.store.queries.pauses import PauseView
from assent_slack.buttons import PAUSE, STOP, Deciding
from tests.slack.fake_blocks import buttons, live, reading
from tests.slack.fake_state import User
from tests.slack.office import AGENT, PAGES, Office
from tests.slack.test_commands import add_run

ANSWERS = {"cause": "The limit was wrong.", "changed": "It is 50 now.", "checks": "unit tests\nby hand"}


def active(office: Office) -> list[PauseView]:
    """What is paused, the widest first."""
    with office.database.read() as session:
        return list(pauses.active(session))


def one(office: Office, pause_id: str) -> PauseView:
    with office.database.read() as session:
        return pauses.one(session, pause_id)


def opened(office: Office, user: User) -> dict[str, Any]:
    """The dialog that somebody opened last."""
    return [each for each in office.slack.dialogs.values() if each["user"] == user.id][-1]


def card_with(office: Office, **stopping: Any) -> None:
    """The agent's card says who may stop it and let it go on."""
    contact = {"name": "Bo", "email": "bo@example.com"}
    roles = dict.fromkeys(("business_owner", "technical_owner", "model_steward", "escalation"), contact)
    actions = {"shop.refund": {"tier": "approve"}}
    card = {"name": "refunds", "purpose": "Refunds.", "actions": actions, "stopping": stopping, **roles}
    with office.database.write() as session:
        cards.publish(
            session,
            agent="refunds",
            title="Refunds",
            source="",
            card=card,
            catalogue={"shop.refund": {}},
            at=office.now(),
            by=AGENT,
        )


async def stopped(office: Office, user: User, text: str) -> str:
    """What somebody is told who typed ``/assent pause``."""
    assert (await office.people.command(user, f"pause {text}")).in_time
    await office.settled()
    return office.told(user)


async def test_pausing_by_what_was_typed(either: Office) -> None:
    oli = either.person("Oli", Role.OPERATOR)
    add_run(either)
    card_with(either)
    for text in (
        "everything it smells",
        "agent refunds --drain",
        "version refunds@1 it is the new one",
        "run run-1 --compensate wrong customer",
        "label eu",
        "record shop/orders/W1 the customer complained",
    ):
        assert "❚❚ Paused: " in await stopped(either, oli, text), text
    found = {pause.scope.sentence: (pause.cause, pause.disposition) for pause in active(either)}
    assert found == {
        "everything": ("it smells", Disposition.FREEZE),
        "agent refunds": ("", Disposition.DRAIN),
        "agent version refunds@1": ("it is the new one", Disposition.FREEZE),
        "run run-1": ("wrong customer", Disposition.COMPENSATE),
        "label eu": ("", Disposition.FREEZE),
        "record shop/orders/W1": ("the customer complained", Disposition.FREEZE),
    }
    assert {(pause.requested_by.id, pause.requested_by.via) for pause in active(either)} == {("oli", "slack")}
    await either.people.command(oli, "paused")
    await either.settled()
    assert all(pause.id in either.told(oli) for pause in active(either))
    assert either.told(oli).count("[Resume…]") == 6
    assert either.slack.refused == []


async def test_the_dialog_of_the_command_asks_for_scope_disposition_and_cause(either: Office) -> None:
    oli = either.person("Oli", Role.OPERATOR)
    add_run(either)
    assert (await either.people.command(oli, "pause")).in_time
    await either.settled()
    view = opened(either, oli)
    assert view["title"]["text"] == "Stop"
    wrong = await either.people.submit(oli, view, fields={"scope": "agent", "name": "nobody"})
    assert "There is no agent nobody." in wrong.body
    assert '"name"' in wrong.body
    missing = await either.people.submit(oli, view, fields={"scope": "agent", "name": ""})
    assert "every other scope has one" in missing.body
    assert active(either) == []
    fields = {"scope": "agent", "name": "refunds", "disposition": "drain", "cause": "Too many <!channel>"}
    await either.people.submit(oli, view, fields=fields)
    await either.settled()
    [pause] = active(either)
    assert (pause.scope.sentence, pause.disposition) == ("agent refunds", Disposition.DRAIN)
    assert pause.cause == "Too many <!channel>"
    assert "What was approved before goes on." in either.told(oli)
    await either.people.command(oli, "paused")
    await either.settled()
    assert live(either.slack.whispers[-1].message, PAGES) == []
    assert either.slack.refused == []


async def test_every_message_has_a_stop_button_that_knows_what_it_stands_beside(either: Office) -> None:
    ann = either.approver()
    add_run(either)
    approval_id, message = await either.posted()
    assert buttons(message)[STOP]["text"]["text"] == "Stop…"
    assert (await either.people.press(ann, message, STOP)).in_time
    await either.settled()
    view = opened(either, ann)
    offered = [option["text"]["text"] for option in view["blocks"][0]["element"]["options"]]
    assert offered == ["Agent refunds", "Run run-1", "Action type shop.refund", "Connector shop", "Everything"]
    await either.people.submit(ann, view, fields={"scope": "run"})
    await either.settled()
    [pause] = active(either)
    assert (pause.scope.sentence, pause.cause) == ("run run-1", f"From the request {approval_id} in Slack.")
    await either.people.press(ann, message, "assent.approve")
    await either.settled()
    assert STOP in buttons(message)
    assert either.slack.refused == []


async def test_buttons_of_earlier_messages_still_pause_the_agent(office: Office) -> None:
    oli = office.person("Oli", Role.OPERATOR)
    add_run(office)
    approval_id, message = await office.posted()
    with office.database.read() as session:
        digest = approvals.one(session, approval_id).digest
    block = next(block for block in message["blocks"] if block.get("block_id") == "more")
    value = Deciding(a=approval_id, d=digest).written()
    block["elements"].append({"type": "button", "action_id": PAUSE, "value": value, "text": {}})
    await office.people.press(oli, message, PAUSE)
    await office.settled()
    assert [pause.scope.sentence for pause in active(office)] == ["agent refunds"]


async def test_who_may_not_is_told_so_privately_and_nothing_is_stopped(office: Office) -> None:
    add_run(office)
    card_with(office, pause=["operator"])
    ann, pia = office.approver(), office.person("Pia")
    said = await stopped(office, ann, "agent refunds")
    assert "✖ Nothing was done. Ann may not pause this." in said
    assert "the block `stopping` of the agent's card says who" in said
    _, message = await office.posted()
    await office.people.press(pia, message, STOP)
    await office.settled()
    await office.people.submit(pia, opened(office, pia), fields={"scope": "everything"})
    await office.settled()
    assert "Nothing was stopped. Pia may not pause this." in office.told(pia)
    assert active(office) == []
    zoe = office.slack.user("Zoe")
    await office.people.press(zoe, message, STOP)
    await office.settled()
    await office.people.submit(zoe, opened(office, zoe), fields={"scope": "everything"})
    await office.settled()
    assert "not linked to a person" in office.told(zoe)
    assert active(office) == []


async def test_resuming_asks_for_cause_change_and_checks(either: Office) -> None:
    oli = either.person("Oli", Role.OPERATOR)
    add_run(either)
    await stopped(either, oli, "agent refunds")
    [pause] = active(either)
    assert (await either.people.command(oli, f"resume {pause.id} it is 50 now")).in_time
    await either.settled()
    view = opened(either, oli)
    assert "agent refunds" in reading(view["blocks"])
    empty = await either.people.submit(oli, view, fields={"cause": " "})
    assert "Resuming needs the cause" in empty.body
    await either.people.submit(oli, view, fields={"cause": "The limit was wrong.", "checks": "unit tests\n\nby hand"})
    await either.settled()
    assert f"▶ Resumed: {pause.id} is over." in either.told(oli)
    ended = one(either, pause.id)
    assert ended.phase is PausePhase.ENDED
    assert ended.answers is not None
    assert (ended.answers.cause, ended.answers.changed) == ("The limit was wrong.", "it is 50 now")
    assert ended.answers.checks == ["unit tests", "by hand"]
    assert either.slack.refused == []


async def test_of_several_pauses_one_is_chosen(office: Office) -> None:
    oli = office.person("Oli", Role.OPERATOR)
    add_run(office)
    for text in ("agent refunds", "run run-1"):
        await stopped(office, oli, text)
    wide, narrow = active(office)
    await office.people.command(oli, "resume")
    await office.settled()
    chosen = await office.people.submit(oli, opened(office, oli), fields={"pause": narrow.id})
    assert '"update"' in chosen.body
    assert "run run-1" in chosen.body
    assert "What was changed?" in chosen.body
    assert [pause.id for pause in active(office)] == [wide.id, narrow.id]


async def test_a_second_person_agrees(office: Office) -> None:
    add_run(office)
    card_with(office, second=True)
    oli, pat = office.person("Oli", Role.OPERATOR), office.person("Pat", Role.OPERATOR)
    await stopped(office, oli, "agent refunds")
    [pause] = active(office)
    await office.people.command(oli, f"resume {pause.id}")
    await office.settled()
    await office.people.submit(oli, opened(office, oli), fields=ANSWERS)
    await office.settled()
    assert "a second person has to agree" in office.told(oli)
    assert one(office, pause.id).phase is PausePhase.SECOND_WANTED
    for user, said in ((oli, "Oli asked for this resume; a second person must agree."), (pat, "is over")):
        await office.people.command(user, f"resume {pause.id}")
        await office.settled()
        view = opened(office, user)
        assert "It is 50 now." in reading(view["blocks"])
        await office.people.submit(user, view)
        await office.settled()
        assert said in office.told(user)
    assert active(office) == []


async def test_a_second_person_agrees_to_nothing_but_what_they_saw(office: Office) -> None:
    add_run(office)
    card_with(office, second=True)
    oli, pat = office.person("Oli", Role.OPERATOR), office.person("Pat", Role.OPERATOR)
    await stopped(office, oli, "agent refunds")
    [pause] = active(office)
    await office.people.command(oli, f"resume {pause.id}")
    await office.settled()
    await office.people.submit(oli, opened(office, oli), fields=ANSWERS)
    await office.settled()
    await office.people.command(pat, f"resume {pause.id}")
    await office.settled()
    seen = opened(office, pat)
    first = one(office, pause.id).resume_asked_by
    assert first is not None
    office.slack.clock.advance(1)
    other = ResumeAnswers(cause="The limit was wrong.", changed="It is 500 now.")
    await office.gateway.resume(pause.id, by=first, answers=other, at_once=True)
    await office.people.submit(pat, seen)
    await office.settled()
    assert "It was asked for anew since you looked." in office.told(pat)
    assert one(office, pause.id).phase is PausePhase.SECOND_WANTED
    await office.people.command(pat, f"resume {pause.id}")
    await office.settled()
    view = opened(office, pat)
    assert "It is 500 now." in reading(view["blocks"])
    await office.people.submit(pat, view)
    await office.settled()
    assert active(office) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("resume pause-9", "There is no pause 'pause-9'."), ("resume", "Nothing is paused.")],
)
async def test_resuming_what_is_not_there(office: Office, text: str, said: str) -> None:
    oli = office.person("Oli", Role.OPERATOR)
    await office.people.command(oli, text)
    await office.settled()
    assert said in reading(opened(office, oli)["blocks"])


async def test_resuming_needs_the_right(office: Office) -> None:
    add_run(office)
    ann = office.approver()
    await stopped(office, ann, "agent refunds")
    await office.people.command(ann, "resume")
    await office.settled()
    assert "Ann may not resume this." in reading(opened(office, ann)["blocks"])
    assert len(active(office)) == 1


async def test_stopping_from_the_apps_own_page_answers_in_the_dialog(office: Office) -> None:
    oli = office.person("Oli", Role.OPERATOR)
    await office.people.open_home(oli)
    await office.settled()
    await office.people.press_home(oli, STOP)
    await office.settled()
    answer = await office.people.submit(oli, opened(office, oli), fields={"scope": "everything"})
    assert "❚❚ Paused: everything." in reading(json.loads(answer.body)["view"]["blocks"])
    assert [pause.scope.sentence for pause in active(office)] == ["everything"]
