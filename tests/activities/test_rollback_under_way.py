"""Effects under way stand in a rollback's preview, whatever it is of: nobody may take them for left out."""

from __future__ import annotations

import pytest

from assent.domain.catalogue import TargetDeclaration
from assent.domain.effects import EffectStatus
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.undo_steps import Undoable
from assent.gateway import Gateway, NewIncident
from assent.store import scoped_effects
from assent_activities.rollback_preview import RollbackPreview
from tests.activities.stage import Died, Stage, die_before_effect
from tests.desk import CARD
from tests.world import ANN, action

KEY = "run-1:a"


@pytest.fixture
def claimed(stage: Stage) -> Stage:
    """A tip for bob is claimed, and nobody has said yet what became of it."""
    stage.declare("desk.tip", target=TargetDeclaration(words="{to}", resource="desk/{to}"))
    stage.publish(CARD)
    die_before_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(action("a", "desk.tip", to="bob", amount=5))
    assert stage.claim(KEY).status == EffectStatus.CLAIMED
    return stage


def listed(stage: Stage, kind: RollbackScopeKind, id: str) -> list[str]:
    with stage.database.read() as session:
        found = scoped_effects.under_way(session, RollbackScope(kind=kind, id=id))
    preview = RollbackPreview(
        stage.dependencies, "preview-1", RollbackScope(kind=kind, id=id), stage.clock(), lambda: None
    )
    steps = preview.steps(found)
    assert all(step.verdict is Undoable.UNKNOWN and step.why == "It is still running." for step in steps)
    return [step.action_id for step in steps]


def test_of_a_run_an_agent_and_a_record(claimed: Stage) -> None:
    assert listed(claimed, RollbackScopeKind.RUN, "run-1") == [KEY]
    assert listed(claimed, RollbackScopeKind.AGENT, "desk-clerk") == [KEY]
    assert listed(claimed, RollbackScopeKind.RECORD, "desk/bob") == [KEY]
    assert listed(claimed, RollbackScopeKind.RECORD, "desk/ann") == []


async def test_of_an_incident_by_its_runs_and_by_its_records(claimed: Stage) -> None:
    gateway = Gateway(None, claimed.database)
    ids = {
        name: await gateway.open_incident(wanted, by=ANN)
        for name, wanted in {
            "run": NewIncident(title="A run", run_ids=["run-1"]),
            "record": NewIncident(title="A record", records=["desk/bob"]),
            "other": NewIncident(title="Something else", records=["desk/ann", "desk/notes"]),
        }.items()
    }
    found = {name: listed(claimed, RollbackScopeKind.INCIDENT, incident_id) for name, incident_id in ids.items()}
    assert found == {"run": [KEY], "record": [KEY], "other": []}
