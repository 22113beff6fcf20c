"""Who was in flight beside whom. Pure."""

import numpy as np

from harness.evidence.prints import Interval, Rows, Times
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

    def during(self, begin_ns: Times, end_ns: Times) -> tuple[Rows, Rows]:
        """The prints in flight at some instant of each closed interval.

        Returns:
            Numbers of the intervals, in ascending order, and beside each the row of a print, by (time sent, row).
        """
        asked, found = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=np.intp)]
        for longest_ns, rows, sent_ns in self._by_magnitude:
            earliest_ns = np.maximum(begin_ns, EARLIEST_NS + longest_ns) - longest_ns
            first = np.searchsorted(sent_ns, earliest_ns, side="left")
            last = np.searchsorted(sent_ns, end_ns, side="right")
            intervals, places = ranges(first, last)
            near = rows[places]
            late_enough = self._prints.answered_ns[near] >= begin_ns[intervals]
            asked.append(intervals[late_enough])
            found.append(near[late_enough])
        interval, row = np.concatenate(asked), np.concatenate(found)
        order = np.lexsort((row, self._prints.sent_ns[row], interval))
        return interval[order], row[order]

    def neighbours(self, rows: Rows) -> list[Rows]:
        """For each row the other prints that were in flight at one instant together with it."""
        number, others = self.during(self._prints.sent_ns[rows], self._prints.answered_ns[rows])
        is_other = others != rows[number]
        number, others = number[is_other], others[is_other]
        return np.split(others, np.searchsorted(number, np.arange(len(rows)), side="right"))[:-1]
