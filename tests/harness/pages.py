"""Reads a page as a browser would, as far as a test wants to know what is in it."""

from html.parser import HTMLParser
from typing import NamedTuple

_VOID = {"meta", "br", "img", "link", "input", "hr"}


class Element(NamedTuple):
    """One element with its attributes and the text of everything in it."""

    tag: str
    attributes: dict[str, str]
    inside: list[str]

    @property
    def text(self) -> str:
        """In one line."""
        return " ".join("".join(self.inside).split())


class Page(HTMLParser):
    """All elements of a page in their order.

    Raises:
        AssertionError: when elements are not closed in the order in which they were opened.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, [])
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.inside.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Those with this tag and these attributes."""
        return [
            element
            for element in self.elements
            if element.tag == tag and attributes.items() <= element.attributes.items()
        ]

    def texts(self, tag: str, **attributes: str) -> list[str]:
        """Their texts."""
        return [element.text for element in self.all(tag, **attributes)]

    @property
    def text(self) -> str:
        """What is to be read."""
        return self.all("body")[0].text

    def rows(self, label: str) -> list[list[str]]:
        """The cells of the table in the region of this name, head included."""
        found: list[list[str]] = []
        inside = False
        for element in self.elements:
            if "aria-label" in element.attributes and element.tag in {"div", "nav", "ul"}:
                inside = element.attributes["aria-label"] == label
            if element.tag == "section":
                inside = False
            if inside and element.tag == "tr":
                found.append([])
            if inside and element.tag in {"td", "th"}:
                found[-1].append(element.text)
        return found
