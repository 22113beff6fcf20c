"""Sorts of prints: one is what stands in a print's line from the applicant on. Pure."""

from collections.abc import Sequence
from itertools import repeat

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.records import Answered, Print

SORT_BEGINS = b'"applicant":'
"""With this, in the line of a print."""
_HEAD = b'{"type":"print","application":"","sent_ns":0,"answered_ns":0,'
_ANOTHER_FORM = "its fields are not as this version writes them"
_decode_print = msgspec.json.Decoder(Print).decode
_decode_prints = msgspec.json.Decoder(Print).decode_lines
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


class Sorts:
    """The sorts that were met so far.

    Attributes:
        prints: one of each sort, by its number.
        answers, kinds, groups: of these prints, taken from them while they are at hand.
    """

    def __init__(self) -> None:
        self.prints: list[Print] = []
        self.answers: list[Answered] = []
        self.kinds: list[str] = []
        self.groups: list[str] = []
        self._numbers: dict[bytes, int] = {}

    def number(self, line: bytes) -> int:
        """Of the sort of a print, by its line.

        Raises:
            ValueError: when it is none, or something of its sort stands before the applicant.
        """
        place = line.find(SORT_BEGINS, len(_HEAD))
        sort = line[place:] if place >= 0 else b""
        own = {"application": "", "attempt": 1, "sent_ns": 0, "answered_ns": 0, "intended_ns": None}
        if msgspec.structs.replace(_decode_print(line), **own) != _decode_print(_HEAD + sort):
            raise ValueError(_ANOTHER_FORM)
        return self._add(sort)

    def numbers(self, sorts: Sequence[bytes]) -> NDArray[np.int32]:
        """The number of each, by what stands from the applicant on; -1 for what is none, and for all behind it."""
        numbers = np.array(list(map(self._numbers.get, sorts, repeat(-1))), dtype=np.int32)
        places = np.flatnonzero(numbers < 0)
        if len(places):
            new = [sorts[place] for place in places.tolist()]
            if not self._add_all(list(dict.fromkeys(new))):
                new = new[: self._add_until_none(new)]
            numbers[places[: len(new)]] = [self._numbers[sort] for sort in new]
        return numbers

    def _add_all(self, sorts: Sequence[bytes]) -> bool:
        """Several at once, none of which is known; False, and nothing is added, when one of them is none."""
        lines = _HEAD + (b"\n" + _HEAD).join(sorts) + b"\n"
        try:
            prints = _decode_prints(lines)
        except ValueError:
            return False
        # No sort holds the end of a line and no record is written with one: equal as a whole, they are so one by one.
        if _encode_lines(prints) != lines:
            return False
        self._keep(sorts, prints)
        return True

    def _add_until_none(self, sorts: Sequence[bytes]) -> int:
        """Those up to the first that is none; returns how many these are."""
        for number, sort in enumerate(sorts):
            try:
                self._add(sort)
            except ValueError:
                return number
        return len(sorts)

    def _add(self, sort: bytes) -> int:
        number = self._numbers.get(sort)
        if number is None:
            line = _HEAD + sort
            print_ = _decode_print(line)
            if _encode(print_) != line:
                raise ValueError(_ANOTHER_FORM)
            number = len(self.prints)
            self._keep([sort], [print_])
        return number

    def _keep(self, sorts: Sequence[bytes], prints: Sequence[Print]) -> None:
        """New ones, each with its print."""
        self._numbers.update(zip(sorts, range(len(self.prints), len(self.prints) + len(sorts)), strict=True))
        self.prints += prints
        self.answers += [print_.answer for print_ in prints]
        self.kinds += [print_.kind for print_ in prints]
        self.groups += [print_.group for print_ in prints]
