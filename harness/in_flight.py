"""Who was in flight beside whom. Pure."""

import numpy as np

from harness.prints import Interval, Rows, Times
from harness.ranges import ranges

EARLIEST_NS = int(np.iinfo(np.int64).min)


class InFlight:
    """Prints by the time in which they were in flight; a question costs about what its answer holds.

    The prints are kept apart by the order of magnitude of their duration, so that one print that hung for a minute does
    not make every question look a minute back.
    """

    def __init__(self, prints: Interval) -> None:
        self._prints = prints
        duration_ns = np.maximum(prints.answered_ns - prints.sent_ns, 0)
        magnitude = np.frexp(duration_ns.astype(np.float64))[1]
        self._by_magnitude: list[tuple[int, Rows, Times]] = []
        for value in np.flatnonzero(np.bincount(magnitude)).tolist():
            rows = np.flatnonzero(magnitude == value)
            rows = rows[np.argsort(prints.sent_ns[rows], kind="stable")]
            self._by_magnitude.append((int(duration_ns[rows].max()), rows, prints.sent_ns[rows]))

    def during(self, begin_ns: Times, end_ns: Times) -> list[Rows]:
        """For each closed interval the rows of the prints in flight at some instant of it, by (time sent, row)."""
        asked: list[Rows] = []
        found: list[Rows] = []
        for longest_ns, rows, sent_ns in self._by_magnitude:
            earliest_ns = np.maximum(begin_ns, EARLIEST_NS + longest_ns) - longest_ns
            first = np.searchsorted(sent_ns, earliest_ns, side="left")
            last = np.searchsorted(sent_ns, end_ns, side="right")
            questions, places = ranges(first, last)
            near = rows[places]
            late_enough = self._prints.answered_ns[near] >= begin_ns[questions]
            asked.append(questions[late_enough])
            found.append(near[late_enough])
        if not found:
            return [np.zeros(0, dtype=np.intp) for _ in begin_ns]
        question, answer = np.concatenate(asked), np.concatenate(found)
        order = np.lexsort((answer, self._prints.sent_ns[answer], question))
        ends = np.searchsorted(question[order], np.arange(len(begin_ns)), side="right")
        return np.split(answer[order], ends)[:-1]

    def neighbours(self, rows: Rows) -> list[Rows]:
        """For each row the other prints that were in flight at one instant together with it."""
        beside = self.during(self._prints.sent_ns[rows], self._prints.answered_ns[rows])
        return [others[others != row] for row, others in zip(rows, beside, strict=True)]
