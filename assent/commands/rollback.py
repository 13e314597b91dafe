"""``assent rollback``: take back what agents did, previewed first."""

from __future__ import annotations

from typing import Annotated

import typer

from assent.commands import rollback_control, rollback_shown
from assent.commands.context import Json
from assent.commands.printing import Yes
from assent.commands.rollback_begun import Preview, Reason, Since, Until, WithLater, roll_back, scope_of
from assent.domain.rollback_scopes import RollbackScopeKind

app = typer.Typer(help="Take back what agents did, previewed first.", no_args_is_help=True)


@app.command()
def action(
    context: typer.Context,
    action_id: Annotated[str, typer.Argument(help="The action's id: run, colon, key.", metavar="ACTION")],
    with_later: WithLater = False,
    preview: Preview = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo an action; ends with 1 if something is left for a person."""
    scope = scope_of(RollbackScopeKind.ACTION, action_id, with_later=with_later)
    roll_back(context, scope, preview, reason, yes, as_json)


@app.command()
def run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="The run's id.", metavar="RUN")],
    with_later: WithLater = False,
    preview: Preview = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo everything a run did, newest first; ends with 1 if something is left for a person."""
    scope = scope_of(RollbackScopeKind.RUN, run_id, with_later=with_later)
    roll_back(context, scope, preview, reason, yes, as_json)


@app.command()
def agent(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The agent's name.", metavar="AGENT")],
    since: Since,
    until: Until = None,
    with_later: WithLater = False,
    preview: Preview = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo what an agent did since a time, over all its runs, newest first."""
    scope = scope_of(RollbackScopeKind.AGENT, name, since, until, with_later=with_later)
    roll_back(context, scope, preview, reason, yes, as_json)


@app.command()
def version(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A version of an agent's card, refunds@3.", metavar="AGENT@VERSION")],
    since: Since,
    until: Until = None,
    with_later: WithLater = False,
    preview: Preview = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo what an agent did under one version of its card since a time."""
    scope = scope_of(RollbackScopeKind.VERSION, name, since, until, with_later=with_later)
    roll_back(context, scope, preview, reason, yes, as_json)


@app.command("type")
def action_type(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The action type, shop.refund.", metavar="TYPE")],
    since: Since,
    until: Until = None,
    with_later: WithLater = False,
    preview: Preview = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo every action of a type since a time, whichever agent did it."""
    scope = scope_of(RollbackScopeKind.TYPE, name, since, until, with_later=with_later)
    roll_back(context, scope, preview, reason, yes, as_json)


@app.command()
def record(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The record's stable name, shop/orders/W1.", metavar="RECORD")],
    since: Annotated[str | None, typer.Option(help="From then on; ever, if left out.")] = None,
    until: Until = None,
    with_later: WithLater = False,
    preview: Preview = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo everything agents did that touched a record."""
    scope = scope_of(RollbackScopeKind.RECORD, name, since, until, with_later=with_later)
    roll_back(context, scope, preview, reason, yes, as_json)


@app.command()
def incident(
    context: typer.Context,
    incident_id: Annotated[str, typer.Argument(help="The incident's id.", metavar="INCIDENT")],
    since: Annotated[str | None, typer.Option(help="From then on; from when it began, if left out.")] = None,
    until: Until = None,
    with_later: WithLater = False,
    preview: Preview = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo what was done in the runs and to the records that an incident groups, since it began."""
    scope = scope_of(RollbackScopeKind.INCIDENT, incident_id, since, until, with_later=with_later)
    roll_back(context, scope, preview, reason, yes, as_json)


app.command("list")(rollback_shown.list_rollbacks)
app.command()(rollback_shown.show)
app.command()(rollback_control.approve)
app.command()(rollback_control.reject)
app.command()(rollback_control.withdraw)
app.command()(rollback_control.hold)
app.command("continue")(rollback_control.go_on)
app.command()(rollback_control.retry)
app.command("by-hand")(rollback_control.by_hand)
app.command()(rollback_control.accepted)
