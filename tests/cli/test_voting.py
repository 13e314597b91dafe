"""The console shows how a vote stands, tells the truth about a decision, hands requests on and enters absences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assent.domain.actions import ActionStatus
from assent.domain.people import Role
from assent.store import absences, groups, people
from tests.cli.conftest import Shell
from tests.desk import CARD
from tests.world import ANN, action

_TWO = CARD + "approval: {need: [{of: finance}, {of: sre}], remind: [30m], on_silence: hold}\n"


async def _waiting(shell: Shell) -> str:
    """A payment that finance and sre decide."""
    now = datetime.now(UTC)
    with shell.world.database.write() as session:
        for name in ("finance", "sre"):
            person = people.add(session, email=f"{name}@example.com", roles=[Role.APPROVER], at=now, by=ANN)
            groups.create(session, name, at=now, by=ANN)
            groups.add(session, name, person.id, at=now, by=ANN)
        people.add(session, email="spare@example.com", roles=[Role.APPROVER], at=now, by=ANN)
    shell.world.publish(_TWO)
    run_id = await shell.world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await shell.world.outcome(run_id, "a", ActionStatus.AWAITING)
    assert waiting.approval_id is not None
    return waiting.approval_id


async def test_the_vote_is_shown_and_each_is_told_what_their_word_did(shell: Shell) -> None:
    request = await _waiting(shell)
    before = (await shell("approval", "votes", request, "--json")).json
    assert (before["needed"], before["given"]) == (2, 0)
    assert before["missing"] == "one of finance and one of sre, all of them different people"
    assert before["next"]["kind"] == "remind"
    refused = await shell("approval", "approve", request, "--as", "spare@example.com", "--yes")
    assert refused.code != 0
    assert "not among those who decide this" in refused.err
    first = await shell("approval", "approve", request, "--as", "sre@example.com", "--yes")
    assert first.code == 0
    assert "It still needs one of finance." in first.out
    shown = await shell("approval", "votes", request)
    assert "sre approved it" in shown.out
    assert "it goes on waiting until somebody does" in shown.out
    back = await shell("approval", "withdraw", request, "--as", "sre@example.com", "--yes")
    assert "Taken back." in back.out
    again = await shell("approval", "withdraw", request, "--as", "sre@example.com", "--yes")
    assert again.code != 0
    assert "has no vote in force" in again.err


async def test_a_request_is_handed_on_and_decided_in_another_s_name(shell: Shell) -> None:
    request = await _waiting(shell)
    handed = await shell(
        "approval", "reassign", request, "--to", "spare@example.com", "--as", "finance@example.com", "--json"
    )
    assert handed.json == {"approval_id": request, "reassigned": "spare@example.com"}
    also = await shell("approval", "ask-also", request, "--to", "ann@example.com", "--as", "sre@example.com")
    assert "ann@example.com is asked as well." in also.out
    nobody = await shell("approval", "reassign", request, "--to", "who@example.com", "--as", "sre@example.com")
    assert nobody.code != 0
    assert "There is no person" in nobody.err
    await shell("approval", "approve", request, "--as", "spare@example.com", "--yes")
    shown = (await shell("approval", "votes", request, "--json")).json
    assert [(vote["counts_for"], vote["in_the_name_of"]) for vote in shown["votes"]] == [("finance", "finance")]
    await shell("approval", "approve", request, "--as", "ann@example.com", "--yes")
    assert (await shell("approval", "show", request, "--json")).json["status"] == "approved"


async def test_an_absence_is_entered_listed_and_ended(shell: Shell) -> None:
    request = await _waiting(shell)
    away = await shell(
        "people", "absent", "finance@example.com", "--until", "2099-08-14", "--delegate", "spare@example.com",
        "--note", "Holiday",
    )  # fmt: skip
    assert away.code != 0
    assert "at most 366 days" in away.err
    until = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    entered = await shell(
        "people", "absent", "finance@example.com", "--until", until, "--delegate", "spare@example.com", "--json"
    )
    assert entered.json["person_id"]
    listed = (await shell("people", "absences", "--json")).json["items"]
    assert [each["id"] for each in listed] == [entered.json["id"]]
    assert "spare@example.com" in (await shell("people", "absences")).out
    voted = await shell("approval", "approve", request, "--as", "spare@example.com", "--yes")
    assert "It still needs one of sre." in voted.out
    assert "is back" in (await shell("people", "back", "finance@example.com")).out
    assert (await shell("people", "back", "finance@example.com")).code != 0
    with shell.world.database.read() as session:
        assert absences.now_or_later(session, datetime.now(UTC)) == ()


async def test_a_day_that_is_none_is_refused(shell: Shell) -> None:
    await _waiting(shell)
    bad = await shell("people", "absent", "finance@example.com", "--until", "next week")
    assert bad.code != 0
    assert "is no day and no moment" in bad.err


async def test_each_sees_what_waits_for_them(shell: Shell) -> None:
    request = await _waiting(shell)

    async def listed(*options: str) -> list[str]:
        found = await shell("approval", "list", *options, "--json")
        return [each["id"] for each in found.json["items"]]

    assert await listed("--mine", "--as", "finance@example.com") == [request]
    assert await listed("--mine", "--as", "spare@example.com") == []
    assert await listed("--type", "desk.pay", "--least", "40") == [request]
    assert await listed("--type", "desk.note") == await listed("--least", "41") == []
    assert await listed("--search", "pay BO") == await listed("--search", "bob", "--status", "pending") == [request]
    assert await listed("--search", "bob", "--status", "rejected") == await listed("--search", "carol") == []
    assert await listed("--search", "bob", "--agent", "nobody") == []
    both = await shell("approval", "list", "--search", "bob", "--mine", "--as", "finance@example.com")
    assert both.code != 0
    assert "Searching looks at all requests." in both.err
    unsaid = await shell("approval", "list", "--mine")
    assert unsaid.code != 0
    assert "In whose name?" in unsaid.err
