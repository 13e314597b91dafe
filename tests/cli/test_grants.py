"""Standing grants, several decisions at once and whole plans, from the command line."""

from __future__ import annotations

import pytest

from assent.commands.patterns import read_patterns
from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.errors import InvalidInput
from tests.cli.conftest import Shell
from tests.desk import CARD
from tests.world import AGENT, action

GRANTABLE = CARD.replace(
    "    expires: 1h\n",
    '    expires: 1h\n    approval: {grants: {by: ["role:approver"], uses: 5, lasts: 10d}}\n',
)
GIVE = ("grant", "give", "desk-clerk", "desk.pay", "--uses", "3", "--for", "2d", "--yes")
TO_BOB = ("--where", "to=bob", "--where", "amount<=50", "--where", "amount>=0")


def test_patterns_as_people_type_them() -> None:
    typed = ["to=bob", "amount<=50", "amount >= 1.5", "id^=W-", "note=*", 'who in ["a", 7]', "flag=true", "odd=a=b"]
    assert {name: pattern.words(name) for name, pattern in read_patterns(typed).items()} == {
        "to": 'to is "bob"',
        "amount": "amount is from 1.5 to 50",
        "id": 'id begins with "W-"',
        "note": "note may be anything, or missing",
        "who": 'who is one of "a", 7',
        "flag": "flag is true",
        "odd": 'odd is "a=b"',
    }


@pytest.mark.parametrize(
    "typed",
    [
        ["to"],
        ["amount<=much"],
        ["to in bob"],
        ["to in 7"],
        ["a=1", "a=2"],
        ["a<=1", "a<=2"],
        ["a>=2", "a<=1"],
        ["id^="],
    ],
)
def test_patterns_that_cannot_be_read(typed: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_patterns(typed)
    assert caught.value.where == "--where"


async def propose(shell: Shell, run_id: str, key: str, amount: float = 40) -> ActionOutcome:
    return await shell.world.gateway.propose(run_id, action(key, "desk.pay", to="bob", amount=amount), by=AGENT)


async def test_giving_using_and_revoking(shell: Shell) -> None:
    shell.world.publish(GRANTABLE)
    unasked = await shell(*[word for word in GIVE if word != "--yes"], *TO_BOB)
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    assert "amount is from 0 to 50" in unasked.out
    made = (await shell(*GIVE, *TO_BOB, "--note", "Lunch money", "--json")).json
    assert (made["status"], made["note"], made["given_by"]["name"]) == ("active", "Lunch money", "Ann Approver")
    run_id = await shell.world.start(open=True)
    covered = await propose(shell, run_id, "a")
    assert covered.status is ActionStatus.DONE
    listed = await shell("grant", "list", "--agent", "desk-clerk")
    assert "1 of 3" in listed.out
    assert [each["id"] for each in (await shell("grant", "list", "--status", "active", "--json")).json["items"]] == [
        made["id"]
    ]
    shown = await shell("grant", "show", made["id"])
    assert f"{run_id}:a" in shown.out
    assert (await shell("grant", "show", made["id"], "--json")).json["uses"][0]["status"] == "done"
    assert (await shell("grant", "revoke", made["id"], "--reason", "Enough")).code == 0
    assert (await shell("grant", "revoke", made["id"])).code == 5
    assert (await propose(shell, run_id, "b")).status is ActionStatus.AWAITING
    assert (await shell("grant", "show", "grant-none")).code == 3


async def test_a_grant_like_a_request(shell: Shell) -> None:
    shell.world.publish(GRANTABLE)
    run_id = await shell.world.start(open=True)
    asked = await propose(shell, run_id, "a", 12)
    like = ("grant", "give", "--like", asked.approval_id or "")
    made = (await shell(*like, "--where", "amount<=12", "--uses", "2", "--yes", "--json")).json
    assert made["terms"]["arguments"]["amount"]["max"] == 12
    assert made["terms"]["arguments"]["to"]["values"] == ["bob"]
    assert (made["terms"]["uses"], made["approval_id"]) == (2, asked.approval_id)
    assert (await propose(shell, run_id, "b", 11)).status is ActionStatus.DONE


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("grant", "give", "--yes"), 2),
        ((*GIVE, "--where", "to=bob"), 2),
        ((*GIVE, *TO_BOB, "--if", "args.amount"), 2),
        ((*GIVE[:4], "--uses", "0", "--for", "2d", "--yes", *TO_BOB), 2),
        ((*GIVE[:4], "--uses", "-3", "--for", "2d", "--yes", *TO_BOB), 2),
        ((*GIVE[:4], "--uses", "9", "--for", "2d", "--yes", *TO_BOB), 2),
        ((*GIVE[:4], "--uses", "1", "--for", "soon", "--yes", *TO_BOB), 2),
        ((*GIVE[:4], "--uses", "1", "--for", "11d", "--yes", *TO_BOB), 2),
        ((*GIVE, *TO_BOB, "--as", "eve@example.com"), 4),
        (("grant", "give", "nobody", "desk.pay", "--uses", "1", "--for", "1d", "--yes", *TO_BOB), 3),
    ],
)
async def test_what_cannot_be_given(shell: Shell, command: tuple[str, ...], code: int) -> None:
    shell.world.publish(GRANTABLE)
    ended = await shell(*command)
    assert ended.code == code, ended.err
    assert (await shell("grant", "list", "--json")).json["items"] == []


async def test_several_at_once(shell: Shell) -> None:
    run_id = await shell.world.start(open=True)
    asked = [await propose(shell, run_id, f"p{number}", number + 1) for number in range(4)]
    bound = [f"{each.approval_id}={each.digest}" for each in asked]
    stale = f"{asked[1].approval_id}={'0' * 64}"
    ended = await shell("approval", "approve", bound[0], stale, "--json")
    assert ended.code == 1
    assert '"sent": 1' in ended.out
    assert (await shell.world.outcome(run_id, "p0")).status is ActionStatus.DONE
    unasked = await shell("approval", "approve", "--agent", "desk-clerk")
    assert (unasked.code, "Pay 2 to bob" in unasked.out) == (2, True)
    listed = await shell("approval", "approve", asked[1].approval_id or "", asked[2].approval_id or "", "--yes")
    assert "Approved 2 of 2 as Ann Approver." in listed.out
    rejected = await shell("approval", "reject", "--type", "desk.pay", "--reason", "Enough", "--yes")
    assert "Rejected 1 of 1" in rejected.out
    assert (await shell.world.outcome(run_id, "p3")).message == "Enough"
    assert (await shell("approval", "approve", "--agent", "desk-clerk", "--yes")).code == 3
    assert (await shell("approval", "approve")).code == 2
    assert (await shell("approval", "approve", "ap-1=nonsense", "ap-2")).code == 2
    assert (await shell("approval", "approve", bound[0], "--agent", "desk-clerk")).code == 2


async def test_a_whole_plan(shell: Shell) -> None:
    plan = [action(f"s{number}", "desk.pay", to="bob", amount=number + 1) for number in range(3)]
    run_id = await shell.world.start(*plan)
    first = await shell.world.outcome(run_id, "s0", ActionStatus.AWAITING)
    unasked = await shell("approval", "approve", "--plan", first.approval_id or "")
    assert (unasked.code, "Pay 3 to bob" in unasked.out) == (2, True)
    assert (await shell("approval", "approve", "--plan", run_id, "--digest", "0" * 64)).code == 5
    approved = await shell("approval", "approve", "--plan", run_id, "--yes", "--reason", "Looks right")
    assert "The plan is approved; 1 request that waited goes on." in approved.out, approved.err
    assert (await shell.world.result(run_id)).counts == {"done": 3}
    assert (await shell("approval", "approve", "--plan")).code == 2
    assert (await shell("approval", "approve", "--plan", "run-none", "--yes")).code == 3
    plan_id = approved.err.split("`assent grant revoke ")[1].split("`")[0]
    assert (await shell("grant", "revoke", plan_id, "--json")).json["status"] == "revoked"
