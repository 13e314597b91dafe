"""Edits: a new revision that is asked anew, or a refusal that says why and changes nothing."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from sqlmodel import col

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import RequestCard, approval_digest
from assent.domain.canonical import Json
from assent.domain.catalogue import SECRET
from assent.domain.people import Actor
from assent.domain.ports import ReviseAction
from assent.domain.revisions import Edit
from assent.domain.runs import WaitingAction
from assent.domain.tiers import Tier
from assent.store.queries import revisions
from assent.store.tables import ActionRow, ApprovalRow, DecisionRow, EditRow, OutboxRow, UsageRow
from assent_activities.revising import Revising
from tests.activities.stage import Stage
from tests.desk import CARD
from tests.world import ANN, EVE, action

PAY = action("a", "desk.pay", to="bob", amount=40)
KEY = "run-1:a"
TIP = action("t", "desk.tip", to="bob", amount=6)
TWO = CARD.replace("    expires: 1h\n", "    expires: 1h\n    approval: {need: [{of: 'role:approver', count: 2}]}\n")


@dataclass
class Editor:
    """Edits on a stage."""

    stage: Stage

    def edit(
        self,
        outcome: ActionOutcome,
        *,
        id: str = "edit-1",
        by: Actor = ANN,
        digest: str | None = None,
        reason: str = "Forty is too much.",
        **arguments: Json,
    ) -> Edit:
        assert outcome.approval_id is not None
        return Edit(
            id=id,
            approval_id=outcome.approval_id,
            action_id=outcome.action_id,
            digest=digest or outcome.digest or "",
            arguments=arguments,
            reason=reason,
            by=by,
            at=self.stage.clock(),
        )

    def send(self, edit: Edit) -> WaitingAction:
        header = self.stage.header(first=False)
        return Revising(self.stage.dependencies).revise(ReviseAction(header=header, edit=edit))

    def why_not(self, edit_id: str = "edit-1") -> str:
        row = self.stage.row(EditRow, edit_id)
        assert row.revision is None
        return row.why_not


@pytest.fixture
def editor(stage: Stage) -> Editor:
    return Editor(stage)


@pytest.fixture
def waiting(stage: Stage) -> ActionOutcome:
    outcome = stage.submit(PAY)
    assert outcome.status is ActionStatus.AWAITING
    return outcome


def request_of(stage: Stage, outcome: ActionOutcome) -> ApprovalRow:
    assert outcome.approval_id is not None
    return stage.row(ApprovalRow, outcome.approval_id)


def test_an_edit_makes_a_revision_that_is_asked_anew(stage: Stage, editor: Editor, waiting: ActionOutcome) -> None:
    stage.clock.turn(minutes=30)
    found = editor.send(editor.edit(waiting, to="bob", amount=25))
    assert found.action.arguments == {"to": "bob", "amount": 25}
    assert found.outcome.status is ActionStatus.AWAITING
    assert found.outcome.digest not in (None, waiting.digest)
    assert found.outcome.expires_in is not None
    assert found.outcome.expires_in.total_seconds() == pytest.approx(3600, abs=1)
    request = request_of(stage, waiting)
    card = RequestCard.model_validate(request.card)
    assert (request.revision, card.revision, request.amount) == (2, 2, 25.0)
    assert request.headline == card.headline == "Pay 25 to bob"
    assert card.revised is not None
    assert (card.revised.by.name, card.revised.reason) == ("Ann Approver", "Forty is too much.")
    assert [(c.path, c.before, c.after) for c in card.revised.changes] == [(["amount"], 40, 25)]
    assert card.changes[0].after == 25
    assert "edited" in [reason.rule for reason in card.stopped_because]
    assert stage.events(action_id=KEY) == ["action.proposed", "approval.requested", "approval.revised"]
    stage.check_chain()


def test_the_edited_arguments_run_and_the_agent_is_told(stage: Stage, editor: Editor, waiting: ActionOutcome) -> None:
    found = editor.send(editor.edit(waiting, to="bob", amount=25))
    done = stage.execute(found.action, stage.decision(found.outcome))
    assert done.status is ActionStatus.DONE
    assert stage.desk.balances == {"bob": 25}
    assert (done.edited_by, done.arguments) == ("Ann Approver", {"to": "bob", "amount": 25})
    assert stage.submit(PAY).arguments == {"to": "bob", "amount": 25}
    assert stage.row(ActionRow, KEY).sentence == "Pay 25 to bob"


def test_an_approval_of_the_former_revision_does_not_count(
    stage: Stage, editor: Editor, waiting: ActionOutcome
) -> None:
    stale = stage.decision(waiting)
    found = editor.send(editor.edit(waiting, to="bob", amount=25))
    assert stage.execute(found.action, stale).status is ActionStatus.AWAITING
    row = stage.row(DecisionRow, "decision-1")
    assert not row.counted
    assert "something other" in row.why_not
    assert stage.desk.done == []


def test_votes_before_lapse(stage: Stage, editor: Editor) -> None:
    stage.publish(TWO)
    waiting = stage.submit(PAY)
    assert stage.execute(PAY, stage.decision(waiting)).status is ActionStatus.AWAITING
    found = editor.send(editor.edit(waiting, to="bob", amount=25))
    row = stage.row(DecisionRow, "decision-1")
    assert (row.counted, row.lapsed, row.why_lapsed) == (True, True, "Ann Approver edited the arguments.")
    assert found.outcome.status is ActionStatus.AWAITING
    again = stage.execute(found.action, stage.decision(found.outcome, id="decision-2"))
    assert again.status is ActionStatus.AWAITING
    assert stage.desk.done == []


def test_every_revision_is_kept_whole(stage: Stage, editor: Editor, waiting: ActionOutcome) -> None:
    found = editor.send(editor.edit(waiting, to="bob", amount=25))
    editor.send(editor.edit(found.outcome, id="edit-2", to="bo", amount=25, reason=""))
    with stage.database.read() as session:
        kept = revisions.of_request(session, waiting.approval_id or "")
        start = revisions.editable(session, waiting.approval_id or "")
    assert [(each.revision, each.card.headline) for each in kept] == [
        (1, "Pay 40 to bob"),
        (2, "Pay 25 to bob"),
        (3, "Pay 25 to bo"),
    ]
    assert kept[0].edited_by is None
    assert [each.edited_by.name for each in kept[1:] if each.edited_by] == ["Ann Approver"] * 2
    assert kept[2].digest == start.digest == request_of(stage, waiting).digest
    assert [each.digest for each in kept[:2]] == [waiting.digest, found.outcome.digest]
    for each, arguments in zip(kept, ({"to": "bob", "amount": 40}, {"to": "bob", "amount": 25}), strict=False):
        bound = approval_digest(
            run_id="run-1",
            action_id=KEY,
            action_type="desk.pay",
            arguments=arguments,
            card_version=1,
            shown=each.card,
        )
        assert bound == each.digest


def test_an_edit_comes_once(stage: Stage, editor: Editor, waiting: ActionOutcome) -> None:
    edit = editor.edit(waiting, to="bob", amount=25)
    first, second = editor.send(edit), editor.send(edit)
    assert first.outcome.digest == second.outcome.digest
    assert request_of(stage, waiting).revision == 2
    assert stage.events(kind="approval.revised") == ["approval.revised"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"to": "mallory", "amount": 40}, "Mallory is never paid"),
        ({"to": "bob", "amount": -1}, "do not fit"),
        ({"to": "bob"}, "'amount' is a required property"),
        ({"to": "bob", "amount": 40, "more": 1}, "Additional properties"),
        ({"to": "bob", "amount": 40}, "Nothing was changed."),
        ({"to": "nobody", "amount": 40}, "There is nobody of that name."),
        ({"to": "bob", "amount": 2**60}, "canonical JSON"),
        ({"to": "\ud800", "amount": 4}, "cannot be written"),
    ],
)
def test_a_refused_edit_leaves_the_request_as_it_is(
    stage: Stage, editor: Editor, waiting: ActionOutcome, arguments: dict[str, Json], why: str
) -> None:
    found = editor.send(editor.edit(waiting, **arguments))
    assert found.action.arguments == PAY.arguments
    assert found.outcome.digest == waiting.digest
    assert why in editor.why_not()
    assert request_of(stage, waiting).revision == 1
    assert stage.events(kind="approval.edit_refused") == ["approval.edit_refused"]
    assert stage.execute(found.action, stage.decision(found.outcome)).status is ActionStatus.DONE


def test_only_who_may_decide_may_edit(stage: Stage, editor: Editor, waiting: ActionOutcome) -> None:
    editor.send(editor.edit(waiting, by=EVE, to="bob", amount=1))
    assert "Eve Everyone may not decide" in editor.why_not()


def test_a_stale_edit_is_refused(stage: Stage, editor: Editor, waiting: ActionOutcome) -> None:
    editor.send(editor.edit(waiting, to="bob", amount=25))
    editor.send(editor.edit(waiting, id="edit-2", to="bob", amount=1))
    assert "something other" in editor.why_not("edit-2")
    assert request_of(stage, waiting).revision == 2


def test_an_edit_after_the_decision_is_recorded(stage: Stage, editor: Editor, waiting: ActionOutcome) -> None:
    stage.execute(PAY, stage.decision(waiting))
    found = editor.send(editor.edit(waiting, to="bob", amount=25))
    assert found.outcome.status is ActionStatus.DONE
    assert editor.why_not() == "It was already approved."
    assert stage.desk.balances == {"bob": 40}


def test_an_edit_after_time_is_up_is_refused(stage: Stage, editor: Editor, waiting: ActionOutcome) -> None:
    stage.clock.turn(hours=2)
    editor.send(editor.edit(waiting, to="bob", amount=25))
    assert "time to decide was over" in editor.why_not()


def test_a_card_can_forbid_edits(stage: Stage, editor: Editor) -> None:
    stage.publish(CARD.replace("    expires: 1h\n", "    expires: 1h\n    approval: {edit: false}\n"))
    editor.send(editor.edit(stage.submit(PAY), to="bob", amount=25))
    assert editor.why_not() == "The card lets nobody edit it."


def test_the_card_in_force_weighs_an_edit(stage: Stage, editor: Editor, waiting: ActionOutcome) -> None:
    stage.publish(CARD + "  - {action: desk.pay, when: 'args.amount < 30', because: Small sums wait.}\n")
    editor.send(editor.edit(waiting, to="bob", amount=25))
    assert "Small sums wait." in editor.why_not()
    found = editor.send(editor.edit(waiting, id="edit-2", to="bob", amount=35))
    assert request_of(stage, waiting).revision == 2
    assert stage.row(ActionRow, KEY).card_version == 2
    assert stage.execute(found.action, stage.decision(found.outcome)).status is ActionStatus.DONE


def test_an_edit_never_makes_an_action_automatic(stage: Stage, editor: Editor) -> None:
    asked = stage.submit(TIP)
    assert asked.status is ActionStatus.AWAITING
    found = editor.send(editor.edit(asked, to="bob", amount=2))
    assert found.outcome.status is ActionStatus.AWAITING
    assert stage.row(ActionRow, asked.action_id).tier == Tier.APPROVE
    assert stage.desk.done == []
    done = stage.execute(found.action, stage.decision(found.outcome))
    assert done.status is ActionStatus.DONE
    amounts = {row.measure: row.amount for row in usage_of(stage, asked.action_id)}
    assert amounts["amount"] == 2


def usage_of(stage: Stage, action_id: str) -> list[UsageRow]:
    with stage.database.read() as session:
        return list(session.execute(select(UsageRow).where(col(UsageRow.action_id) == action_id)).scalars())


def test_an_edit_can_ask_for_more_people(stage: Stage, editor: Editor) -> None:
    raised = "approval: {raise: [{when: 'args.amount > 100', need: [{of: 'role:approver', count: 2}], because: Much.}]}"
    stage.publish(CARD.replace("    expires: 1h\n", f"    expires: 1h\n    {raised}\n"))
    asked = stage.submit(PAY)
    found = editor.send(editor.edit(asked, to="bob", amount=200))
    assert stage.execute(found.action, stage.decision(found.outcome)).status is ActionStatus.AWAITING
    assert stage.desk.done == []


def test_under_a_pause_it_is_edited_and_held_once_approved(
    stage: Stage, editor: Editor, waiting: ActionOutcome
) -> None:
    stage.pause()
    found = editor.send(editor.edit(waiting, to="bob", amount=25))
    assert request_of(stage, waiting).revision == 2
    decision = stage.decision(found.outcome)
    assert stage.execute(found.action, decision).status is ActionStatus.HELD
    editor.send(editor.edit(found.outcome, id="edit-2", to="bob", amount=1))
    assert editor.why_not("edit-2") == "It was already approved."
    stage.resume()
    assert stage.execute(found.action, decision).status is ActionStatus.DONE
    assert stage.desk.balances == {"bob": 25}


def test_a_pause_gives_an_edited_request_the_time_since_the_edit(
    stage: Stage, editor: Editor, waiting: ActionOutcome
) -> None:
    stage.pause()
    stage.clock.turn(minutes=50)
    editor.send(editor.edit(waiting, to="bob", amount=25))
    stage.clock.turn(minutes=5)
    stage.resume()
    left = request_of(stage, waiting).expires_at - stage.clock()
    assert left.total_seconds() == pytest.approx(3600, abs=1)


def test_a_secret_stays_unless_it_is_replaced(stage: Stage, editor: Editor) -> None:
    stage.declare("desk.pay", secrets=frozenset({"to"}))
    stage.publish(CARD)
    waiting = stage.submit(PAY)
    kept = editor.send(editor.edit(waiting, to=SECRET, amount=25))
    assert stage.row(ActionRow, KEY).arguments == {"to": "bob", "amount": 25}
    assert kept.outcome.arguments == {"to": SECRET, "amount": 25}
    replaced = editor.send(editor.edit(kept.outcome, id="edit-2", to="zoe", amount=25))
    assert stage.row(ActionRow, KEY).arguments == {"to": "zoe", "amount": 25}
    card = RequestCard.model_validate(request_of(stage, waiting).card)
    assert card.revised is not None
    assert [(c.path, c.before, c.after) for c in card.revised.changes] == [(["to"], SECRET, SECRET)]
    assert replaced.outcome.arguments == {"to": SECRET, "amount": 25}
    # The desk names its records after people; everything that Assent itself says has dots.
    assert "zoe" not in str([card.headline, card.arguments, card.revised, replaced.outcome])


def test_every_place_is_told(stage: Stage, editor: Editor, waiting: ActionOutcome) -> None:
    telling = Revising(dataclasses.replace(stage.dependencies, channels=("slack",)))
    telling.revise(ReviseAction(header=stage.header(first=False), edit=editor.edit(waiting, to="bob", amount=25)))
    with stage.database.read() as session:
        kinds = session.execute(select(col(OutboxRow.kind)).where(col(OutboxRow.channel) == "slack")).scalars().all()
    assert kinds == ["approval.changed"]
