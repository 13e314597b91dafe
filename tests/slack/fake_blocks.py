"""Block Kit as Slack takes it: what it refuses, what of it would be live, and what a person reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

Block = dict[str, Any]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
WHOLE_MESSAGE = 13_200

_OBJECTS = {"rich_text_section", "rich_text_quote", "rich_text_preformatted", "rich_text_list"}
_FIELDS = {
    "header": {"text"},
    "context": {"elements"},
    "divider": set(),
    "section": {"text", "fields", "accessory"},
    "actions": {"elements"},
    "rich_text": {"elements"},
    "input": {"label", "element", "hint", "optional", "dispatch_action"},
}
_BUTTON = {"type", "action_id", "text", "value", "url", "style", "confirm", "accessibility_label"}
_INPUTS = {
    "plain_text_input": {"multiline", "min_length", "max_length", "focus_on_load", "placeholder", "initial_value"},
    "static_select": {"options", "initial_option", "placeholder", "focus_on_load"},
    "radio_buttons": {"options", "initial_option", "focus_on_load"},
    "checkboxes": {"options", "initial_options", "focus_on_load"},
}
_MOST_OPTIONS = {"static_select": 100, "radio_buttons": 10, "checkboxes": 10}
_ELEMENTS = {
    "text": {"text", "style"},
    "link": {"url", "text", "style", "unsafe"},
    "date": {"timestamp", "format", "fallback", "url"},
    "user": {"user_id", "style"},
    "usergroup": {"usergroup_id", "style"},
    "channel": {"channel_id", "style"},
    "broadcast": {"range"},
    "emoji": {"name", "unicode"},
}
_STYLES = {"bold", "italic", "strike", "code"}
_LIVE_MARKUP = re.compile(r"<(?:!|@|#|https?:|mailto:)[^<>]*>")
_LIVE_ELEMENTS = {"user", "usergroup", "channel", "broadcast", "emoji"}


def width(text: str) -> int:
    """Characters as Slack's own code counts them, in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def faults(blocks: Any, *, most: int = MESSAGE_BLOCKS) -> list[str]:
    """Why Slack would refuse these blocks with ``invalid_blocks``; empty if it would take them."""
    if not isinstance(blocks, list):
        return ["blocks is no list"]
    found = [f"{len(blocks)} blocks"] if len(blocks) > most else []
    names: list[str] = [block["block_id"] for block in blocks if "block_id" in block]
    if len(names) != len(set(names)):
        found.append("block ids repeat")
    for place, block in enumerate(blocks):
        found += [f"/blocks/{place}: {fault}" for fault in _block_faults(block)]
    return found


def too_long(blocks: Sequence[Block]) -> bool:
    """Whether Slack would refuse the message as a whole with ``msg_blocks_too_long``."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")).encode()) > WHOLE_MESSAGE


def view_faults(view: Block) -> list[str]:
    """Why Slack would refuse a dialog or a home page."""
    found = faults(view.get("blocks"), most=VIEW_BLOCKS)
    known = {"type", "blocks", "private_metadata", "callback_id"}
    if len(json.dumps(view)) > 250_000:
        found.append("view_too_large")
    if view.get("type") == "modal":
        known |= {"title", "submit", "close", "clear_on_close", "notify_on_close"}
        for name in ("title", "submit", "close"):
            if name in view:
                found += _plain_faults(view[name], 24)
        if "title" not in view:
            found.append("a dialog needs a title")
        if "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
            found.append("a dialog with input needs a submit button")
    if width(view.get("private_metadata", "")) > 3_000:
        found.append("private_metadata is too long")
    found += [f"unknown field {name}" for name in view.keys() - known]
    return found


def live(message: Block, own: str) -> list[str]:
    """What in a message would do something: mention, notify, link elsewhere than ``own``, or be markup at all.

    Buttons are not text and do not count; their addresses do.
    """
    found = _LIVE_MARKUP.findall(message.get("text", ""))
    for node in walk(message.get("blocks", [])):
        kind = node.get("type")
        if kind == "mrkdwn":
            found.append(f"markup: {node['text']}")
        elif kind in _LIVE_ELEMENTS:
            found.append(f"{kind}: {node}")
        elif kind == "plain_text" and re.search("[<>]", node["text"]):
            found.append(f"unescaped: {node['text']}")
        elif not str(node.get("url", own)).startswith(own):
            found.append(f"foreign address: {node}")
    return found


def reading(blocks: Sequence[Block]) -> str:
    """What a person reads, as one text, block by block."""
    return "\n".join("".join(_read(block)) for block in blocks)


def walk(node: Any) -> Iterator[Block]:
    """Every object inside blocks."""
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from walk(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from walk(inner)


def buttons(message: Block) -> dict[str, Block]:
    """The buttons of a message by action id."""
    return {node["action_id"]: node for node in walk(message.get("blocks", [])) if node.get("type") == "button"}


def pages(message: Block) -> dict[str, str]:
    """The pages that the menus of a message open: text to address."""
    menus = [node for node in walk(message.get("blocks", [])) if node.get("type") == "overflow"]
    return {option["text"]["text"]: option["url"] for menu in menus for option in menu["options"]}


def _block_faults(block: Any) -> Iterator[str]:
    if not isinstance(block, dict) or block.get("type") not in _FIELDS:
        yield "unknown type of block"
        return
    kind = block["type"]
    yield from (f"unknown field {name}" for name in block.keys() - _FIELDS[kind] - {"type", "block_id"})
    if width(block.get("block_id", "")) > 255:
        yield "block_id is too long"
    match kind:
        case "header":
            yield from _plain_faults(block["text"], 150)
        case "context":
            if not 1 <= len(block["elements"]) <= 10:
                yield "1 to 10 elements"
            for element in block["elements"]:
                yield from _text_faults(element, 3_000)
        case "section":
            if "text" in block:
                yield from _text_faults(block["text"], 3_000)
            for field in block.get("fields", []):
                yield from _text_faults(field, 2_000)
            if not block.get("text") and not 1 <= len(block.get("fields", [])) <= 10:
                yield "a section needs text or 1 to 10 fields"
        case "actions":
            if not 1 <= len(block["elements"]) <= 25:
                yield "1 to 25 elements"
            for element in block["elements"]:
                yield from _button_faults(element)
        case "rich_text":
            yield from _rich_faults(block)
        case "input":
            yield from _plain_faults(block["label"], 2_000)
            yield from _plain_faults(block.get("hint", {"type": "plain_text", "text": "-"}), 2_000)
            yield from _input_faults(block["element"])


def _text_faults(text: Any, most: int) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in {"plain_text", "mrkdwn"}:
        yield "no text object"
        return
    allowed = {"type", "text"} | ({"emoji"} if text["type"] == "plain_text" else {"verbatim"})
    yield from (f"unknown field {name}" for name in text.keys() - allowed)
    if not text.get("text", "").strip():
        yield "empty text"
    if width(text.get("text", "")) > most:
        yield f"text of more than {most} characters"


def _plain_faults(text: Any, most: int) -> Iterator[str]:
    if isinstance(text, dict) and text.get("type") == "mrkdwn":
        yield "must be plain_text"
    yield from _text_faults(text, most)


def _button_faults(button: Block) -> Iterator[str]:
    if button.get("type") == "overflow":
        yield from _menu_faults(button)
        return
    if button.get("type") != "button":
        yield "only buttons and menus are known here"
        return
    yield from (f"unknown field {name}" for name in button.keys() - _BUTTON)
    yield from _plain_faults(button["text"], 75)
    if width(button.get("value", "")) > 2_000:
        yield "value is too long"
    if width(button.get("url", "")) > 3_000 or not button.get("url", "http").startswith("http"):
        yield "url is too long or no web address"
    if not 1 <= width(button.get("action_id", "")) <= 255:
        yield "action_id is missing or too long"
    if button.get("style", "primary") not in {"primary", "danger"}:
        yield "unknown style"
    if "confirm" in button:
        yield from _confirm_faults(button["confirm"])


def _menu_faults(menu: Block) -> Iterator[str]:
    yield from (f"unknown field {name}" for name in menu.keys() - {"type", "action_id", "options", "confirm"})
    if not 1 <= width(menu.get("action_id", "")) <= 255:
        yield "action_id is missing or too long"
    options = menu.get("options", [])
    if not 2 <= len(options) <= 5:
        yield "2 to 5 options"
    for option in options:
        yield from (f"unknown field {name}" for name in option.keys() - {"text", "value", "description", "url"})
        yield from _plain_faults(option["text"], 75)
        if not 1 <= width(option["value"]) <= 150:
            yield "value of an option"
        if width(option.get("url", "")) > 3_000 or not option.get("url", "http").startswith("http"):
            yield "url is too long or no web address"


def _confirm_faults(confirm: Block) -> Iterator[str]:
    yield from (f"unknown field {name}" for name in confirm.keys() - {"title", "text", "confirm", "deny", "style"})
    for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        yield from _plain_faults(confirm[name], most)


def _input_faults(element: Block) -> Iterator[str]:
    kind = element.get("type", "")
    if kind not in _INPUTS:
        yield f"{kind} is no input"
        return
    yield from (f"unknown field {name}" for name in element.keys() - _INPUTS[kind] - {"type", "action_id"})
    if element.get("max_length", 1) > 3_000 or width(element.get("initial_value", "")) > 3_000:
        yield "max_length is over 3000"
    if "initial_value" in element and not element["initial_value"]:
        yield "empty initial_value"
    if width(element.get("placeholder", {}).get("text", "")) > 150:
        yield "placeholder is too long"
    if kind in _MOST_OPTIONS:
        options = element.get("options", [])
        if not 1 <= len(options) <= _MOST_OPTIONS[kind]:
            yield "too many options or none"
        for option in options:
            yield from _plain_faults(option["text"], 75)
            if not 1 <= width(option["value"]) <= 150:
                yield "value of an option"
        if element.get("initial_option", options[:1][0] if options else None) not in options:
            yield "initial_option is no option"


def _rich_faults(block: Block) -> Iterator[str]:
    if not block["elements"]:
        yield "empty rich text"
    total = 0
    for part in block["elements"]:
        if part.get("type") not in _OBJECTS:
            yield f"{part.get('type')} is no part of rich text"
            continue
        lines = part["elements"] if part["type"] == "rich_text_list" else [part]
        if part["type"] == "rich_text_list" and part.get("style") not in {"bullet", "ordered"}:
            yield "a list needs a style"
        for line in lines:
            if not line.get("elements"):
                yield "empty part of rich text"
            for element in line.get("elements", []):
                total += width(element.get("text", ""))
                yield from _element_faults(element)
    if total > 3_000:
        yield f"rich text of {total} characters"


def _element_faults(element: Block) -> Iterator[str]:
    kind = element.get("type", "")
    if kind not in _ELEMENTS:
        yield f"unknown element {kind}"
        return
    yield from (f"unknown field {name}" for name in element.keys() - _ELEMENTS[kind] - {"type"})
    yield from (
        f"unknown style {name}" for name in element.get("style", {}).keys() - {"bold", "italic", "strike", "code"}
    )
    if kind == "text" and not element.get("text"):
        yield "empty text element"
    if kind == "link" and not element.get("url", "").startswith("http"):
        yield "a link needs a web address"
    if kind == "date" and not isinstance(element.get("timestamp"), int):
        yield "a date needs a whole timestamp"


def _read(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for inner in node:
            yield from _read(inner)
        return
    match node.get("type"):
        case "plain_text":
            yield node["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        case "text" | "link":
            yield node.get("text") or node["url"]
        case "date":
            yield node["fallback"]
        case "button":
            yield "[" + "".join(_read(node["text"])) + "]"
        case "header" | "section":
            yield from _read(node["text"])
        case "input":
            yield from _read(node["label"])
        case "rich_text_list":
            for line in node["elements"]:
                yield "\n• "
                yield from _read(line["elements"])
        case "rich_text_quote" | "rich_text_preformatted":
            yield "\n"
            yield from _read(node["elements"])
        case _:
            yield from _read(node.get("elements", []))
