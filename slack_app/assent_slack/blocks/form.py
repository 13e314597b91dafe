"""A form for arguments as a dialog, as far as a dialog can hold it, and what a dialog gives back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assent.domain.forms import Field, FieldKind, Form
from assent.domain.words import counted
from assent_slack.blocks import limits
from assent_slack.blocks.dialogs import REASON_HINT, modal, text_input
from assent_slack.blocks.excerpts import one_line, told
from assent_slack.blocks.pieces import Block, bullets, link, paragraph, plain, rich, section, words
from assent_slack.buttons import EDIT_VIEW, FORM_BLOCK, FORM_FIELD, REASON_BLOCK, Asking

MOST_FIELDS = 60
"""Fields in a dialog; more are a page's business."""

LABEL = 150
OPTIONS = 100
OPTION = 75
BLOCK_ID = 255


def edit_dialog(asking: Asking, form: Form, headline: str, url: str) -> dict[str, Any]:
    """The dialog that edits a request's arguments.

    Args:
        asking: What the dialog gives back.
        form: The arguments as a form.
        headline: What would happen as it is now.
        url: The page where everything can be edited.
    """
    shown: list[Block] = []
    elsewhere: list[str] = []
    for label, field in leaves(form.root):
        block = _input(label, field) if len(shown) < MOST_FIELDS else None
        if block is None:
            elsewhere.append(label)
        else:
            shown.append(block)
    head, _ = one_line(headline, 300)
    blocks = [
        paragraph(words(head if head.strip() else "(it says nothing)", bold=True)),
        paragraph(words("Policy weighs the changed call again, and approvals given before no longer count.")),
        *shown,
        *([_elsewhere(elsewhere, url)] if elsewhere else []),
        text_input("Why?", "What is better so?", hint=REASON_HINT, optional=True),
    ]
    return modal(EDIT_VIEW, asking, title="Edit the request", submit="Send the change", blocks=blocks)


def leaves(field: Field, above: str = "") -> Iterator[tuple[str, Field]]:
    """The fields of a form that are no groups, with their labels and those of the groups they are in."""
    for part in field.parts:
        label = f"{above}{part.label}"
        if part.kind in (FieldKind.OBJECT, FieldKind.LIST):
            yield from leaves(part, f"{label} › ")
        else:
            yield label, part


def values_of(view: Mapping[str, Any], form: Form) -> dict[str, str]:
    """What a dialog gives back, by field name; what it did not show is not among it and stays as it is."""
    state = (view.get("state") or {}).get("values") or {}
    found = {}
    for _, field in leaves(form.root):
        given = (state.get(f"{FORM_BLOCK}{field.name}") or {}).get(FORM_FIELD)
        if given is None:
            continue
        if given.get("type") == "static_select":
            chosen = str((given.get("selected_option") or {}).get("value", ""))
            if chosen.isdecimal() and int(chosen) < len(field.choices):
                found[field.name] = field.choices[int(chosen)].text
        else:
            found[field.name] = str(given.get("value") or "")
    return found


def errors_of(view: Mapping[str, Any], faults: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by the block that shows it; what no block shows is said at the last field.

    Args:
        view: The dialog.
        faults: Sentences by JSON pointer or field name.
    """
    blocks = [str(block.get("block_id", "")) for block in view.get("blocks") or [] if block.get("type") == "input"]
    errors: dict[str, str] = {}
    for place, sentence in faults.items():
        block = next((name for name in _nearest(place) if name in blocks), REASON_BLOCK)
        said = sentence if block != REASON_BLOCK or not place else f"{place}: {sentence}"
        shown, _ = one_line(f"{errors[block]} {said}" if block in errors else said, 1_500)
        errors[block] = shown
    return errors


def _nearest(place: str) -> Iterator[str]:
    while place:
        yield f"{FORM_BLOCK}{place}"
        place = place.rpartition("/")[0]


def _input(label: str, field: Field) -> Block | None:
    """A field as an input; ``None`` if a dialog cannot hold it truly."""
    block_id = f"{FORM_BLOCK}{field.name}"
    if field.kind is FieldKind.SECRET or len(block_id) > BLOCK_ID:
        return None
    element = _choice(field) if field.kind is FieldKind.CHOICE else _line(field)
    if element is None:
        return None
    shown, _ = one_line(label, LABEL)
    hint, _ = one_line(" · ".join(part for part in (field.help, field.hint) if part), LABEL)
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(shown or "(unnamed)"),
        "optional": not field.required or field.kind in (FieldKind.TEXT, FieldKind.LONG_TEXT),
        "element": element,
    }
    return block | ({"hint": plain(hint)} if hint.strip() else {})


def _line(field: Field) -> dict[str, Any] | None:
    if limits.width(field.text) > limits.REASON:
        return None
    several = field.kind in (FieldKind.LONG_TEXT, FieldKind.JSON) or "\n" in field.text
    element: dict[str, Any] = {"type": "plain_text_input", "action_id": FORM_FIELD, "multiline": several}
    element["max_length"] = limits.REASON
    return element | ({"initial_value": field.text} if field.text else {})


def _choice(field: Field) -> dict[str, Any] | None:
    if not 1 <= len(field.choices) <= OPTIONS:
        return None
    options = []
    for place, choice in enumerate(field.choices):
        text, whole = one_line(choice.label, OPTION)
        if not whole:
            return None
        options.append({"value": str(place), "text": plain(text if text.strip() else "(empty)")})
    element: dict[str, Any] = {"type": "static_select", "action_id": FORM_FIELD, "options": options}
    now = [place for place, choice in enumerate(field.choices) if choice.text == field.text]
    return element | ({"initial_option": options[now[0]]} if now else {})


def _elsewhere(labels: list[str], url: str) -> Block:
    named = [told(label, LABEL, url) for label in labels[:10]]
    more = [[words(f"and {counted(len(labels) - 10, 'more field')}")]] if len(labels) > 10 else []
    return rich(
        [
            section([words("These do not fit here and stay as they are: ", bold=True), link(url, "edit on the web")]),
            bullets([*named, *more]),
        ]
    )
