"""The API's own page: what OpenAPI says, laid out to be read, without scripts and without another host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from assent_ui.deps import DepsHere
from assent_ui.problems import TITLES

router = APIRouter(include_in_schema=False)

_METHODS = ("get", "post", "put", "patch", "delete")
_EVERYWHERE = {"401", "403", "413", "422", "503"}
"""Refusals that every endpoint can give; the page says so once."""

Words = list[tuple[bool, str]]
"""A text in stretches, each with whether it is code."""


@dataclass(frozen=True, slots=True)
class Line:
    """One parameter or field."""

    name: str
    kind: str
    required: bool
    text: Words


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path."""

    anchor: str
    method: str
    path: str
    title: str
    text: list[Words]
    parameters: list[Line]
    body: str
    answers: list[tuple[str, str, list[str]]]


@dataclass(frozen=True, slots=True)
class Group:
    """Endpoints that belong together."""

    name: str
    endpoints: list[Endpoint] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Model:
    """One type of body."""

    name: str
    text: Words
    fields: list[Line]
    values: list[str]


@router.get("/api", response_class=HTMLResponse)
@router.get("/api/docs", response_class=HTMLResponse)
async def show(request: Request, deps: DepsHere) -> HTMLResponse:
    """Every endpoint and every type."""
    groups, models = described(request.app)
    html = deps.templates.get_template("api_docs.html").render(
        viewer=None,
        place="",
        groups=groups,
        models=models,
        names={model.name for model in models},
        problems=TITLES,
        version=request.app.version,
    )
    return HTMLResponse(html)


@lru_cache(maxsize=4)
def described(app: FastAPI) -> tuple[list[Group], list[Model]]:
    """What OpenAPI says of an application, as the page shows it."""
    document = app.openapi()
    groups: dict[str, Group] = {}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                name = methods[method].get("tags", ["other"])[0]
                groups.setdefault(name, Group(name)).endpoints.append(_endpoint(method, path, methods[method]))
    schemas = document.get("components", {}).get("schemas", {})
    return list(groups.values()), [_model(name, schemas[name]) for name in sorted(schemas)]


def _endpoint(method: str, path: str, said: Mapping[str, Any]) -> Endpoint:
    paragraphs = [" ".join(part.split()) for part in said.get("description", "").split("\n\n") if part.strip()]
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return Endpoint(
        anchor=said.get("operationId", ""),
        method=method.upper(),
        path=path,
        title=said.get("summary", ""),
        text=[spoken(paragraph) for paragraph in paragraphs],
        parameters=[
            Line(
                f"{each['name']} ({each['in']})",
                kind_of(each.get("schema", {})),
                each.get("required", False),
                spoken(each.get("description", "")),
            )
            for each in said.get("parameters", [])
        ],
        body=kind_of(body) if body else "",
        answers=[
            (status, _when(answer.get("description", "")), list(_kinds(answer)))
            for status, answer in said.get("responses", {}).items()
            if status not in _EVERYWHERE
        ],
    )


def _kinds(answer: Mapping[str, Any]) -> Iterator[str]:
    for media in answer.get("content", {}).values():
        for schema in media.get("schema", {}).get("anyOf", [media.get("schema")]):
            if schema:
                yield kind_of(schema)


def _model(name: str, said: Mapping[str, Any]) -> Model:
    required = said.get("required", [])
    return Model(
        name=_named(name),
        text=spoken(" ".join(said.get("description", "").split("Attributes:")[0].split())),
        fields=[
            Line(key, kind_of(value), key in required, spoken(value.get("description", "")))
            for key, value in said.get("properties", {}).items()
        ],
        values=[str(value) for value in said.get("enum", [])],
    )


def spoken(text: str) -> Words:
    """A text with its code marked by backticks, in stretches."""
    return [(bool(at % 2), part) for at, part in enumerate(text.replace("``", "`").split("`")) if part]


def _when(text: str) -> str:
    return "It worked" if text == "Successful Response" else text


def _named(name: str) -> str:
    """A generic type's name as people write it: ``Page_RunOut_`` is a page of ``RunOut``."""
    kind, _, of = name.rstrip("_").partition("_")
    return f"{kind} of {of}" if of else name


def kind_of(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return _named(str(schema["$ref"]).rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind_of(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type", "any JSON")
    if kind == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {kind_of(schema['additionalProperties'])}"
    words = [str(kind), str(schema.get("format", "")), *_limits(schema)]
    return ", ".join(word for word in words if word)


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low:g} to {high:g}"
    if "maxLength" in schema:
        yield f"at most {schema['maxLength']:,} characters"
    if "maxItems" in schema:
        yield f"at most {schema['maxItems']:,}"
