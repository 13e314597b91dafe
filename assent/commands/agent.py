"""``assent agent``: agents, their cards and their keys."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands import agent_proofs
from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, ago, note, show_fields, show_page, show_table, tell
from assent.domain.errors import InvalidInput, NotFound
from assent.domain.words import counted

if TYPE_CHECKING:
    from assent.store.queries.agents import AgentView, KeyView

app = typer.Typer(help="Agents, their cards and their keys.", no_args_is_help=True)
app.command("prove-undo")(agent_proofs.prove_undo)

AgentName = Annotated[str, typer.Argument(help="The agent's name.", metavar="AGENT")]


@app.command("list")
def list_agents(context: typer.Context, limit: Limit = 50, cursor: Cursor = None, as_json: Json = False) -> None:
    """List agents by name."""
    from assent.runtime.console import reading
    from assent.store.queries import agents
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.schemas import AgentOut

    with reading(settings_of(context)) as session:
        page = agents.page(session, request=PageRequest(limit, cursor))
    show_page(
        page,
        as_json,
        lambda agent: AgentOut.model_validate(agent).model_dump(mode="json"),
        ["agent", "card", "published", "by", "purpose"],
        lambda agent: [
            agent.name,
            f"v{agent.version}",
            ago(agent.updated_at),
            agent.published_by,
            agent.card.get("purpose", agent.title),
        ],
    )


@app.command()
def show(
    context: typer.Context,
    name: AgentName,
    source: Annotated[bool, typer.Option("--source", help="Only the card, as it was written.")] = False,
    as_json: Json = False,
) -> None:
    """Show an agent: its card in words, what it is doing, its keys."""
    from assent.runtime.console import reading
    from assent.store.queries import agents
    from assent_ui.api.schemas import AgentInFull

    with reading(settings_of(context)) as session:
        agent = agents.one(session, name)
        keys = agents.keys(session, name)
    if as_json:
        shown = AgentInFull.model_validate(agent).model_dump(mode="json")
        print_json(shown | {"keys": [_key_json(key) for key in keys]})
    elif source:
        tell(agent.source.rstrip("\n"))
    else:
        _show(agent, keys)


@app.command()
def publish(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The card, YAML.")],
    as_json: Json = False,
) -> None:
    """Publish a card: it is in force at once, for actions proposed from now on."""
    from assent.runtime.cards import publish_card
    from assent.runtime.connectors import Connectors
    from assent.runtime.console import console_actor, opened

    settings = settings_of(context)
    try:
        source = file.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFound(f"The card cannot be read: {error.strerror}.", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise InvalidInput("The card is not UTF-8 text.", where=str(file)) from error
    connectors = Connectors(settings)
    try:
        with opened(settings) as database:
            done = publish_card(database, connectors.registry, source, where=str(file), by=console_actor())
    finally:
        connectors.close()
    for warning in done.warnings:
        note(f"note: {warning}")
    if as_json:
        print_json({"agent": done.agent, "version": done.version, "new": done.new, "warnings": done.warnings})
    elif done.new:
        tell(f"{done.agent}: version {done.version} is in force.")
    else:
        tell(f"{done.agent}: version {done.version} says the same and stays in force.")


@app.command()
def key(
    context: typer.Context,
    name: AgentName,
    label: Annotated[str, typer.Option("--name", help="What the key is for.")] = "",
    scope: Annotated[list[str] | None, typer.Option(help="runs:read, runs:write; both unless given.")] = None,
    days: Annotated[int, typer.Option(help="Days it works; 0 is until it is revoked.", min=0, max=3650)] = 90,
    as_json: Json = False,
) -> None:
    """Make a key for an agent and print it, this once."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store.keys import KeyScope, make_key

    try:
        scopes = [KeyScope(each) for each in scope] if scope else list(KeyScope)
    except ValueError as error:
        raise InvalidInput(f"{error}.", where="--scope", todo="There are runs:read and runs:write.") from error
    with opened(settings_of(context)) as database, database.write() as session:
        made = make_key(
            session,
            agent=name,
            at=utc_now(),
            by=console_actor(),
            name=label,
            scopes=scopes,
            lifetime=timedelta(days=days) if days else None,
        )
    until = f"until {made.expires_at:%Y-%m-%d}" if made.expires_at else "until it is revoked"
    if as_json:
        print_json(
            {"id": made.id, "agent": name, "key": made.key, "scopes": made.scopes, "expires_at": made.expires_at}
        )
    else:
        note(f"{made.id} works {until}. It is shown this once:")
        typer.echo(made.key)


@app.command()
def revoke(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="The key's id, key-….", metavar="KEY")],
    as_json: Json = False,
) -> None:
    """End a key now."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store.keys import revoke_key

    with opened(settings_of(context)) as database, database.write() as session:
        agent = revoke_key(session, key_id, at=utc_now(), by=console_actor())
    if as_json:
        print_json({"id": key_id, "agent": agent, "revoked": True})
    else:
        tell(f"{key_id} of {agent} has ended.")


def _show(agent: AgentView, keys: tuple[KeyView, ...]) -> None:
    counts = agent.counts
    show_fields(
        [
            ("agent", agent.name),
            ("title", agent.title),
            ("purpose", agent.card.get("purpose")),
            ("card", f"version {agent.version}, published {ago(agent.updated_at)} by {agent.published_by}"),
            *((role.replace("_", " "), _contact(agent.card.get(role))) for role in _CONTACTS),
            ("runs", f"{counts.running} running, {counts.waiting} waiting, {counts.held} held"),
            ("asks", f"{counted(counts.pending_approvals, 'request')} waiting"),
        ]
    )
    typer.echo()
    rules = agent.card.get("actions", {})
    show_table(
        ["may", "how", "what"],
        [[name, rule["tier"], agent.catalogue.get(name, {}).get("title", "")] for name, rule in rules.items()],
    )
    if keys:
        typer.echo()
        show_table(
            ["key", "scopes", "made", "state", "name"],
            [[each.id, " ".join(each.scopes), ago(each.created_at), _state(each), each.name] for each in keys],
        )


_CONTACTS = ("business_owner", "technical_owner", "model_steward", "escalation")


def _contact(found: object) -> str:
    return f"{found.get('name')} <{found.get('email')}>" if isinstance(found, dict) else ""


def _state(key: KeyView) -> str:
    if key.revoked_at is not None:
        return f"revoked {ago(key.revoked_at)}"
    return f"ends {ago(key.expires_at)}" if key.expires_at else "no end"


def _key_json(key: KeyView) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
