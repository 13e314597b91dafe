"""Events of an incident in words, the same on pages, on the command line and in exports."""

from __future__ import annotations

from collections.abc import Mapping

from assent.domain.canonical import Json
from assent.domain.incident_words import TITLES
from assent.domain.incidents import Section
from assent.domain.words import counted

_WHAT = {"run": "run", "record": "record", "pause": "pause", "rollback": "rollback"}


def event_title(kind: str, body: Mapping[str, Json]) -> str:
    """What happened, in a line; the kind itself where it has no words."""

    def said(name: str) -> str:
        value = body.get(name)
        return value if isinstance(value, str) else ""

    match kind:
        case "incident.opened":
            return f"Opened, {said('severity')}: {said('title')}"
        case "incident.changed":
            after = body.get("after")
            named = after.items() if isinstance(after, Mapping) else ()
            return "Changed: " + ", ".join(f"{name} is {value or 'nobody'}" for name, value in named)
        case "incident.moved":
            return f"From {said('from')} to {said('to')}"
        case "incident.closed":
            return "Closed"
        case "incident.grouped":
            number = body.get("number")
            what = _WHAT.get(said("what"), said("what"))
            return f"{counted(number, what) if isinstance(number, int) else what} added"
        case "incident.ungrouped":
            return f"{_WHAT.get(said('what'), said('what')).capitalize()} taken out: {said('ref')}"
        case "incident.noted":
            return "Note"
        case "incident.told":
            return f"People were told, by {said('channel').capitalize()}" if said("channel") else "A text was kept"
        case "incident.written":
            section = said("section")
            title = TITLES[Section(section)] if section in list(Section) else section
            return f"Post-mortem written: {title}, version {body.get('version')}"
        case "incident.action_agreed":
            return f"Agreed: {said('text')} ({said('owner')}, until {said('due')})"
        case "incident.action_moved":
            return f"{said('to').capitalize()}: {said('text')}"
        case "incident.action_handed":
            return f"An action is now {said('owner')}’s, until {said('due')}"
        case _:
            return _control(kind, body)


def _control(kind: str, body: Mapping[str, Json]) -> str:
    """What happened to a pause or a rollback."""

    def said(name: str) -> str:
        value = body.get(name)
        return value if isinstance(value, str) else ""

    def number(name: str, one: str) -> str:
        value = body.get(name)
        many = len(value) if isinstance(value, list) else value
        return counted(many, one) if isinstance(many, int) else f"some {one}s"

    match kind:
        case "pause.requested":
            return f"Paused and fenced: {said('scope')}"
        case "pause.changed":
            return f"The pause became {said('to')}"
        case "pause.stop_asked":
            return "What was under way was asked to stop"
        case "pause.quiesced":
            seconds = body.get("seconds")
            took = f", {seconds:.3f} s after it was asked for" if isinstance(seconds, int | float) else ""
            return f"At rest: nothing was under way any more{took}"
        case "pause.compensating":
            return "The pause began to roll runs back"
        case "pause.resume_asked":
            return "Somebody asked to resume; a second person must agree"
        case "pause.releasing":
            return "Runs are let go step by step"
        case "pause.released":
            return f"{number('runs', 'run').capitalize()} let go"
        case "pause.fell_back":
            return "The pause held everything again"
        case "pause.resumed":
            return f"Resumed: {said('scope')}"
        case "rollback.awaiting":
            return f"Undo of {number('to_undo', 'effect')} waits for approval"
        case "rollback.decided":
            return f"Somebody said {said('verb')} to the undo"
        case "rollback.started":
            return f"Undo began: {number('to_undo', 'effect')} to undo"
        case "rollback.held":
            return "The undo was held"
        case "rollback.continued":
            return "The undo went on"
        case "rollback.retried":
            return "What was left was tried again"
        case "rollback.settled":
            return "A person settled a step of the undo"
        case "rollback.refused":
            return "The undo was not started"
        case "rollback.ended":
            return f"Undo ended: {number('undone', 'effect')} undone, {number('left', 'effect')} left"
        case _:
            return kind.replace(".", ": ").replace("_", " ")


def event_text(kind: str, body: Mapping[str, Json]) -> str:
    """Words of people that belong to an event; empty if there are none."""
    for name in ("text", "why", "note", "cause", "changed", "reason"):
        value = body.get(name)
        if isinstance(value, str) and value and not kind.startswith("incident.action_agreed"):
            return value
    return ""
