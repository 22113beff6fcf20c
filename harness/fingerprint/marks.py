"""Identity marks by pattern: whose document it is by its own words."""

import re
from collections.abc import Mapping
from typing import ClassVar

import msgspec

from harness.fingerprint.base import Texts
from harness.records import Mark

PERSON, KIND = "person", "kind"


class PlainText(msgspec.Struct, frozen=True):
    """The document itself, as UTF-8; bytes that are none belong to no word."""

    is_slow: ClassVar[bool] = False

    def texts(self, document: bytes) -> tuple[str, ...]:
        """One page."""
        return (document.decode("utf-8", "replace"),)


class MarkReader(msgspec.Struct, frozen=True):
    """Every match of the pattern is a mark.

    Args:
        pattern: regular expression with the group `person`, and perhaps `kind`.
        within: where the words stand.
        persons: what a mark shows -> the person of that name; whoever is not in it is called as the mark has it. None
            when marks show the persons themselves.

    Raises:
        re.error: when the pattern is no regular expression.
    """

    pattern: str
    within: Texts = PlainText()
    persons: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        re.compile(self.pattern)

    @property
    def is_slow(self) -> bool:
        """See `Reader`."""
        return self.within.is_slow

    def read(self, document: bytes) -> tuple[Mark, ...]:
        """See `Reader`."""
        pattern = re.compile(self.pattern)  # which the module keeps
        has_kind = KIND in pattern.groupindex
        pages = self.within.texts(document)
        return tuple(
            Mark(
                persons=(self._person(match[PERSON]),),
                kind=(match[KIND] or "") if has_kind else "",
                version=1,
                page=number,
                pages=len(pages),
            )
            for number, text in enumerate(pages, 1)
            for match in pattern.finditer(text)
            if match[PERSON]
        )

    def _person(self, shown: str) -> str:
        return shown if self.persons is None else self.persons.get(shown, shown)
