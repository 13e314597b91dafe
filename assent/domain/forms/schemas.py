"""The parts of JSON Schema that a form needs: references within the schema, and what may be ``null``."""

from __future__ import annotations

from collections.abc import Mapping

from assent.domain.canonical import Json

_MAX_STEPS = 20
"""References that are followed one behind the other; a circle ends here."""


def resolved(schema: Json, root: Mapping[str, Json]) -> Mapping[str, Json]:
    """A schema with its own reference into ``root`` followed; ``{}``, which says nothing, where that leads nowhere."""
    for _ in range(_MAX_STEPS):
        if not isinstance(schema, Mapping):
            return {}
        whole = schema.get("allOf")
        if "$ref" in schema:
            found = _at(str(schema["$ref"]), root)
        elif isinstance(whole, list) and len(whole) == 1:
            found = whole[0]
        else:
            return schema
        if not isinstance(found, Mapping):
            return {}
        beside = {name: value for name, value in schema.items() if name not in ("$ref", "allOf")}
        if any(name in found and name not in _WORDS for name in beside):
            return {}
        schema = {**found, **beside}
    return {}


def sides(shape: Mapping[str, Json], root: Mapping[str, Json]) -> tuple[Mapping[str, Json], bool]:
    """What a shape says of values that are not ``null``, and whether ``null`` is allowed beside them."""
    type = shape.get("type")
    if isinstance(type, list) and "null" in type and len(type) == 2:
        rest = next(name for name in type if name != "null")
        if None in shape.get("enum", ()):
            return {**shape, "type": rest, "enum": [each for each in shape["enum"] if each is not None]}, True
        return ({**shape, "type": rest}, "enum" not in shape and "const" not in shape)
    for word in ("anyOf", "oneOf"):
        options = shape.get(word)
        if isinstance(options, list) and len(options) == 2:
            others = [option for option in options if option != {"type": "null"}]
            if len(others) == 1:
                inner = resolved(others[0], root)
                beside = {name: value for name, value in shape.items() if name != word}
                if not any(name in inner and name not in _WORDS for name in beside):
                    return {**inner, **beside}, True
    return shape, False


def is_of(type: str, value: Json) -> bool:
    """Whether a value is of a type, as JSON Schema counts: 1.0 is an integer, ``true`` is no number."""
    match type:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and (isinstance(value, int) or value.is_integer())
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "object":
            return isinstance(value, Mapping)
        case "array":
            return isinstance(value, list)
    return value is None and type == "null"


_WORDS = ("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$defs")
"""What says nothing of the value, so that the outer one may stand for the inner one."""


def _at(reference: str, root: Mapping[str, Json]) -> Json:
    if not reference.startswith("#/"):
        return root if reference == "#" else None
    found: Json = root
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found
