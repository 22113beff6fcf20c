"""What a process has sent and seen answered, and up to when all of that is known. Pure."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from harness.evidence.prints import Interval

_MARKS_AT_MOST = 1000


class Flights(NamedTuple):
    """What one process has sent and seen answered.

    Args:
        now_ns: the instant at which this was so; issued: attempts sent until then.
        ended: of the attempts that have ended since the last time, `sent_ns` and `answered_ns` by turns.
    """

    now_ns: int
    issued: int
    ended: Sequence[int]


class _Mark(msgspec.Struct):
    """An instant, and how many of the attempts that were sent until then have not ended."""

    at_ns: int
    missing: int


class Horizon:
    """Up to when everything that was sent has ended.

    Attributes:
        is_lost: prints stay away for so long that nobody can wait for them.
    """

    def __init__(self) -> None:
        self.is_lost = False
        self._marks: deque[_Mark] = deque()
        self._ended = 0

    def add(self, flights: Flights) -> tuple[Interval, int | None]:
        """The prints that have ended since the last time, and the horizon; None as long as it has not moved."""
        sent_ns, answered_ns = np.array(flights.ended, dtype=np.int64).reshape(-1, 2).T.copy()
        self._ended += len(sent_ns)
        for mark in self._marks:
            mark.missing -= int((sent_ns <= mark.at_ns).sum())
        self._marks.append(_Mark(flights.now_ns, flights.issued - self._ended))
        known_until_ns: int | None = None
        while self._marks and self._marks[0].missing <= 0:
            known_until_ns = self._marks.popleft().at_ns
        if len(self._marks) > _MARKS_AT_MOST:
            self.is_lost = True
            self._marks.clear()
        return Interval(sent_ns, answered_ns), known_until_ns
