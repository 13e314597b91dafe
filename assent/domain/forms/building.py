"""JSON Schema as a form."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from assent.domain.canonical import Json
from assent.domain.forms.kinds import disguised, kind_of
from assent.domain.forms.model import ABSENT, OTHERS, Choice, Field, FieldKind, Form, pointer
from assent.domain.forms.schemas import resolved, sides
from assent.domain.paths import matches

MAX_NESTING = 4
"""Objects and lists nested deeper than this are edited as JSON."""


def form_of(schema: Mapping[str, Json], arguments: Mapping[str, Json], *, secrets: Collection[str] = ()) -> Form:
    """Build a form.

    Args:
        schema: JSON Schema of the arguments, draft 2020-12.
        arguments: What they are now.
        secrets: Paths (:mod:`assent.domain.paths`) of what must not be shown. Their values do not get into the form,
            whether ``arguments`` has them or dots.
    """
    builder = _Builder(schema, secrets)
    return Form(builder.object("", "Arguments", schema, dict(arguments), (), required=True))


def written(value: Json, *, plain: bool = False) -> str:
    """A value as JSON text; with hidden or disguised characters written out, unless it is plain anyway."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if plain or not disguised(text) else json.dumps(value, indent=2)


class _Builder:
    def __init__(self, root: Mapping[str, Json], secrets: Collection[str]) -> None:
        self._root = root
        self._secrets = secrets

    def field(
        self, path: tuple[str, ...], name: str, label: str, schema: Json, value: Json, *, required: bool
    ) -> Field:
        """The field of a place; ``path`` counts list positions from one, as paths of secrets do."""
        shape = resolved(schema, self._root)
        shape, nullable = sides(shape, self._root)
        label = str(shape.get("title") or label)
        help = str(shape.get("description") or "")
        common: dict[str, Json] = {"help": help, "required": required, "nullable": nullable}
        if matches(path, self._secrets):
            return Field(
                name,
                label,
                FieldKind.SECRET,
                present=value is not ABSENT,
                secret_kind=kind_of(shape, ABSENT) or FieldKind.JSON,
                **common,
            )
        if value is ABSENT or value is None or kind_of(shape, value) is not None:
            made = self._typed(path, name, label, shape, value, common)
            if made is not None and (value is not None or nullable):
                return made
        return self._json(name, label, value, common)

    def object(
        self,
        name: str,
        label: str,
        schema: Json,
        value: Json,
        path: tuple[str, ...],
        *,
        required: bool,
        nullable: bool = False,
        help: str = "",
    ) -> Field:
        """The group of an object's parts."""
        shape = resolved(schema, self._root)
        declared = shape.get("properties") or {}
        needed = set(shape.get("required") or ())
        there = value if isinstance(value, Mapping) else {}
        parts = [
            self.field(
                (*path, part),
                f"{name}{pointer([part])}",
                _label(part),
                declared[part],
                there.get(part, ABSENT),
                required=part in needed,
            )
            for part in declared
        ]
        others = {part: there[part] for part in there if part not in declared}
        open_ended = bool(shape.get("additionalProperties", not declared)) or bool(shape.get("patternProperties"))
        if others or open_ended:
            text = "Other arguments" if not name else "More"
            parts.append(self._json(f"{OTHERS}{name}", text, others or ABSENT, {}))
        return Field(
            name,
            label,
            FieldKind.OBJECT,
            help=help,
            required=required,
            nullable=nullable,
            present=value is not ABSENT,
            null=value is None,
            parts=tuple(parts),
            order=tuple(there),
        )

    def _typed(
        self,
        path: tuple[str, ...],
        name: str,
        label: str,
        shape: Mapping[str, Json],
        value: Json,
        common: dict[str, Json],
    ) -> Field | None:
        kind = kind_of(shape, ABSENT if value is None else value)
        if kind is FieldKind.CHOICE:
            return _choice(name, label, shape, value, common)
        if kind in (FieldKind.OBJECT, FieldKind.LIST) and len(path) >= MAX_NESTING:
            return None
        if kind is FieldKind.OBJECT:
            return self.object(name, label, shape, value, path, **common)
        if kind is FieldKind.LIST:
            return self._list(path, name, label, shape, value, common)
        if kind is None:
            return None
        return _line(name, label, kind, shape, value, common)

    def _list(
        self,
        path: tuple[str, ...],
        name: str,
        label: str,
        shape: Mapping[str, Json],
        value: Json,
        common: dict[str, Json],
    ) -> Field:
        entries = value if isinstance(value, list) else []

        def entry(place: int, content: Json) -> Field:
            where, title = (*path, str(place + 1)), f"{label} {place + 1}"
            return self.field(where, f"{name}/{place}", title, shape["items"], content, required=False)

        return Field(
            name,
            label,
            FieldKind.LIST,
            present=value is not ABSENT,
            null=value is None,
            parts=tuple(entry(place, content) for place, content in enumerate(entries)),
            blank=entry(len(entries), ABSENT),
            **common,
        )

    def _json(self, name: str, label: str, value: Json, common: dict[str, Json]) -> Field:
        there = value is not ABSENT
        return Field(
            name,
            label,
            FieldKind.JSON,
            hint="JSON",
            present=there,
            null=value is None,
            text=written(value) if there else "",
            value=value if there else None,
            **{**common, "nullable": False},
        )


def _line(
    name: str, label: str, kind: FieldKind, shape: Mapping[str, Json], value: Json, common: dict[str, Json]
) -> Field:
    there = value is not ABSENT
    low = shape.get("minimum", shape.get("exclusiveMinimum"))
    high = shape.get("maximum", shape.get("exclusiveMaximum"))
    if kind in (FieldKind.INTEGER, FieldKind.NUMBER):
        text = json.dumps(value) if there and value is not None else ""
    else:
        text = value if there and value is not None else ""
    return Field(
        name,
        label,
        kind,
        hint=_hint(shape),
        present=there,
        null=value is None,
        text=text,
        value=value if there else None,
        minimum=low,
        maximum=high,
        max_length=shape.get("maxLength"),
        **common,
    )


def _choice(name: str, label: str, shape: Mapping[str, Json], value: Json, common: dict[str, Json]) -> Field:
    there = value is not ABSENT
    allowed = [shape["const"]] if "const" in shape else shape.get("enum", [True, False])
    words = all(isinstance(each, str) and each for each in allowed)
    choices = [Choice(_choice_text(each, words), _choice_label(each), each) for each in allowed]
    if not there or common["nullable"] or not common["required"]:
        choices.insert(0, Choice("", "—"))
    text = _choice_text(value, words) if there and not (value is None and common["nullable"]) else ""
    return Field(
        name,
        label,
        FieldKind.CHOICE,
        present=there,
        null=value is None,
        text=text,
        value=value if there else None,
        choices=tuple(choices),
        **common,
    )


def _choice_text(value: Json, words: bool) -> str:
    return value if words and isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _choice_label(value: Json) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _hint(shape: Mapping[str, Json]) -> str:
    words = []
    for rule, before in (
        ("minimum", "at least "),
        ("exclusiveMinimum", "more than "),
        ("maximum", "at most "),
        ("exclusiveMaximum", "less than "),
        ("multipleOf", "in steps of "),
    ):
        if rule in shape:
            words.append(f"{before}{shape[rule]:g}")
    if "minLength" in shape:
        words.append(f"at least {shape['minLength']:,} characters")
    if "maxLength" in shape:
        words.append(f"at most {shape['maxLength']:,} characters")
    if shape.get("format"):
        words.append(str(shape["format"]))
    return ", ".join(words)


def _label(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] if words else name
