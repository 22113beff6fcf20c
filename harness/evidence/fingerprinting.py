"""Documents whose fingerprints are slow to make: kept, in the order in which they came, until another process has."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from harness.fingerprint import Fingerprint
from harness.fingerprint.exact import unreadable_checksum
from harness.fingerprint.process import FingerprintProcess
from harness.records import Print

MOST_BYTES = 256 * 1024 * 1024


class Read(NamedTuple):
    """A print with its checksum, and its document; `has_marks` when those were read, too."""

    print_: Print
    document: bytes
    has_marks: bool


class Fingerprinting:
    """Has a process where the fingerprint has anything slow, and else nothing to do.

    A document that is not kept, because there is no room for it or because the process has failed, counts as
    unreadable: it is undecided.

    Args:
        most_bytes: of documents that are kept at the most.

    Attributes:
        makes_checksums, reads_marks: what it is there for.
        faults: one sentence for each reason for which any was not read.
    """

    def __init__(self, fingerprint: Fingerprint, *, most_bytes: int = MOST_BYTES) -> None:
        self.makes_checksums = fingerprint.is_slow
        self.reads_marks = fingerprint.reads_slowly
        self.faults: list[str] = []
        self._most_bytes = most_bytes
        self._bytes = 0
        self._waiting: deque[Read] = deque()
        self._unread: deque[Read] = deque()
        self._process = FingerprintProcess(fingerprint) if self.makes_checksums or self.reads_marks else None

    @property
    def waiting(self) -> int:
        """Documents that are still to be told by `take`."""
        return len(self._waiting) + len(self._unread)

    def want_checksum(self, print_: Print, document: bytes) -> None:
        """Have the print's checksum made."""
        self._want(Read(print_, document, has_marks=False))

    def want_marks(self, print_: Print, document: bytes) -> None:
        """Have the marks of the print's document read; it has its checksum."""
        self._want(Read(print_, document, has_marks=True))

    def take(self) -> Iterator[Read]:
        """What has been read since the last time, or will not be."""
        if self._process is not None:
            for made in self._process.answers():
                read = self._waiting.popleft()
                self._bytes -= len(read.document)
                # An answer has one of them.
                told = {"marks": made.marks} if read.has_marks else {"checksum": made.checksum}
                yield read._replace(print_=msgspec.structs.replace(read.print_, **told))
            if self._process.failure and self._waiting:
                self._give_up(f"the process that makes fingerprints has failed: {self._process.failure}", self._waiting)
                self._waiting.clear()
                self._bytes = 0
        while self._unread:
            yield self._unread.popleft()

    def close(self) -> None:
        """End the process; safe to call twice."""
        if self._process is not None:
            self._process.close()

    def _want(self, read: Read) -> None:
        size = len(read.document)
        if self._waiting and self._bytes + size > self._most_bytes:
            most_mb = self._most_bytes // 1024**2
            self._give_up(
                f"documents came faster than their fingerprints can be made, so that more than {most_mb} MB of them "
                "waited: some are undecided for that reason alone; right is a lower rate or a faster fingerprint",
                [read],
            )
            return
        if self._process is None:
            message = "this should never happen, because nobody wants it of what is not slow"
            raise AssertionError(message)
        self._waiting.append(read)
        self._bytes += size
        ask = self._process.want_marks if read.has_marks else self._process.want_checksum
        ask(read.document)

    def _give_up(self, why: str, unread: Iterable[Read]) -> None:
        if why not in self.faults:
            self.faults.append(why)
        for read in unread:
            checksum = read.print_.checksum or unreadable_checksum(read.document)
            self._unread.append(read._replace(print_=msgspec.structs.replace(read.print_, checksum=checksum)))
