"""``assent breaker``: what pauses an agent by itself, how it stands, and when it fired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, ago, exact, note, show_fields, show_page, show_table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from assent.gateway.breakers import BreakerView
    from assent.store.health import Health
    from assent.store.queries.trips import TripView

app = typer.Typer(help="What pauses an agent by itself.", no_args_is_help=True)

Agent = Annotated[str, typer.Argument(help="Name of the agent.")]


@app.command("list")
def list_breakers(
    context: typer.Context,
    agent: Annotated[str | None, typer.Argument(help="Name of the agent; every agent's if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Show breakers as they stand now: what is measured, and what it may be."""
    from assent.gateway import breakers, utc_now
    from assent.runtime.console import reading
    from assent_ui.api.breaker_schemas import BreakerOut

    now = utc_now()
    with reading(settings_of(context)) as session:
        agents = [agent] if agent is not None else _agents(session)
        found = [view for name in agents for view in breakers.views(session, name, now)]
    if as_json:
        print_json([BreakerOut.of(view).model_dump(mode="json") for view in found])
        return
    headings = ["agent", "breaker", "stands", "measured", "may be", "pauses"]
    show_table(headings, [_cells(view) for view in found])


@app.command()
def show(
    context: typer.Context,
    agent: Agent,
    name: Annotated[str, typer.Argument(help="Name of the breaker.")],
    as_json: Json = False,
) -> None:
    """Show one breaker: its rule, what it measures now, and what it paused."""
    from assent.domain.breaking import allowed, ending
    from assent.domain.words import lasting
    from assent.gateway import breakers, utc_now
    from assent.runtime.console import reading
    from assent_ui.api.breaker_schemas import BreakerOut

    with reading(settings_of(context)) as session:
        view = breakers.one(session, agent, name, utc_now())
    if as_json:
        print_json(BreakerOut.of(view).model_dump(mode="json"))
        return
    rule = view.rule
    show_fields(
        [
            ("Breaker", f"{rule.name} of {agent}, card {view.version}"),
            ("For", rule.because),
            ("Measures", f"{rule.measure.value}{f' of {rule.of}' if rule.of else ''}"),
            ("May be", allowed(rule)),
            ("Quiet under", f"{rule.least:,} cases"),
            ("Looks back", lasting(rule.within)),
            ("Pauses", f"the {rule.pause.value} ({rule.disposition.value})"),
            ("What ends it", ending(rule)),
            ("Wakes", ", ".join(rule.wake)),
            ("Stands", view.state),
            ("Pauses in force", "\n".join(view.open_pauses)),
        ]
    )
    for gauge in view.gauges[:20]:
        typer.echo(f"{'over' if gauge.over else '    '}  {gauge.sentence}")


@app.command()
def trips(
    context: typer.Context,
    agent: Annotated[str | None, typer.Option(help="Only this agent's.")] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """Show when breakers fired, newest first."""
    from assent.runtime.console import reading
    from assent.store.queries import trips as store
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.breaker_schemas import TripOut

    with reading(settings_of(context)) as session:
        page = store.page(session, agent=agent, request=PageRequest(limit, cursor))
    headings = ["trip", "at", "agent", "breaker", "did", "pause", "why"]
    show_page(page, as_json, lambda each: TripOut.of(each).model_dump(mode="json"), headings, _trip_cells)


@app.command()
def trip(
    context: typer.Context,
    trip_id: Annotated[str, typer.Argument(help="Id of the trip.")],
    as_json: Json = False,
) -> None:
    """Show one time that a breaker fired: its rule and figures, the evidence, and who was woken."""
    from assent.domain.breaking import allowed, shown
    from assent.gateway import breakers
    from assent.runtime.console import reading
    from assent.store.queries import trips as store
    from assent_ui.api.breaker_schemas import TripOut

    with reading(settings_of(context)) as session:
        found = store.one(session, trip_id)
        recovery = breakers.recovery(session, found)
    if as_json:
        print_json(TripOut.of(found).model_dump(mode="json"))
        return
    show_fields(
        [
            ("Trip", f"{found.id}, {exact(found.at)}"),
            ("Breaker", f"{found.breaker} of {found.agent}, card {found.card_version}"),
            ("Why", found.cause),
            ("Measured", f"{shown(found.rule, found.measured)} of {found.cases:,} cases, since {exact(found.since)}"),
            ("May be", allowed(found.rule)),
            ("Paused", f"{found.scope.sentence} ({found.disposition.value}), {found.pause_id}"),
            ("Agent is told", "\n".join(f"{each['of']}: {each['say']}" for each in found.fallback)),
            ("Health now", f"{_stands(recovery.health)}. {recovery.sentence}" if recovery else ""),
            ("Woke", "\n".join(_reached(each.name, each.email, each.slack) for each in found.woken)),
            ("Evidence", "\n".join(found.evidence)),
        ]
    )


@app.command()
def health(context: typer.Context, as_json: Json = False) -> None:
    """Show how connectors were when they were asked last."""
    from assent.runtime.console import reading
    from assent.store import health as store
    from assent_ui.api.breaker_schemas import HealthOut

    with reading(settings_of(context)) as session:
        found = store.every(session)
    if as_json:
        print_json([HealthOut.model_validate(each).model_dump(mode="json") for each in found])
        return
    rows = [[each.connector, _is(each), ago(each.since), each.error] for each in found]
    show_table(["connector", "is", "since", "error"], rows)
    if not found:
        note("No card in force has a breaker on the health of a connector that can tell it.")


def _agents(session: Session) -> list[str]:
    from assent.store.queries import agents
    from assent.store.queries.paging import MAX_LIMIT, PageRequest

    return [view.name for view in agents.page(session, request=PageRequest(MAX_LIMIT)).items]


def _cells(view: BreakerView) -> list[str]:
    from assent.domain.breaking import allowed, shown

    highest = view.gauges[0] if view.gauges else None
    measured = shown(view.rule, highest.value) if highest else "nothing"
    return [view.agent, view.rule.name, view.state, measured, allowed(view.rule), ", ".join(view.open_pauses)]


def _trip_cells(trip: TripView) -> list[str]:
    did = f"paused {trip.scope.sentence}" if trip.kind.value == "paused" else "took the release back"
    return [trip.id, ago(trip.at), trip.agent, trip.breaker, did, trip.pause_id, trip.cause]


def _is(health: Health) -> str:
    from assent.domain.words import counted

    if health.well:
        return f"well, passed {counted(health.passes, 'check')}" if health.passes else "well"
    return f"failed {counted(health.failures, 'time')}"


def _stands(health: Health) -> str:
    return f"{health.connector} is {'healthy again' if health.well else 'not healthy'} since {exact(health.since)}"


def _reached(name: str, email: str, slack: str) -> str:
    ways = [way for way in (email, slack) if way and way != name]
    return f"{name} ({', '.join(ways)})" if ways else name
