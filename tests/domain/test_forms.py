"""Forms: what nobody touched survives exactly; what was typed is read or refused by its field; no secret is in one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from assent.domain.canonical import Json
from assent.domain.catalogue import SECRET, without_secrets
from assent.domain.errors import InvalidInput
from assent.domain.forms import OTHERS, REMOVE, Field, FieldKind, Form, form_of, read_form
from assent.domain.revisions import with_kept_secrets

ORDER: dict[str, Json] = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string", "title": "Order", "description": "Its number"},
        "amount": {"type": "number", "exclusiveMinimum": 0, "maximum": 500},
        "express": {"type": "boolean"},
        "priority": {"enum": ["low", "high"]},
        "note": {"anyOf": [{"type": "string", "maxLength": 500}, {"type": "null"}]},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"sku": {"type": "string"}, "count": {"type": "integer"}},
                "required": ["sku"],
            },
        },
        "address": {
            "type": "object",
            "properties": {"street": {"type": "string"}, "zip": {"type": "string"}},
            "required": ["street"],
        },
        "card_number": {"type": "string"},
    },
    "required": ["order_id", "amount"],
    "additionalProperties": False,
}
ARGUMENTS: dict[str, Json] = {
    "order_id": "W1",
    "amount": 45.0,
    "note": None,
    "items": [{"sku": "a", "count": 1}, {"sku": "b"}],
    "card_number": "4111",
}
SECRETS = frozenset({"card_number"})


def order() -> Form:
    return form_of(ORDER, ARGUMENTS, secrets=SECRETS)


def every(fields: tuple[Field, ...]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from every(field.parts)
        if field.blank is not None:
            yield from every((field.blank,))


def by_name(form: Form) -> dict[str, Field]:
    return {field.name: field for field in every(form.fields)}


def as_sent(form: Form) -> dict[str, str]:
    """What a browser sends of a form in which nobody typed: every input, with its own line ends."""
    inputs = [field for field in every(form.fields) if field.kind not in (FieldKind.OBJECT, FieldKind.LIST)]
    return {field.name: field.text.replace("\r\n", "\n").replace("\n", "\r\n") for field in inputs}


def test_a_form_says_what_each_field_is() -> None:
    fields = by_name(order())
    assert (fields["/order_id"].label, fields["/order_id"].help) == ("Order", "Its number")
    assert fields["/order_id"].required
    assert fields["/amount"].kind is FieldKind.NUMBER
    assert (fields["/amount"].text, fields["/amount"].hint) == ("45.0", "more than 0, at most 500")
    assert [choice.label for choice in fields["/express"].choices] == ["—", "Yes", "No"]
    assert [choice.text for choice in fields["/priority"].choices] == ["", "low", "high"]
    assert fields["/items/1/sku"].text == "b"
    assert fields["/items"].blank is not None
    assert fields["/items"].blank.name == "/items/2"
    assert not fields["/address"].present


def test_what_was_typed_is_read() -> None:
    sent = as_sent(order()) | {
        "/order_id": "W2",
        "/amount": " 12.50 ",
        "/express": "true",
        "/priority": "high",
        "/note": "line one\r\nline two",
        "/items/0/count": "7",
        "/items/2/sku": "c",
        "/items/9/sku": "d",
        "/items/9/count": "2",
        f"{REMOVE}/items/1": "yes",
        "/address/street": "Elm Street 1",
    }
    result = read_form(order(), sent)
    assert not result.faults
    assert result.arguments == {
        "order_id": "W2",
        "amount": 12.5,
        "express": True,
        "priority": "high",
        "note": "line one\nline two",
        "items": [{"sku": "a", "count": 7}, {"sku": "c"}, {"sku": "d", "count": 2}],
        "address": {"street": "Elm Street 1"},
        "card_number": SECRET,
    }


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("/amount", "12,50", "number such as 12.5"),
        ("/amount", "NaN", "number such as 12.5"),
        ("/amount", "1e999", "too large"),
        ("/amount", "9" * 500, "number such as 12.5"),
        ("/amount", "", "needed"),
        ("/items/0/count", "1.5", "whole number"),
        ("/priority", "middle", "Choose one"),
        ("/express", "perhaps", "Choose one"),
        ("/items/0/sku", None, ""),
        (f"{REMOVE}/order_id", "yes", "cannot be left out"),
        ("/address/zip", "12345", "needed"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(name: str, text: str | None, fault: str) -> None:
    sent = as_sent(order())
    result = read_form(order(), sent if text is None else sent | {name: text})
    places = {"/address/zip": "/address/street", f"{REMOVE}/order_id": "/order_id"}
    if text is None:
        assert not result.faults
    else:
        assert fault in result.faults[places.get(name, name)]
        assert len(result.faults) == 1


def test_blank_leaves_out_what_need_not_be_there() -> None:
    arguments = {**ARGUMENTS, "note": "hello", "priority": "low", "express": False}
    form = form_of(ORDER, arguments, secrets=SECRETS)
    result = read_form(form, as_sent(form) | {"/note": "", "/priority": "", "/express": "", "/items/0/count": ""})
    assert result.arguments["note"] is None
    assert not {"priority", "express"} & set(result.arguments)
    assert result.arguments["items"][0] == {"sku": "a"}


def test_a_secret_is_nowhere_in_a_form_and_stays_unless_it_is_replaced() -> None:
    form = order()
    assert "4111" not in repr(form)
    assert read_form(form, as_sent(form)).arguments["card_number"] == SECRET
    assert read_form(form, {"/card_number": "4222"}).arguments["card_number"] == "4222"
    assert "card_number" not in read_form(form, {f"{REMOVE}/card_number": "on"}).arguments


def test_a_secret_within_a_list_is_found() -> None:
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {
            "users": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "password": {"type": "string"}},
                },
            }
        },
    }
    arguments = {"users": [{"name": "ann", "password": "sesame"}, {"name": "bo", "password": "two"}]}
    secrets = {"users.*.password"}
    form = form_of(schema, arguments, secrets=secrets)
    assert "sesame" not in repr(form)
    sent = {f"{REMOVE}/users/0": "on", "/users/1/name": "bob"}
    kept = read_form(form, {**as_sent(form), "/users/1/name": "bob"}).arguments
    assert with_kept_secrets(kept, arguments, secrets)["users"][1] == {"name": "bob", "password": "two"}
    shortened = read_form(form, {**as_sent(form), f"{REMOVE}/users/0": "on"}).arguments
    assert with_kept_secrets(shortened, arguments, secrets)["users"] == [{"name": "bo", "password": "two"}]
    # Edited and moved at once, nobody can say whose secret it is.
    with pytest.raises(InvalidInput, match="dots stand for a secret"):
        with_kept_secrets(read_form(form, as_sent(form) | sent).arguments, arguments, secrets)


@pytest.mark.parametrize(
    "text", ["pay ‮bob", "paypaⅼ\u200b", "two\x00", "line\u2028break", "vertical\x0btab", "half \ud800 a character"]
)
def test_text_that_an_input_would_hide_is_written_out(text: str) -> None:
    form = form_of({"type": "object", "properties": {"to": {"type": "string"}}}, {"to": text})
    field = by_name(form)["/to"]
    assert field.kind is FieldKind.JSON
    assert field.text.isascii()
    assert read_form(form, as_sent(form)).arguments == {"to": text}


def test_what_a_form_cannot_say_is_json() -> None:
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "map": {"type": "object", "additionalProperties": {"type": "integer"}},
            "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
            "tree": {"$ref": "#/$defs/tree"},
        },
        "$defs": {"tree": {"type": "object", "properties": {"next": {"$ref": "#/$defs/tree"}}}},
    }
    arguments: dict[str, Json] = {"either": 1, "map": {"a": 1}, "pair": [1, "x"], "tree": {"next": {"next": {}}}}
    form = form_of(schema, arguments)
    kinds = {name: field.kind for name, field in by_name(form).items()}
    assert kinds["/either"] is kinds["/map"] is kinds["/pair"] is FieldKind.JSON
    assert kinds["/tree/next"] is FieldKind.OBJECT
    assert read_form(form, as_sent(form)).arguments == arguments
    changed = read_form(form, as_sent(form) | {"/map": '{"a": 2}', "/pair": "[1,"})
    assert changed.arguments["map"] == {"a": 2}
    assert "This is no JSON" in changed.faults["/pair"]


def test_arguments_without_a_schema_are_one_json_object() -> None:
    form = form_of({"type": "object"}, {"text": "milk"})
    assert [field.name for field in form.fields] == [OTHERS]
    assert read_form(form, as_sent(form)).arguments == {"text": "milk"}
    assert read_form(form, {OTHERS: '{"text": "tea"}'}).arguments == {"text": "tea"}
    assert "object" in read_form(form, {OTHERS: "[1]"}).faults[OTHERS]


def test_unknown_names_are_ignored_and_much_is_bounded() -> None:
    form = order()
    many = {f"/items/{place}/sku": "x" for place in range(2, 5_000)}
    result = read_form(form, as_sent(form) | many | {"/nothing": "x", "/items/x/sku": "y", "/items/-1/sku": "z"})
    assert len(result.arguments["items"]) == 2 + 100


# --- any arguments that satisfy a schema survive ---

_TEXTS = st.text(max_size=20) | st.sampled_from(["", " ", "a\nb", "a\r\nb", "\r", "‮x", "true", "null", "1.0", SECRET])
_NUMBERS = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
Pair = tuple[dict[str, Any], Any]


def _leaves() -> st.SearchStrategy[Pair]:
    @st.composite
    def enum(draw: st.DrawFn) -> Pair:
        allowed = draw(st.lists(st.none() | st.booleans() | _TEXTS | st.integers(0, 9), min_size=1, max_size=4))
        return {"enum": allowed}, draw(st.sampled_from(allowed))

    return st.one_of(
        _TEXTS.map(lambda value: ({"type": "string"}, value)),
        _NUMBERS.map(lambda value: ({"type": "number"}, value)),
        st.integers().map(lambda value: ({"type": "integer"}, value)),
        st.sampled_from([1.0, -3.0]).map(lambda value: ({"type": "integer"}, value)),
        st.booleans().map(lambda value: ({"type": "boolean"}, value)),
        (st.none() | _TEXTS).map(lambda value: ({"type": ["string", "null"]}, value)),
        (st.none() | _NUMBERS).map(lambda value: ({"anyOf": [{"type": "number"}, {"type": "null"}]}, value)),
        _JSON.map(lambda value: ({}, value)),
        enum(),
    )


def _groups(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    @st.composite
    def object_(draw: st.DrawFn) -> Pair:
        parts = draw(st.dictionaries(_TEXTS, inner, max_size=4))
        there = {name for name in parts if draw(st.booleans())}
        needed = [name for name in there if draw(st.booleans())]
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: each[0] for name, each in parts.items()},
            "required": needed,
        }
        value = {name: each[1] for name, each in parts.items() if name in there}
        if draw(st.booleans()):
            extra = draw(st.dictionaries(_TEXTS, _JSON, max_size=2))
            value |= {name: each for name, each in extra.items() if name not in parts}
        return schema, value

    @st.composite
    def array(draw: st.DrawFn) -> Pair:
        schema, first = draw(inner)
        count = draw(st.integers(0, 3))
        return {"type": "array", "items": schema}, [first] * count

    return object_() | array()


@st.composite
def _declared(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    parts = draw(st.dictionaries(_TEXTS, st.recursive(_leaves(), _groups, max_leaves=8), max_size=4))
    there = {name for name in parts if draw(st.booleans())}
    schema = {
        "type": "object",
        "properties": {name: each[0] for name, each in parts.items()},
        "required": sorted(name for name in there if draw(st.booleans())),
    }
    return schema, {name: each[1] for name, each in parts.items() if name in there}


@given(_declared(), st.booleans())
def test_arguments_that_satisfy_the_schema_survive_unchanged(
    declared: tuple[dict[str, Any], dict[str, Any]], whole: bool
) -> None:
    schema, arguments = declared
    assert Draft202012Validator(schema).is_valid(arguments)
    form = form_of(schema, arguments)
    result = read_form(form, as_sent(form) if whole else {})
    assert not result.faults
    assert json.dumps(result.arguments) == json.dumps(arguments)


@given(_declared(), st.data())
def test_no_secret_gets_into_a_form_and_it_stays(
    declared: tuple[dict[str, Any], dict[str, Any]], data: st.DataObject
) -> None:
    schema, arguments = declared
    names = [name for name in arguments if name and "." not in name and "*" not in name]
    secrets = {name for name in names if data.draw(st.booleans())}
    marked = {name: "s3cr3t" if name in secrets else value for name, value in arguments.items()}
    form = form_of(schema, marked, secrets=secrets)
    assert "s3cr3t" not in repr(dataclasses.asdict(form))
    read = read_form(form, as_sent(form))
    assert json.dumps(read.arguments) == json.dumps(without_secrets(marked, secrets))
    assert json.dumps(with_kept_secrets(read.arguments, marked, secrets)) == json.dumps(marked)


def test_each_entry_of_a_long_list_keeps_its_secret() -> None:
    keys: list[Json] = [{"name": f"key {place}", "token": f"t{place}"} for place in range(5_000)]
    shown: list[Json] = [{"name": f"key {place}", "token": SECRET} for place in range(5_000)]
    edited: dict[str, Json] = {"keys": [*reversed(shown), {"name": "new", "token": "mine"}]}
    kept = with_kept_secrets(edited, {"keys": keys}, ["keys.*.token"])["keys"]
    assert kept == [*reversed(keys), {"name": "new", "token": "mine"}]


def test_what_is_written_into_a_group_is_not_written_into_another_whose_name_begins_alike() -> None:
    group = {"type": "object", "properties": {"x": {"type": "string"}}}
    schema: dict[str, Json] = {"type": "object", "properties": {"ab": group, "a": group}}
    arguments: dict[str, Json] = {"ab": {"free": "text"}}
    form = form_of(schema, arguments)
    assert read_form(form, as_sent(form)).arguments == arguments
