"""Dialogs and lists of the kill switch: what to stop, what is stopped, and what it takes to let it go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assent.domain.pauses import Disposition, PausePhase, Scope, ScopeKind
from assent.store.queries.pauses import PauseView
from assent_slack.blocks import limits
from assent_slack.blocks.excerpts import one_line, told
from assent_slack.blocks.notices import fallback
from assent_slack.blocks.pieces import Block, Element, Message, actions, button, moment, paragraph, plain, words
from assent_slack.buttons import (
    AT_ONCE_BLOCK,
    CAUSE_BLOCK,
    CHANGED_BLOCK,
    CHECKS_BLOCK,
    CHOOSE_VIEW,
    DISPOSITION_BLOCK,
    FORM_FIELD,
    NAME_BLOCK,
    PAUSE_BLOCK,
    RESUME,
    RESUME_VIEW,
    SCOPE_BLOCK,
    STOP_VIEW,
    Opened,
    Stopping,
)
from assent_slack.links import Links

SHOWN = 10
"""Pauses that a list shows; the page shows all."""

CHOICES = 100
"""Options of a menu at most."""

OPTION = 75
"""Characters of an option at most."""

SCOPES = {
    ScopeKind.EVERYTHING: "Everything",
    ScopeKind.AGENT: "An agent, by name",
    ScopeKind.VERSION: "An agent's version: refunds@3",
    ScopeKind.CONNECTOR: "A system, as in shop of shop.refund",
    ScopeKind.TYPE: "An action type: shop.refund",
    ScopeKind.LABEL: "Runs with a label",
    ScopeKind.RECORD: "A record or customer: shop/orders/W1",
    ScopeKind.RUN: "A run, by its id",
}

DISPOSITIONS = {
    Disposition.FREEZE: ("Freeze", "Every action waits until you resume."),
    Disposition.DRAIN: ("Drain", "What was approved before goes on; the rest waits."),
    Disposition.COMPENSATE: ("Compensate", "Every action waits, and open runs are rolled back."),
}


def stop_dialog(opened: Opened) -> dict[str, Any]:
    """Ask what to stop, and how.

    Args:
        opened: What the dialog gives back; without anything beside it, every scope is offered by kind and name.
    """
    offered = offered_scopes(opened.beside)
    if len(offered) > 1:
        choices = [(scope.kind.value, _capital(scope.sentence), "") for scope in offered]
        which = [_radio(SCOPE_BLOCK, "Stop what?", choices)]
    else:
        options = [(kind.value, text) for kind, text in SCOPES.items()]
        which = [
            _menu(SCOPE_BLOCK, "Stop what?", options, chosen=ScopeKind.EVERYTHING.value),
            _line(NAME_BLOCK, "Its name", "Leave it empty for everything.", optional=True),
        ]
    how = [(each.value, *DISPOSITIONS[each]) for each in Disposition]
    return {
        "type": "modal",
        "callback_id": STOP_VIEW,
        "private_metadata": opened.written(),
        "title": plain("Stop"),
        "submit": plain("Stop it now"),
        "close": plain("Cancel"),
        "blocks": [
            *which,
            _radio(DISPOSITION_BLOCK, "What becomes of the work in it?", how),
            _line(CAUSE_BLOCK, "Why?", "Kept in the ledger; may be left empty.", optional=True),
            paragraph(words("No effect in it begins from that moment. What is under way ends; nothing is lost.")),
        ],
    }


def resume_dialog(opened: Opened, pause: PauseView, *, changed: str = "") -> dict[str, Any]:
    """Ask what it takes to let a pause's work go on: cause, change, checks."""
    at_once = {
        "type": "input",
        "block_id": AT_ONCE_BLOCK,
        "optional": True,
        "label": plain("How?"),
        "element": {
            "type": "checkboxes",
            "action_id": FORM_FIELD,
            "options": [_option("at_once", "All runs at once, not first one, then a few, then all")],
        },
    }
    return {
        "type": "modal",
        "callback_id": RESUME_VIEW,
        "private_metadata": opened.written(),
        "title": plain("Resume"),
        "submit": plain("Let it go on"),
        "close": plain("Cancel"),
        "blocks": [
            paragraph(*_what(pause)),
            _text(CAUSE_BLOCK, "What was the cause?", ""),
            _text(CHANGED_BLOCK, "What was changed?", changed),
            _text(CHECKS_BLOCK, "Which checks passed?", "", hint="One on each line.", optional=True),
            at_once,
        ],
    }


def agree_dialog(opened: Opened, pause: PauseView, url: str) -> dict[str, Any]:
    """Show a second person what the first one said, to agree to just that or not."""
    answers = pause.answers
    said = [] if answers is None else [("Cause: ", answers.cause), ("Changed: ", answers.changed)]
    said += [] if answers is None or not answers.checks else [("Checks: ", "; ".join(answers.checks))]
    said += [("How: ", "All runs at once")] if answers is not None and answers.at_once else []
    first = pause.resume_asked_by.name if pause.resume_asked_by else "Somebody"
    return {
        "type": "modal",
        "callback_id": RESUME_VIEW,
        "private_metadata": opened.model_copy(update={"agreeing": True, "asked_at": pause.resume_asked_at}).written(),
        "title": plain("Resume"),
        "submit": plain("Agree: let it go on"),
        "close": plain("Cancel"),
        "blocks": [
            paragraph(*_what(pause)),
            paragraph(*told(first, 100, url, bold=True), words(" wants it to go on. A second person has to agree.")),
            *(paragraph(words(label, bold=True), *told(text or "—", 1_000, url)) for label, text in said),
        ],
    }


def choose_dialog(opened: Opened, pauses: Sequence[PauseView]) -> dict[str, Any]:
    """Ask which of several pauses is to end."""
    options = [(pause.id, f"{pause.scope.sentence}, by {pause.requested_by.name}") for pause in pauses[:CHOICES]]
    return {
        "type": "modal",
        "callback_id": CHOOSE_VIEW,
        "private_metadata": opened.written(),
        "title": plain("Resume"),
        "submit": plain("Go on"),
        "close": plain("Cancel"),
        "blocks": [_menu(PAUSE_BLOCK, "Which pause?", options, chosen=options[0][0])],
    }


def paused_list(pauses: Sequence[PauseView], total: int, links: Links) -> Message:
    """What is stopped, each with a button to let it go on."""
    if not pauses:
        return Message("Nothing is paused.", [paragraph(words("Nothing is paused."))])
    blocks: list[Block] = []
    for pause in pauses[:SHOWN]:
        blocks.append(paragraph(*_what(pause)))
        label = "Agree to resume…" if pause.phase is PausePhase.SECOND_WANTED else "Resume…"
        blocks.append(actions(f"paused-{pause.id}", [button(label, RESUME, value=pause.id)]))
    if total > SHOWN:
        blocks.append(paragraph(words(f"… {total - SHOWN:,} more: {links.stop()}")))
    names = ", ".join(pause.scope.sentence for pause in pauses[:SHOWN])
    return Message(fallback(f"❚❚ Paused: {names}"), blocks)


def _what(pause: PauseView) -> list[Element]:
    scope, _ = one_line(pause.scope.sentence, 200)
    elements = [words(f"❚❚ {scope}", bold=True), words(f" · {_state(pause)} · by {_name(pause)} · ")]
    elements.append(moment(pause.requested_at))
    if pause.cause:
        elements += [words(" · “"), words(one_line(pause.cause, 300)[0]), words("”")]
    return [*elements, words(f" · {pause.id}", italic=True)]


def _state(pause: PauseView) -> str:
    if pause.phase is PausePhase.SECOND_WANTED:
        return "waits for a second person's word"
    if pause.phase is PausePhase.RELEASING:
        return "letting runs go, step by step"
    if pause.quiesced_at is not None:
        return f"{pause.disposition.value}, at rest"
    return f"{pause.disposition.value}, {pause.in_flight} under way"


def _name(pause: PauseView) -> str:
    return one_line(pause.requested_by.name, 80)[0]


def offered_scopes(beside: Stopping) -> list[Scope]:
    """The scopes that a message offers, one of a kind, the likeliest first."""
    scopes = []
    if beside.agent:
        scopes.append(Scope(kind=ScopeKind.AGENT, name=beside.agent))
    if beside.run_id:
        scopes.append(Scope(kind=ScopeKind.RUN, name=beside.run_id))
    if beside.type:
        scopes.append(Scope(kind=ScopeKind.TYPE, name=beside.type))
        scopes.append(Scope(kind=ScopeKind.CONNECTOR, name=beside.type.partition(".")[0]))
    return [*scopes, Scope(kind=ScopeKind.EVERYTHING)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _radio(block_id: str, label: str, options: Sequence[tuple[str, str, str]]) -> Block:
    written = [_option(value, text) | ({"description": plain(note)} if note else {}) for value, text, note in options]
    element = {
        "type": "radio_buttons",
        "action_id": FORM_FIELD,
        "options": written,
        "initial_option": written[0],
    }
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element}


def _menu(block_id: str, label: str, options: Sequence[tuple[str, str]], *, chosen: str) -> Block:
    written = [_option(value, text) for value, text in options]
    first = next(each for each in written if each["value"] == chosen)
    element = {"type": "static_select", "action_id": FORM_FIELD, "options": written, "initial_option": first}
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element}


def _line(block_id: str, label: str, hint: str, *, optional: bool) -> Block:
    element = {"type": "plain_text_input", "action_id": FORM_FIELD, "max_length": 1_000}
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "hint": plain(hint),
        "optional": optional,
        "element": element,
    }


def _text(block_id: str, label: str, initial: str, *, hint: str = "", optional: bool = False) -> Block:
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": FORM_FIELD,
        "multiline": True,
        "max_length": limits.REASON,
        **({"initial_value": initial[: limits.REASON]} if initial else {}),
    }
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "optional": optional,
        "element": element,
        **({"hint": plain(hint)} if hint else {}),
    }


def _option(value: str, text: str) -> dict[str, Any]:
    shown, _ = one_line(text, OPTION)
    return {"value": value, "text": plain(shown if shown.strip() else "(unnamed)")}
