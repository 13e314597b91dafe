"""The content of a request as blocks: each section of the one renderer, as far as there is room, the rest counted."""

from __future__ import annotations

from datetime import datetime

from assent.domain.card_content import Content, Fact, Item, Point, Points, Quote, Raw, Section, Sentence
from assent.domain.card_records import Record
from assent.domain.passages import Passage
from assent.domain.words import counted
from assent_slack.blocks import limits
from assent_slack.blocks.changes import record_objects
from assent_slack.blocks.excerpts import ELLIPSIS, excerpt, more, one_line, passage_told, told
from assent_slack.blocks.pieces import (
    Block,
    Element,
    bullets,
    cost,
    header,
    link,
    moment,
    paragraph,
    preformatted,
    quote,
    rich,
    section,
    words,
)

CALL = "call"
"""The section that may stand below the buttons."""

_USUAL = {
    "facts": 2_600,
    "changes": 2_200,
    "edited": 1_000,
    "instead": 800,
    "why": 1_500,
    "who": 800,
    "undo": 700,
    "agent": 1_200,
    "asked": 900,
    "looked": 900,
    "earlier": 1_000,
    "call": 2_400,
}
_HEADLINE = 1_200
_ENTRY = 500
"""Characters that one entry of a list may take."""

_NAME = 240
_NOTHING_SAID = "(it says nothing)"


def headline_blocks(content: Content, scale: float, url: str) -> list[Block]:
    """The sentence of what will happen; a long one is repeated below its beginning."""
    shown, whole = one_line(content.headline.text, limits.HEADER)
    blocks = [header(shown if shown.strip() else _NOTHING_SAID)]
    if not whole or content.headline.left_out:
        blocks.append(paragraph(*passage_told(content.headline, int(_HEADLINE * scale), url)))
    return blocks


def card_blocks(content: Content, scale: float, url: str, due: datetime | None = None) -> list[Block]:
    """Every section but the raw call, a block each.

    Args:
        content: What the request shows.
        scale: The share of the usual room that it may take.
        url: Where the whole is.
        due: When it is too late to decide; ``None`` if it was decided.
    """
    return [_block(each, scale, url, due) for each in content.sections if each.key != CALL]


def call_block(content: Content, scale: float, url: str) -> Block:
    """The raw call."""
    found = content.section(CALL)
    return _block(found or Section(CALL, "The whole call"), scale, url, None)


def _block(of: Section, scale: float, url: str, due: datetime | None) -> Block:
    room = int(_USUAL.get(of.key, _ENTRY) * scale)
    objects = [section([words(of.title, bold=True)])]
    if of.key == "who" and due is not None:
        objects.append(section([words("Decide before "), moment(due), words(".")]))
    hidden: list[Item] = []
    for item in of.items:
        laid_out = _item(item, room, url) if room > 0 else []
        room -= sum(cost(_flat(each)) for each in laid_out)
        objects += laid_out
        hidden += [] if laid_out else [item]
    if hidden:
        noun = "more record" if all(isinstance(item, Record) for item in hidden) else "more item"
        objects.append(_open(counted(len(hidden), noun), url))
    return rich(_apart(objects))


def _apart(objects: list[Element]) -> list[Element]:
    """Paragraphs on lines of their own: Slack sets one right behind another unless something else stands between."""
    kinds = [each["type"] for each in objects[1:]] + [""]
    return [
        section([*each["elements"], words("\n")]) if each["type"] == after == "rich_text_section" else each
        for each, after in zip(objects, kinds, strict=True)
    ]


def _item(item: Item, room: int, url: str) -> list[Element]:
    match item:
        case Fact():
            return [section(_fact(item, room, url))]
        case Sentence():
            return [section(passage_told(item.text, room, url))]
        case Points():
            return _points(item, room, url)
        case Quote():
            return _shown(item.label, item.text, room, url, quoted=True)
        case Record():
            return record_objects(item, room, url)
        case Raw():
            label = f"{item.label}, {counted(item.size, 'character')}"
            return _shown(label, item.text, room, url, quoted=False)


def _fact(fact: Fact, room: int, url: str) -> list[Element]:
    elements = [words(f"{fact.label}: ")]
    if fact.text.text or fact.text.left_out:
        elements += passage_told(fact.text, room, url, bold=True)
    if fact.name:
        elements += told(f" ({fact.name})" if len(elements) > 1 else fact.name, _NAME, url)
    return elements


def _points(points: Points, room: int, url: str) -> list[Element]:
    items: list[list[Element]] = []
    for point in points.points:
        item = _point(point, min(room, _ENTRY), url)
        room -= cost(item)
        if room < 0 and items:
            break
        items.append(item)
    objects = [bullets(items)] if items else []
    if hidden := len(points.points) - len(items):
        objects.append(_open(counted(hidden, "more entry", "more entries"), url))
    if points.more:
        objects.append(_open(points.more, url))
    return objects


def _point(point: Point, room: int, url: str) -> list[Element]:
    elements = passage_told(point.text, room, url)
    if point.note.text:
        elements += [words(" — "), *passage_told(point.note, room // 2, url)]
    if point.at is not None:
        elements += [words(" — "), moment(point.at)]
    if point.request:
        elements += [words(" — request "), *told(point.request, _NAME, url)]
    return elements


def _shown(label: str, text: Passage, room: int, url: str, *, quoted: bool) -> list[Element]:
    shown = excerpt(text.text, room)
    objects = [section(told(label, _NAME, url, italic=True))]
    if shown.segments:
        objects.append(quote(shown.elements()) if quoted else preformatted(shown.elements()))
    if left_out := shown.left_out + text.left_out:
        objects.append(section(more(left_out, url)))
    return objects


def _open(what: str, url: str) -> Element:
    return section([words(f"{ELLIPSIS} {what}: ", italic=True), link(url, "open in Assent")])


def _flat(piece: Element) -> list[Element]:
    """Every piece of text within a rich text object."""
    inner = piece.get("elements")
    return [piece] if inner is None else [each for element in inner for each in _flat(element)]
