"""Pydantic AI agents acting through Assent: every action type of a card becomes a tool of the model.

::

    run = Assent(url, key).start_run(agent="shop-support", goal="…")
    agent = Agent("openai:…", tools=tools_for(run, action_types))

A tool call returns its result once the action is done, or says in words that it was refused, suggested, rejected or
failed, so that the model can propose something better. A call that waits for a person returns when they decided; what
they ask meanwhile goes to ``answer_question``. Where a person changed the arguments, the result says so.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, overload

try:
    from pydantic_ai import RunContext, Tool
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise ImportError("assent.adapters.pydantic_ai needs Pydantic AI: pip install 'assent[pydantic-ai]'") from error

from assent.client.errors import AssentApiError

REASON = "assent_reason"
"""Name of the argument, added to every tool, in which the model says why; people who decide read it."""

INSTEAD_OF = "assent_instead_of"
"""Name of the argument, added to every tool, in which the model names the refused call that this one replaces."""

_UNSETTLED = {"proposed", "awaiting", "held", "cleared", "claimed"}
_MEANING = {
    "suggested": "It was passed on as a suggestion for people. It was not done; do not repeat it.",
    "refused": "The rules do not allow it. Do not repeat it; propose something else or explain.",
    "rejected": "A person decided against it. Take their reason into account.",
    "expired": "Nobody decided in time, so it was not done.",
    "withdrawn": "It was withdrawn and not done.",
    "failed": "The system refused it; nothing was changed.",
    "unknown": "It is not known whether it happened; a person is finding out. Do not repeat it.",
    "undone": "It was done and has been undone.",
}


class ActingRun(Protocol):
    """An open run of the client, sync or async."""

    def act(self, type: str, arguments: dict[str, Any], /, *, reason: str = "", key: str | None = None) -> Any:
        """Propose an action."""
        ...

    def wait(self, outcome: Any, /) -> Any:
        """Wait until an action is settled."""
        ...


class TalkingRun(Protocol):
    """The same, with the questions that people ask."""

    def act(self, type: str, arguments: dict[str, Any], /, *, reason: str = "", key: str | None = None) -> Any:
        """Propose an action."""
        ...

    def wait(self, outcome: Any, /, timeout: float | None = None) -> Any:
        """Wait until an action is settled, or until the time is over."""
        ...

    def questions(self) -> Any:
        """Questions that nobody has answered."""
        ...

    def answer(self, question: Any, text: str, /) -> Any:
        """Answer a question."""
        ...


AnswerQuestion = Callable[[Any], Awaitable[str | None] | str | None]
"""Given a question (``text``, ``headline``, ``by``), gives the answer, or ``None`` where the agent has none."""

LOOK_EVERY = 5.0
"""Seconds between looks for questions while a call waits for people."""


@overload
def tools_for(run: ActingRun, action_types: Iterable[Mapping[str, Any]]) -> list[Tool[Any]]: ...


@overload
def tools_for(
    run: TalkingRun, action_types: Iterable[Mapping[str, Any]], *, answer_question: AnswerQuestion
) -> list[Tool[Any]]: ...


def tools_for(
    run: Any, action_types: Iterable[Mapping[str, Any]], *, answer_question: AnswerQuestion | None = None
) -> list[Tool[Any]]:
    """Turn action types into tools that act in a run.

    Args:
        run: An open run of ``assent.client``.
        action_types: As the API lists them: ``name``, ``title``, ``sentence``, ``arguments`` (JSON Schema).
        answer_question: Answers what people ask about a call that waits for them; each question is put once. Without
            it, or where it gives ``None``, questions stay open.

    Returns:
        A tool for each, named like the type with underscores instead of dots.

    Raises:
        ValueError: Two types would have the same tool name, or an argument is named :data:`REASON` or
            :data:`INSTEAD_OF`.
    """
    tools: dict[str, Tool[Any]] = {}
    for declared in action_types:
        name = tool_name(declared["name"])
        if name in tools:
            raise ValueError(f"Two action types would be the tool {name}.")
        tools[name] = Tool.from_schema(
            _caller(run, declared["name"], answer_question),
            name=name,
            description=_description(declared),
            json_schema=_with_reason(declared["name"], declared["arguments"]),
            takes_ctx=True,
        )
    return list(tools.values())


def tool_name(action_type: str) -> str:
    """The name a model calls an action type by."""
    return action_type.replace(".", "_")


def answer(outcome: Any) -> Any:
    """What a model is told of a settled action."""
    status = str(outcome.status)
    edited = _edit(outcome)
    if status == "done":
        return {"result": outcome.result, **edited} if edited else outcome.result
    key = {"key": outcome.key} if getattr(outcome, "key", "") else {}
    meaning = _MEANING.get(status, "It was not done.")
    return {**key, **edited, "status": status, "message": outcome.message or "", "meaning": meaning}


def _edit(outcome: Any) -> dict[str, Any]:
    """What a model is told of a person's change; nothing if there was none."""
    by = getattr(outcome, "edited_by", "")
    if not by:
        return {}
    note = f"{by} changed the arguments before it was decided. Go on from what counts, not from what you proposed."
    return {"changed": note, "arguments": outcome.arguments}


def _caller(run: Any, type: str, answer_question: AnswerQuestion | None) -> Any:
    async def call(context: RunContext[Any], **arguments: Any) -> Any:
        reason = str(arguments.pop(REASON, ""))
        key = _key(context.tool_call_id)
        instead_of = str(arguments.pop(INSTEAD_OF, "") or "")
        replacing = {"instead_of": instead_of} if instead_of else {}
        try:
            outcome = await _now(run.act, type, arguments, reason=reason, key=key, **replacing)
        except AssentApiError as error:
            if error.where != "instead_of":
                raise
            return {"status": "refused", "message": str(error), "meaning": _MEANING["refused"]}
        put: set[str] = set()
        while str(outcome.status) in _UNSETTLED:
            if answer_question is None:
                outcome = await _now(run.wait, outcome)
            else:
                await _answer_open(run, outcome.key, answer_question, put)
                outcome = await _now(run.wait, outcome, timeout=LOOK_EVERY)
        return answer(outcome)

    return call


async def _answer_open(run: TalkingRun, key: str, answer_question: AnswerQuestion, put: set[str]) -> None:
    """Put every open question about an action to whoever answers, once."""
    for question in await _now(run.questions):
        if question.key != key or question.id in put:
            continue
        put.add(question.id)
        text = await _now(answer_question, question)
        if text:
            await _now(run.answer, question, text)


async def _now(function: Any, *arguments: Any, **named: Any) -> Any:
    """Call a method of a sync or async run without holding up other tools."""
    if inspect.iscoroutinefunction(function):
        return await function(*arguments, **named)
    return await asyncio.to_thread(function, *arguments, **named)


def _key(tool_call_id: str | None) -> str | None:
    """The model's id of the call, so that a call that is repeated after a crash finds its outcome."""
    cleaned = re.sub(r"[^A-Za-z0-9._-]", "-", tool_call_id or "")
    return cleaned[-80:] or None


def _description(declared: Mapping[str, Any]) -> str:
    lines = [f"{declared.get('title') or declared['name']}. {declared.get('sentence', '')}".strip()]
    if declared.get("risks"):
        lines.append("A person may have to approve it first; the call returns once they decided.")
    return " ".join(lines)


def _with_reason(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = dict(schema.get("properties", {}))
    for taken in (REASON, INSTEAD_OF):
        if taken in properties:
            raise ValueError(f"{name} already has an argument named {taken}.")
    why = {"type": "string", "description": "Why, in one or two sentences; people who decide read it."}
    former = {
        "type": "string",
        "description": "Only if this is a better version of a call that was refused or rejected: the key given there.",
    }
    required = [*schema.get("required", []), REASON]
    properties |= {REASON: why, INSTEAD_OF: former}
    return {**schema, "type": "object", "properties": properties, "required": required}
