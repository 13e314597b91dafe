"""Reading a page as a browser without scripts does."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"input", "meta", "link", "br", "hr", "img", "path", "circle"}


@dataclass
class Form:
    """A form with its fields as they would be sent."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class PageReader(HTMLParser):
    """Collects what tests ask for."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.forms: list[Form] = []
        self.marks: list[str] = []
        self._text: list[str] = []
        self._open: list[str] = []
        self._area = ""
        self.feed(html)
        self.close()
        assert not [tag for tag in self._open if tag not in _VOID], self._open

    @property
    def text(self) -> str:
        """All text, white space as it is."""
        return "".join(self._text)

    @property
    def words(self) -> str:
        """All text with single spaces."""
        return " ".join(self.text.split())

    @property
    def ids(self) -> list[str]:
        """Every id."""
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    @property
    def addresses(self) -> list[str]:
        """Everything a browser could go to, load or send to."""
        names = ("href", "src", "action", "formaction", "data", "poster", "srcset")
        return [attributes[name] for _, attributes in self.tags for name in names if name in attributes]

    def form(self, action: str) -> Form:
        """The form that is sent to an address."""
        return next(form for form in self.forms if form.action == action)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "form":
            self.forms.append(Form(attributes.get("action", ""), attributes.get("method", "get")))
        elif "form" in self._open and "name" in attributes and self.forms:
            if tag == "button":
                self.forms[-1].buttons.append((attributes["name"], attributes.get("value", ""), ""))
            else:
                self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
                self._area = attributes["name"] if tag == "textarea" else ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()
        if tag == "textarea":
            if self._area and self.forms:
                # As browsers do: a line end right after the tag is not part of the text.
                self.forms[-1].fields[self._area] = self.forms[-1].fields[self._area].removeprefix("\n")
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("script", "style"):
            return
        self._text.append(data)
        if self._area and self.forms:
            self.forms[-1].fields[self._area] += data
        if self._open and self._open[-1] == "mark":
            self.marks.append(data)
