"""Code in the pages is Python, YAML in them is what it says, and the connector in them works."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import types
from datetime import UTC, datetime

import pytest
import yaml

from assent.domain.actions import ActionStatus, ProposedAction, advance
from assent.domain.catalogue import ActionType
from assent.domain.people import SYSTEM
from assent.domain.references import dependencies
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackResult, RollbackStatus
from assent.domain.runs import RunResult, RunStatus
from assent.gateway import StartRun
from assent.policy.approval_block import ApprovalBlock, EscalateRule, GrantRule, HoursRule, NeedRule, RaiseRule
from assent.policy.cards import ActionRule, AgentCard, Limit, NeverRule, StopRule, read_card
from assent.policy.conditions import check_condition
from assent.policy.drills_block import DrillsBlock
from assent.runtime.cards import publish_card
from assent.runtime.connectors import ConnectorEntry
from assent.runtime.settings import Settings
from assent.runtime.worker import running_worker
from assent.store.reading import action_outcome
from assent_activities.connectors import ConnectorEnvironment, build_registry
from assent_activities.connectors.sql_rows.options import SqlRowsOptions, TableOptions, read_options
from tests.docs.pages import ROOT, Block, blocks, text_of
from tests.world import ANN, make_world

DOCS = ROOT / "docs"
CARD = """
name: flagger
purpose: Turns flags.
business_owner: &owner {name: Bo Owner, email: bo@example.com}
technical_owner: *owner
model_steward: *owner
escalation: *owner
actions:
  flags.set: {tier: auto}
"""


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_every_python_block_compiles_and_imports_what_is_there(block: Block) -> None:
    tree = ast.parse(block.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            assert all(hasattr(module, alias.name) for alias in node.names), node.module


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_yaml_block_is_a_card_a_connectors_file_or_a_plan(block: Block) -> None:
    content = yaml.safe_load(block.text)
    if isinstance(content, dict):
        assert read_card(block.text).name == content["name"]
        return
    assert content
    for entry in content:
        if "use" not in entry:
            break
        found = ConnectorEntry.model_validate(entry)
        if found.use.endswith("sql_rows:build"):
            read_options(found.options)
    else:
        return
    dependencies([ProposedAction.model_validate(entry) for entry in content])


def test_conditions_in_the_prose_can_be_read() -> None:
    conditions = re.findall(r"`((?:double\()?args\.[^`]+|has\(args[^`…]+)`", text_of(DOCS / "cards.md"))
    assert len(conditions) >= 4
    for condition in conditions:
        check_condition(condition)


@pytest.mark.parametrize(
    ("page", "model"),
    [
        ("cards.md", AgentCard),
        ("cards.md", ActionRule),
        ("cards.md", Limit),
        ("cards.md", StopRule),
        ("cards.md", NeverRule),
        ("cards.md", ApprovalBlock),
        ("cards.md", NeedRule),
        ("cards.md", RaiseRule),
        ("cards.md", EscalateRule),
        ("cards.md", HoursRule),
        ("cards.md", GrantRule),
        ("cards.md", DrillsBlock),
        ("connectors.md", ActionType),
        ("connectors.md", TableOptions),
        ("connectors.md", SqlRowsOptions),
    ],
)
def test_every_field_is_described(page: str, model: type) -> None:
    text = text_of(DOCS / page)
    for name, field in model.model_fields.items():  # type: ignore[attr-defined]
        assert f"`{field.alias or name}`" in text, name


def test_the_drawn_life_of_an_action_is_the_real_one() -> None:
    text = text_of(DOCS / "concepts.md")
    steps = re.findall(r"^    (\w+) --> (\w+)", text, re.MULTILINE)
    assert len(steps) > 15
    for now, to in steps:
        assert advance(ActionStatus(now), ActionStatus(to)) is ActionStatus(to)
    assert {status for step in steps for status in step} == {status.value for status in ActionStatus}


def written_connector() -> types.ModuleType:
    """The connector of the page, as a module."""
    (block,) = (each for each in blocks("python") if "def build(" in each.text)
    module = types.ModuleType("flags_of_the_page")
    sys.modules[module.__name__] = module
    exec(compile(block.text, str(block), "exec"), module.__dict__)
    return module


async def test_the_written_connector_does_and_undoes(temporal_server: str, settings: Settings) -> None:
    world = await make_world(temporal_server, settings.database_url, settings)
    board = written_connector().build(ConnectorEnvironment(settings.data_dir, {"flags": ["beta", "dark"]}))
    registry = build_registry([board])
    publish_card(world.database, registry, CARD, where="test card", by=SYSTEM)

    def outcome(run_id: str, key: str) -> ActionStatus:
        found = action_outcome(world.database, f"{run_id}:{key}", datetime.now(UTC))
        assert found is not None
        return found.status

    async def turn(*flags: str) -> str:
        plan = [ProposedAction(key=flag, type="flags.set", arguments={"flag": flag, "on": True}) for flag in flags]
        return await world.gateway.start_run(StartRun(agent="flagger", plan=plan), by=SYSTEM)

    async def undo(run_id: str) -> RollbackStatus:
        scope = RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)
        rollback_id = (await world.gateway.rollback(scope, by=ANN)).id
        handle = world.client.get_workflow_handle(rollback_id, result_type=RollbackResult)
        result: RollbackResult = await handle.result()
        return result.status

    async with running_worker(world.client, world.database, registry, world.settings):
        run_id = await turn("beta", "dark")
        result = await world.client.get_workflow_handle(run_id, result_type=RunResult).result()
        assert result.status is RunStatus.COMPLETED
        assert board.flags == {"beta": True, "dark": True}
        assert await undo(run_id) is RollbackStatus.DONE
        assert board.flags == {"beta": False, "dark": False}

        run_id = await turn("beta", "gone")
        await world.client.get_workflow_handle(run_id, result_type=RunResult).result()
        assert outcome(run_id, "gone") is ActionStatus.FAILED
        board.flags["beta"] = False  # somebody turned it in the meantime
        assert await undo(run_id) is RollbackStatus.NEEDS_PERSON
        assert board.flags == {"beta": False, "dark": False}
    world.database.close()
