"""Prints whose documents nobody knows yet, because they follow a change: kept until what is right has been learnt."""

from collections.abc import Iterator

import msgspec

from harness.records import Mark, Print

MOST_BYTES = 256 * 1024 * 1024
MOST_PRINTS = 200_000


class _Unknown(msgspec.Struct, gc=False):
    """One sequence of bytes, and all prints that brought it."""

    document: bytes
    marks: tuple[Mark, ...]
    prints: list[Print]


class Waiting:
    """One document for each unknown checksum, however many prints brought it; bounded, because services differ.

    Args:
        most_bytes, most_prints: kept at the most.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most_prints: int = MOST_PRINTS) -> None:
        self._most_bytes, self._most_prints = most_bytes, most_prints
        self._unknown: dict[str, _Unknown] = {}
        self._bytes = self._prints = 0

    def marks(self, checksum: str) -> tuple[Mark, ...] | None:
        """Of a document that waits already; None of another."""
        known = self._unknown.get(checksum)
        return known.marks if known is not None else None

    def add(self, print_: Print, document: bytes) -> bool:
        """Keep the print, which brings its marks; False when there is no room for it."""
        known = self._unknown.get(print_.checksum)
        if self._prints >= self._most_prints or (
            known is None and self._bytes and self._bytes + len(document) > self._most_bytes
        ):
            return False
        if known is None:
            known = self._unknown[print_.checksum] = _Unknown(document, print_.marks, [])
            self._bytes += len(document)
        known.prints.append(print_)
        self._prints += 1
        return True

    def prints(self) -> list[Print]:
        """All of them."""
        return [print_ for known in self._unknown.values() for print_ in known.prints]

    def take(self) -> Iterator[tuple[Print, bytes]]:
        """Each of them once, with its document; what was taken waits no longer."""
        while self._unknown:
            checksum, known = next(iter(self._unknown.items()))
            while known.prints:
                self._prints -= 1
                yield known.prints.pop(), known.document
            del self._unknown[checksum]
            self._bytes -= len(known.document)
