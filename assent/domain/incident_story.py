"""Events of an incident in words, the same on pages, on the command line and in exports."""

from __future__ import annotations

from collections.abc import Mapping

from assent.domain.canonical import Json
from assent.domain.incident_words import TITLES
from assent.domain.incidents import Section
from assent.domain.words import counted

_WHAT = {"run": "run", "record": "record", "pause": "pause", "rollback": "rollback"}
_ENDED = {"done": "all of it undone", "needs_person": "a person must do the rest", "refused": "refused"}


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
        case "pause.requested":
            return f"Paused and fenced: {said('scope')}"
        case "pause.quiesced":
            seconds = body.get("seconds")
            took = f", {seconds:.3f} s after it was asked for" if isinstance(seconds, int | float) else ""
            return f"At rest: nothing was under way any more{took}"
        case "pause.resumed":
            return f"Resumed: {said('scope')}"
        case "rollback.started":
            return f"Undo began: {body.get('effects', '')} effects".replace(":  effects", "")
        case "rollback.ended":
            status = _ENDED.get(said("status"), said("status"))
            return f"Undo ended: {status}".rstrip(": ")
        case _:
            return kind.replace(".", ": ").replace("_", " ")


def event_text(kind: str, body: Mapping[str, Json]) -> str:
    """Words of people that belong to an event; empty if there are none."""
    for name in ("text", "why", "note", "cause", "reason"):
        value = body.get(name)
        if isinstance(value, str) and value and not kind.startswith("incident.action_agreed"):
            return value
    return ""
