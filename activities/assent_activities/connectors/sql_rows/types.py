"""Action types of the generic connector: what one verb on one table declares."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Table

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType, BlastUnit, TargetDeclaration, UndoDeclaration
from assent.domain.undo_kinds import UndoKind
from assent_activities.connectors.sql_rows.journal import JOURNAL
from assent_activities.connectors.sql_rows.options import TableOptions, Verb
from assent_activities.connectors.sql_rows.schema import columns_schema, key_schema, must_be_given

_SENTENCES = {
    Verb.GET: "Look up the {title} {{row}}.",
    Verb.INSERT: "Add a {title}: {{values}}.",
    Verb.UPDATE: "Change the {title} {{row}}: set {{set}}.",
    Verb.DELETE: "Delete the {title} {{row}}.",
}
_PARTS = ("values", "set", "expected", "row")
_UNDO = {
    Verb.INSERT: "The {title} is removed again.",
    Verb.UPDATE: "The {title} gets its earlier values back.",
    Verb.DELETE: "The {title} is put back with all its values.",
}


def action_type(connector: str, name: str, verb: Verb, table: Table, options: TableOptions) -> ActionType:
    """Declare ``<connector>.<name>.<verb>``."""
    title = options.title or name
    undo = _UNDO.get(verb)
    return ActionType(
        name=f"{connector}.{name}.{verb.value}",
        title=f"{verb.value.capitalize()} {title}",
        sentence=_SENTENCES[verb].format(title=title),
        arguments=_arguments(verb, table, options),
        idempotent=True,
        reads_only=verb is Verb.GET,
        risks=frozenset() if verb is Verb.GET else options.risks,
        undo=UndoDeclaration(
            sentence=undo.format(title=title),
            precondition=f"The {title} still is as the action left it.",
            within=options.undo_within,
            kind=UndoKind.BEFORE_IMAGE,
        )
        if undo
        else None,
        secrets=_paths(options.secret),
        currency=options.currency,
        money=_paths(options.money),
        target=_target(connector, name, verb, table, title),
        how_to_find_out=""
        if verb is Verb.GET
        else f"Look for a row with this action's key in the table {JOURNAL} of the database that holds the {title}.",
        blast=() if verb is Verb.GET else (BlastUnit(unit="rows"),),
    )


def _paths(columns: Iterable[str]) -> frozenset[str]:
    """Where columns are found: in rows themselves, and in every argument that has values of a row."""
    return frozenset(path for column in columns for path in (column, *(f"{part}.{column}" for part in _PARTS)))


def _target(connector: str, name: str, verb: Verb, table: Table, title: str) -> TargetDeclaration:
    if verb is Verb.INSERT:
        return TargetDeclaration(words=f"a new {title}")
    single = len(table.primary_key.columns) == 1
    return TargetDeclaration(words=f"{title} {{row}}", resource=f"{connector}/{name}/{{row}}" if single else "")


def _arguments(verb: Verb, table: Table, options: TableOptions) -> dict[str, Json]:
    writable = [name for name in options.columns if name not in options.only]
    keys = {column.name for column in table.primary_key.columns}
    properties: dict[str, Json] = {}
    if verb is Verb.INSERT:
        required = [name for name in must_be_given(table) if name in writable]
        properties["values"] = columns_schema(table, writable, required=required)
        return _object(properties, ["values"])
    properties["row"] = key_schema(table)
    required = ["row"]
    if verb is Verb.UPDATE:
        settable = [name for name in writable if name not in keys]
        properties["set"] = {**columns_schema(table, settable), "minProperties": 1}
        required.append("set")
    if verb is not Verb.GET:
        readable = options.readable or [column.name for column in table.columns]
        properties["expected"] = {
            **columns_schema(table, readable),
            "description": "Values the row must have now; if one differs, nothing happens.",
        }
    return _object(properties, required)


def _object(properties: dict[str, Json], required: list[str]) -> dict[str, Json]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
