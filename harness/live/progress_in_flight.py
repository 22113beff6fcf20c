"""How many pairs of prints were in flight at one instant so far, of a service that synchronises nothing. Pure.

See `harness.live.progress`; here a pair counts when everything that was sent until both had ended is known, so the
number is that of the verdict over the beginning of the run.
"""

import numpy as np

from harness.evidence.prints import Interval
from harness.live.flights import Flights, Horizon
from harness.overlap import Pairs

_PRINTS_AT_MOST = 1_000_000


class InFlightProgress:
    """By what one process that sends everything has in flight.

    Attributes:
        exposures: so far; None when that cannot be told any more.
    """

    def __init__(self) -> None:
        self.exposures: int | None = 0
        self._horizon = Horizon()
        self._pairs = Pairs()
        self._later: list[Interval] = []  # prints that ended before others that were sent earlier
        self._number = 0  # of these

    def add(self, flights: Flights) -> None:
        """What has become known."""
        if self.exposures is None:
            return
        ended, known_until_ns = self._horizon.add(flights)
        self._later.append(ended)
        self._number += len(ended.sent_ns)
        if self._horizon.is_lost or self._number > _PRINTS_AT_MOST:
            self.exposures = None
            self._later.clear()
        elif known_until_ns is not None:
            self.exposures += self._count(known_until_ns)

    def _count(self, known_until_ns: int) -> int:
        """The pairs that have left by now."""
        sent_ns, answered_ns = map(np.concatenate, zip(*self._later, strict=True))
        is_later = sent_ns > known_until_ns
        self._later = [Interval(sent_ns[is_later], answered_ns[is_later])]
        self._number = int(is_later.sum())
        found = sum(1 for _ in self._pairs.add(Interval(sent_ns[~is_later], answered_ns[~is_later])))
        return found + sum(1 for _ in self._pairs.leave(known_until_ns + 1))
