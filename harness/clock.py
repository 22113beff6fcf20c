"""Times of another host's clock on the run's clock, each as the earliest and the latest that it can have been.

A reading says what a clock was off by at one time, within its uncertainty. Away from that time the uncertainty grows
with the drift. So every reading bounds the offset at every time, and what is known of it is the intersection.
"""

from collections.abc import Iterable
from itertools import accumulate
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from harness.records import ClockReading

Times = npt.NDArray[np.int64]

MAX_DRIFT = 1e-3
"""Seconds that two clocks can drift apart in a second.

Linux holds the frequency correction of a clock within 500 ppm either way (adjtimex(2), the limits of `freq`: 32768000
in units of 2^-16 ppm), and here two clocks are corrected independently, in the worst case against one another. Clocks
that are steered by their tick, or set, can leave this limit; then their readings contradict each other.
"""
NS_PER_DRIFT_NS = round(1 / MAX_DRIFT)
WIDEST = 2**61  # in drift units; beyond it sums of times would leave int64


class ClockError(ValueError):
    """Raised when clock readings contradict each other or bound nothing: no time of that clock can be placed."""


class ClockMap:
    """From a segment's own clock to the run's clock.

    Args:
        readings: at least one, in any order.

    Raises:
        ValueError: when there is no reading.
        ClockError: when no clock that drifts by at most `MAX_DRIFT` can have given all readings, or when even the best
            of them leaves weeks open.
    """

    def __init__(self, readings: Iterable[ClockReading]) -> None:
        by_time = sorted(readings, key=attrgetter("at_ns"))
        if not by_time:
            raise ValueError("A clock without a reading cannot be placed: at least one clock reading is needed.")
        # Offsets are kept from the best reading's and in units in which drift is whole, so that all is exact in int64.
        self._offset_ns = min(by_time, key=attrgetter("uncertainty_ns")).offset_ns
        at = [reading.at_ns for reading in by_time]
        offset = [reading.offset_ns - self._offset_ns for reading in by_time]
        uncertainty = [reading.uncertainty_ns for reading in by_time]
        highest = [(o + u) * NS_PER_DRIFT_NS for o, u in zip(offset, uncertainty, strict=True)]
        lowest = [(o - u) * NS_PER_DRIFT_NS for o, u in zip(offset, uncertainty, strict=True)]
        upper = _lower_envelope(at, highest)
        lower = [-bound for bound in _lower_envelope(at, [-bound for bound in lowest])]
        # Between two readings the upper bound is concave and the lower one convex, so they are closest at a reading.
        for at_ns, low, high in zip(at, lower, upper, strict=True):
            if low > high:
                raise ClockError(
                    f"The clock readings contradict each other: at {at_ns} ns the offset would have to be at least "
                    f"{(low - high) / NS_PER_DRIFT_NS:.0f} ns above its own upper bound. Right would be readings of "
                    f"a clock that was neither set nor suspended and drifts by at most {MAX_DRIFT * 1e6:.0f} ppm."
                )
        if max(map(abs, (*upper, *lower))) > WIDEST:
            raise ClockError(
                f"The clock readings bound nothing: the best of them is uncertain by {min(uncertainty)} ns. "
                "Right would be at least one that was measured within the run."
            )
        self._at: Times = np.array(at, np.int64)
        self._upper: Times = np.array(upper, np.int64)
        self._lower: Times = np.array(lower, np.int64)

    def earliest(self, times_ns: Times) -> Times:
        """On the run's clock: the earliest that each time of the segment's clock can have been, rounded down to ns."""
        before, after, since, until = self._neighbours(times_ns)
        lowest: Times = np.maximum(self._lower[before] - since, self._lower[after] - until)
        offset_ns: Times = self._offset_ns + lowest // NS_PER_DRIFT_NS
        return times_ns + offset_ns

    def latest(self, times_ns: Times) -> Times:
        """On the run's clock: the latest that each time of the segment's clock can have been, rounded up to ns."""
        before, after, since, until = self._neighbours(times_ns)
        highest: Times = np.minimum(self._upper[before] + since, self._upper[after] + until)
        offset_ns: Times = self._offset_ns - -highest // NS_PER_DRIFT_NS
        return times_ns + offset_ns

    def _neighbours(self, times_ns: Times) -> tuple[Times, Times, Times, Times]:
        """Index of the readings before and after each time, and how far away they are.

        Before the first and after the last reading both are the same one.
        """
        after = np.searchsorted(self._at, times_ns)
        before, after = np.maximum(after - 1, 0), np.minimum(after, len(self._at) - 1)
        return before, after, np.abs(times_ns - self._at[before]), np.abs(self._at[after] - times_ns)


def _lower_envelope(at: list[int], bounds: list[int]) -> list[int]:
    """At each time, the least of all bounds, each of which rises by 1 a nanosecond away from its own time."""
    rising = accumulate((bound - at_ns for at_ns, bound in zip(at, bounds, strict=True)), min)
    falling = accumulate((bound + at_ns for at_ns, bound in zip(reversed(at), reversed(bounds), strict=True)), min)
    return [
        min(low + at_ns, high - at_ns) for at_ns, low, high in zip(at, rising, reversed(list(falling)), strict=True)
    ]


def read_clock(asked_ns: int, at_ns: int, told_ns: int) -> ClockReading:
    """What a question for the time tells of the clock of whoever asked.

    Args:
        asked_ns, told_ns: by that clock, when the question left and when the answer was there; at_ns: by the run's
            clock, at some moment between the two, until or since which the offset may have drifted.
    """
    middle_ns = (asked_ns + told_ns) // 2
    half_ns = told_ns - middle_ns
    uncertainty_ns = half_ns + -(-half_ns // NS_PER_DRIFT_NS) + 1
    return ClockReading(at_ns=middle_ns, offset_ns=at_ns - middle_ns, uncertainty_ns=uncertainty_ns)


class UnknownClock:
    """The way from a clock that cannot be placed: each time can have been any, so that nobody is blamed for his."""

    _AGES_NS = 2**61  # 73 years to either side, so that a difference of two fits into 64 bits

    def earliest(self, times_ns: Times) -> Times:
        """Long ago."""
        return np.full(len(times_ns), -self._AGES_NS, dtype=np.int64)

    def latest(self, times_ns: Times) -> Times:
        """Far ahead."""
        return np.full(len(times_ns), self._AGES_NS, dtype=np.int64)
