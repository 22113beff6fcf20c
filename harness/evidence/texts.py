"""Texts and numbers out of many lines at once: each step reads one field of all of them. Pure.

What is read here is JSON of the plainest form only: texts without an escape, whole numbers without a sign, no space
between. Whatever else a line may hold is not wrong; it is left to whoever reads it by itself.
"""

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.intp]
Flags = NDArray[np.bool_]
Words = NDArray[np.uint64]

LONGEST = 256
"""Bytes; a longer text is left to others."""
_ROOM = 2048  # behind the data, so that a field which is looked for behind the last line is looked for in nothing
_NOTHING = bytes(_ROOM)
_DIGITS = 19  # as many as the largest number has that 64 bits hold with a sign

_LOW, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_QUOTES, _ZEROS = _LOW * np.uint64(0x22), _LOW * np.uint64(0x30)
_TO_HIGH_FROM_TEN = _LOW * np.uint64(0x80 - 10)
_POWERS = np.array([10**digits for digits in range(9)], dtype=np.uint64)
_LARGEST = np.uint64(2**63 - 1)
_FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], dtype=np.uint64)
_NOWHERE = np.zeros(0, dtype=np.intp)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Buffer:
    """Bytes of which eight can be looked at from any place on.

    Args:
        data: what is behind its end reads as zeros.

    Attributes:
        data: with some of these zeros; size: without them, in bytes.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        self.data, self.size = b"".join((data, _NOTHING)), len(data)
        self.words: Words = np.ndarray(self.size + _ROOM - 7, dtype="<u8", buffer=self.data, strides=(1,))
        codes = np.frombuffer(self.data, np.uint8)
        self.escapes: Places = np.flatnonzero(codes == ord("\\")) if b"\\" in self.data else _NOWHERE

    def starts_with(self, text: bytes, at: Places) -> Flags:
        """At which of the places this text stands."""
        found: Flags = np.ones(len(at), dtype=np.bool_)
        if len(text) < 8:
            found &= (self.words[at] & _FIRST_BYTES[len(text)]) == int.from_bytes(text, "little")
            return found
        for first in (*range(0, len(text) - 8, 8), len(text) - 8):
            found &= self.words[at + first] == int.from_bytes(text[first : first + 8], "little")
        return found


class Texts(NamedTuple):
    """Texts within a buffer, in UTF-8."""

    buffer: Buffer
    begins: Places
    ends: Places

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Of these texts."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum([0, *map(len, encoded)])
        return cls(Buffer(b"".join(encoded)), ends[:-1], ends[1:])

    def first(self, number: int) -> "Texts":
        """So many of them from the top."""
        return Texts(self.buffer, self.begins[:number], self.ends[:number])

    def text(self, number: int) -> str:
        """One of them."""
        return self.buffer.data[self.begins[number] : self.ends[number]].decode("utf-8", "surrogatepass")

    def digests(self) -> Words:
        """A number for each text, the same for equal ones wherever they stand and in every process.

        Different texts share one as if by chance: any two of ten million in 3 of a million cases. Every step can be
        undone, so texts of one length that differ within one group of eight bytes never do.
        """
        lengths = self.ends - self.begins
        found = lengths.astype(np.uint64) * _MULTIPLIER
        for first in range(0, int(lengths.max(initial=0)), 8):
            left = lengths - first
            word = self.buffer.words[self.begins + first] & _FIRST_BYTES[np.clip(left, 0, 8)]
            mixed = (found ^ word) * _MULTIPLIER
            found = np.where(left > 0, mixed ^ mixed >> np.uint64(32), found)
        found *= _MULTIPLIER
        return found ^ found >> np.uint64(29)


class Cursor:
    """A place in each of some lines, from which its next field is read.

    Attributes:
        at: the places; meaningless where a field was not there.
        ok: in which lines every field so far was there.
    """

    def __init__(self, buffer: Buffer, at: Places) -> None:
        self.buffer = buffer
        self.at = at
        self.ok: Flags = np.ones(len(at), dtype=np.bool_)

    def expect(self, text: bytes) -> None:
        """This text stands here."""
        self.ok &= self.buffer.starts_with(text, self.at)
        self.at = self.at + len(text)

    def read_text(self) -> Texts:
        """What stands here until the next quotation mark, which is passed over."""
        begins, found = self.at, self._quotes(self.at)
        ends = begins + _bytes_below(found)
        open_ = np.flatnonzero(found == 0)
        for _ in range(8, LONGEST, 8):
            if not len(open_):
                break
            found = self._quotes(ends[open_])
            ends[open_] += _bytes_below(found)
            open_ = open_[found == 0]
        self.ok[open_] = False
        if len(escapes := self.buffer.escapes):
            self.ok &= np.searchsorted(escapes, begins) == np.searchsorted(escapes, ends)
        self.at = ends + 1
        return Texts(self.buffer, begins, ends)

    def _quotes(self, at: Places) -> Words:
        """In the eight bytes from each place, the high bit of each quotation mark; of the lowest one for certain."""
        word = self.buffer.words[at] ^ _QUOTES
        return (word - _LOW) & ~word & _HIGH

    def read_number(self) -> NDArray[np.int64]:
        """The whole number, not below zero, that stands here."""
        word, here = self._digits(self.at)
        value, digits = _eight_digits(word, here), here
        is_padded = (digits > 1) & (word & np.uint64(0xFF) == 0)
        for first in (8, 16):
            goes_on = digits == first
            # Times have more than eight digits all of them, and a whole column is read more quickly than rows of it.
            rows = slice(None) if goes_on.all() else np.flatnonzero(goes_on)
            if goes_on.any():
                word, here = self._digits(self.at[rows] + first)
                value[rows] = value[rows] * _POWERS[here] + _eight_digits(word, here)
                digits[rows] += here
        self.ok &= (digits > 0) & (digits <= _DIGITS) & (value <= _LARGEST) & ~is_padded
        self.at = self.at + digits
        return value.view(np.int64)

    def _digits(self, at: Places) -> tuple[Words, NDArray[np.int64]]:
        """Eight bytes from each place, digits as their values, and how many of them are digits until one is not."""
        word = self.buffer.words[at] ^ _ZEROS
        return word, _bytes_below((word + _TO_HIGH_FROM_TEN | word) & _HIGH)

    def where(self, text: bytes) -> tuple[Places, "Cursor"]:
        """The lines in which this text stands here, and a cursor behind it in those alone; see `rejoin`."""
        rows = np.flatnonzero(self.buffer.starts_with(text, self.at))
        return rows, Cursor(self.buffer, self.at[rows] + len(text))

    def rejoin(self, rows: Places, other: "Cursor") -> None:
        """In these lines go on where the other cursor is."""
        self.at[rows] = other.at
        self.ok[rows] &= other.ok


def _bytes_below(high_bits: Words) -> NDArray[np.int64]:
    """Number of the lowest byte of which the high bit is set; 8 for none."""
    below: NDArray[np.uint8] = np.bitwise_count(high_bits - np.uint64(1) & ~high_bits)
    return (below >> 3).astype(np.int64)


def _eight_digits(word: Words, count: NDArray[np.int64]) -> Words:
    """The number of up to eight digits, each the value of a byte, the lowest byte first."""
    word = word << (8 * (8 - count)).astype(np.uint64)  # zeros in front
    word = word * np.uint64(10) + (word >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    word = word * np.uint64(100) + (word >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    return word * np.uint64(10_000) + (word >> np.uint64(32)) & np.uint64(0xFFFFFFFF)
