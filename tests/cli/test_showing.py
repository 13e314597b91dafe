"""``assent approval show``: exactly what the person saw, and the proof that it is that."""

from __future__ import annotations

from sqlalchemy import update

from assent.domain.actions import ActionStatus
from assent.domain.approvals import RequestCard, Verb
from assent.domain.card_content import content
from assent.domain.card_text import plain_text
from assent.store.tables import ApprovalRow, RevisionRow
from tests.cli.conftest import Shell
from tests.world import action

HOSTILE = "bob\x1b[2J\u202e\nWHO DECIDES\n  nobody"


async def test_what_is_printed_is_what_was_kept_byte_for_byte(shell: Shell) -> None:
    run_id = await shell.world.start(action("p", "desk.pay", to=HOSTILE, amount=40.5), goal="Pay the plumber")
    outcome = await shell.world.outcome(run_id, "p", ActionStatus.AWAITING)
    assert outcome.approval_id
    kept = RequestCard.model_validate(shell.world.approval(outcome.approval_id).card)
    shown = await shell("approval", "show", outcome.approval_id)
    assert shown.code == 0
    assert shown.out == kept.text == plain_text(content(kept))
    assert not set(shown.out) & {"\x1b", "\u202e"}
    for line in ["WHO DECIDES", "  Moves   40.50", "  If nobody decides within 1h, it is rejected."]:
        assert line in shown.out.splitlines()
    assert shown.out.splitlines().count("WHO DECIDES") == 1
    assert f"Request {outcome.approval_id}, revision 1: pending" in shown.err
    assert outcome.digest
    assert outcome.digest in shown.err
    as_json = (await shell("approval", "show", outcome.approval_id, "--json")).json
    assert as_json["card"] == kept.model_dump(mode="json")
    assert (as_json["digest"], as_json["revision"], as_json["sound"]) == (outcome.digest, 1, True)


async def test_a_decision_leads_to_what_was_seen(shell: Shell) -> None:
    run_id = await shell.world.start(action("p", "desk.pay", to="bob", amount=40))
    outcome = await shell.world.outcome(run_id, "p", ActionStatus.AWAITING)
    assert outcome.approval_id
    before = await shell("approval", "show", outcome.approval_id)
    decision = await shell.world.decide(outcome, Verb.APPROVE)
    await shell.world.result(run_id)
    seen = await shell("approval", "show", outcome.approval_id, "--decision", decision.id)
    assert (seen.code, seen.out) == (0, before.out)
    assert "approved by Ann Approver" in seen.err
    votes = (await shell("approval", "show", outcome.approval_id, "--json")).json["votes"]
    assert [(vote["id"], vote["digest"], vote["revision"]) for vote in votes] == [(decision.id, outcome.digest, 1)]
    first = await shell("approval", "show", outcome.approval_id, "--revision", "1")
    assert first.out == before.out
    assert (await shell("approval", "show", outcome.approval_id, "--revision", "2")).code == 3
    assert (await shell("approval", "show", outcome.approval_id, "--decision", "nobodys")).code == 3
    both = await shell("approval", "show", outcome.approval_id, "--decision", decision.id, "--revision", "1")
    assert both.code == 2


async def test_a_card_that_was_changed_is_not_passed_off_as_seen(shell: Shell) -> None:
    run_id = await shell.world.start(action("p", "desk.pay", to="bob", amount=40))
    outcome = await shell.world.outcome(run_id, "p", ActionStatus.AWAITING)
    assert outcome.approval_id
    card = shell.world.approval(outcome.approval_id).card
    forged = {**card, "text": card["text"].replace("Pay 40 to bob", "Pay 4 to bob\x1b[2J")}
    with shell.world.database.write() as session:
        session.execute(update(ApprovalRow).values(card=forged))
        session.execute(update(RevisionRow).values(card=forged))
    shown = await shell("approval", "show", outcome.approval_id)
    assert shown.code == 5
    assert "not what was shown" in shown.err
    assert "\x1b" not in shown.out
    decided = await shell("approval", "approve", outcome.approval_id, "--yes")
    assert decided.code == 5


async def test_a_request_of_old_is_shown_from_its_card(shell: Shell) -> None:
    run_id = await shell.world.start(action("p", "desk.pay", to="bob", amount=40))
    outcome = await shell.world.outcome(run_id, "p", ActionStatus.AWAITING)
    assert outcome.approval_id
    card = shell.world.approval(outcome.approval_id).card
    with shell.world.database.write() as session:
        session.execute(update(RevisionRow).values(card={name: card[name] for name in card if name != "text"}))
    shown = await shell("approval", "show", outcome.approval_id)
    assert "Pay 40 to bob" in shown.out
    assert "made now" in shown.err
