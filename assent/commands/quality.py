"""``assent quality``: how well people decide, and what the figures suggest."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, ago, note, show_page, show_table, tell
from assent.domain.suggestions import Direction
from assent.domain.words import lasting

if TYPE_CHECKING:
    from assent.store.queries.checks import Tally
    from assent.store.queries.quality import KindFigures

app = typer.Typer(help="How well people decide, and what the figures suggest.", no_args_is_help=True)


@app.command()
def show(
    context: typer.Context,
    agent: Annotated[str | None, typer.Option(help="Only this agent's.")] = None,
    days: Annotated[int, typer.Option(help="Days to look at: 7, 30 or 90.")] = 30,
    limit: Limit = 25,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """Show the figures by agent and action type."""
    from assent.gateway import utc_now
    from assent.runtime.console import reading
    from assent.store.quality import mark
    from assent.store.queries import quality
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.quality_schemas import KindOut

    with reading(settings_of(context)) as session:
        request = PageRequest(limit, cursor)
        page = quality.page(session, utc_now(), days=days, agent=agent, request=request)
        counted_at = mark(session)[1]
    headings = ["agent", "type", "asked", "approved", "edited", "refused", "expired", "withdrawn"]
    headings += ["changed", "half decided in", "opened", "too fast"]
    show_page(page, as_json, lambda kind: KindOut.of(kind).model_dump(mode="json"), headings, _cells)
    if not as_json:
        note(f"Counted {ago(counted_at)}." if counted_at else "Nothing was counted yet: a worker does.")


@app.command()
def suggestions(context: typer.Context, as_json: Json = False) -> None:
    """Show which types could run more freely, and which less freely, with the evidence."""
    from assent.gateway import utc_now
    from assent.runtime.console import reading
    from assent.store import suggestions as store

    with reading(settings_of(context)) as session:
        found = store.open_ones(session, utc_now())
    if as_json:
        print_json(
            [
                {
                    "agent": each.agent,
                    "type": each.type,
                    "direction": each.direction.value,
                    "tier": each.tier.word,
                    "sentence": each.sentence,
                    "evidence": list(each.evidence),
                    "change": each.change,
                }
                for each in found
            ]
        )
        return
    for each in found:
        tell(f"{each.agent} {each.type} ({each.direction.value}): {each.sentence}")
        for sentence in each.evidence:
            tell(f"  {sentence}")
        tell("".join(f"    {line}\n" for line in each.change.splitlines()))
    note("A person changes the card, or does not." if found else "The figures suggest nothing.")


@app.command()
def dismiss(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(help="The agent.")],
    type: Annotated[str, typer.Argument(help="Name of the action type.")],
    direction: Annotated[Direction, typer.Argument(help="Where the suggestion leads.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    days: Annotated[int, typer.Option(help="For how many days.")] = 30,
    as_json: Json = False,
) -> None:
    """Put a suggestion aside for a time."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import suggestions as store

    at, by = utc_now(), console_actor()
    with opened(settings_of(context)) as database, database.write() as session:
        done = store.dismiss(session, agent, type, direction, days=days, reason=reason, by=by, at=at)
    if as_json:
        print_json({"agent": agent, "type": type, "direction": direction.value, "until": done.until})
    else:
        tell(f"It is put aside until {done.until:%Y-%m-%d}.")


@app.command()
def checks(
    context: typer.Context,
    days: Annotated[int, typer.Option(help="Days to look back.", min=1, max=365)] = 90,
    as_json: Json = False,
) -> None:
    """Show which agents' checks are announced, and who caught how many."""
    from assent.gateway import utc_now
    from assent.runtime.console import reading
    from assent.store import checks as store
    from assent.store import people
    from assent.store.queries.checks import tallies

    with reading(settings_of(context)) as session:
        announced = store.announced(session, "")
        since = utc_now() - timedelta(days=days)
        agents, persons = tallies(session, since), tallies(session, since, by_person=True)
        names = {each.of: person.name if (person := people.one(session, each.of)) else each.of for each in persons}
    if as_json:
        print_json(
            {
                "announced": [
                    {
                        "agent": each.agent,
                        "announced_at": each.announced_at,
                        "one_in": each.one_in,
                        "a_day": each.a_day,
                    }
                    for each in announced
                ],
                "by_agent": [asdict(each) for each in agents],
                "by_person": [{**asdict(each), "name": names[each.of]} for each in persons],
            }
        )
        return
    for each in announced:
        tell(f"{each.agent}: at most one in {each.one_in:,} requests, announced {ago(each.announced_at)}.")
    if not announced:
        note("No card in force has checks.")
    headings = ["shown", "caught", "missed", "questioned", "unanswered"]
    show_table(["agent", *headings], [[each.of, *_counts(each)] for each in agents])
    typer.echo()
    show_table(["person", *headings], [[names[each.of], *_counts(each)] for each in persons])


def _counts(each: Tally) -> list[int]:
    return [each.shown, each.caught, each.missed, each.questioned, each.unanswered]


def _cells(kind: KindFigures) -> list[str]:
    from assent.domain.quality import percentile

    total = kind.total
    half = percentile(total.decide, 0.5)
    counts = (total.asked, total.approved, total.edited, total.refused, total.expired, total.withdrawn)
    shares = [_share(share) for share in (total.opened_share, total.hasty_share)]
    took = lasting(timedelta(seconds=half)) if half else ""
    return [kind.agent, kind.type, *(f"{count:,}" for count in counts), _share(total.changed_share), took, *shares]


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
