"""Arguments declared secret: people never see them, in lists, in the ledger or in the words of a refusal."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.catalogue import SECRET
from assent.store.queries import runs
from assent.store.tables import ActionRow, LedgerEventRow
from tests.activities.stage import Stage
from tests.desk import CARD
from tests.world import action

PASSWORD = "correct horse battery"


def seen(stage: Stage) -> str:
    """Everything that people are shown of the run's actions."""
    with stage.database.read() as session:
        listed = runs.actions(session, "run-1").items
        assert [runs.action(session, view.action_id) for view in listed] == list(listed)
        bodies = session.execute(select(col(LedgerEventRow.body)).order_by(col(LedgerEventRow.id))).scalars()
        return f"{listed} {list(bodies)} {stage.run().last_step}"


def test_a_secret_argument_is_dots_everywhere(stage: Stage) -> None:
    stage.declare("desk.idea", secrets=frozenset({"text"}))
    stage.publish(CARD)
    assert stage.submit(action("a", "desk.idea", text=PASSWORD)).status is ActionStatus.SUGGESTED
    assert PASSWORD not in seen(stage)
    assert SECRET in seen(stage)
    assert stage.row(ActionRow, "run-1:a").arguments == {"text": PASSWORD}


def test_a_secret_of_a_type_that_the_card_does_not_list(stage: Stage) -> None:
    stage.declare("desk.idea", secrets=frozenset({"text"}))
    stage.publish(CARD.replace("  desk.idea: {tier: suggest}\n", ""))
    assert stage.submit(action("a", "desk.idea", text=PASSWORD)).status is ActionStatus.REFUSED
    assert PASSWORD not in seen(stage)


def test_a_refusal_quotes_no_secret(stage: Stage) -> None:
    schema = {
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": 5}, "by": {"enum": ["ann"]}},
        "anyOf": [{"required": ["to"]}],
    }
    stage.declare("desk.idea", secrets=frozenset({"text"}), arguments=schema)
    stage.publish(CARD)
    refused = stage.submit(action("a", "desk.idea", text=PASSWORD, by="eve"))
    assert refused.status is ActionStatus.REFUSED
    assert "The argument text do not fit: the rule maxLength is not met." in refused.message
    assert "'eve' is not one of ['ann']" in refused.message
    assert PASSWORD not in refused.message
    assert PASSWORD not in seen(stage)
