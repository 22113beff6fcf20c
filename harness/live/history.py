"""The history of a run for charts: short, however long the run is. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from harness.live.snapshot import Moment, Snapshot
from harness.measures import BOUNDS_S

MOMENTS_AT_MOST = 600
_NONE = (0,) * (len(BOUNDS_S) + 1)


class History:
    """Moments at equal distances; where there are too many, every second one is left out from then on."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []
        self._every = 1
        self._skipped = 0
        self._latency: Sequence[int] = _NONE

    @property
    def moments(self) -> tuple[Moment, ...]:
        """In the order of time."""
        return tuple(self._moments)

    def add(self, seen: Snapshot) -> None:
        """What is seen now."""
        self._skipped += 1
        if self._skipped < self._every or seen.elapsed_s is None or seen.latency is None:
            return
        since = [now - before for now, before in zip(seen.latency.counts, self._latency, strict=True)]
        self._skipped, self._latency = 0, seen.latency.counts
        self._moments.append(
            Moment(
                elapsed_s=round(seen.elapsed_s, 3),
                prints_judged=seen.prints_judged,
                misissued=seen.misissued,
                errors=seen.errors,
                exposures=seen.exposures,
                sync_runs=seen.sync_runs,
                p95_s=percentile_s(since, 0.95),
            )
        )
        if len(self._moments) == MOMENTS_AT_MOST:
            self._moments = self._moments[1::2]  # the last one stays, so that the steps stay equal
            self._every *= 2


def percentile_s(counts: Sequence[int], share: float) -> float | None:
    """Up to which latency that share of the prints went, as if they lay evenly in their bucket; None without any.

    Above the last of `BOUNDS_S` it is that bound, which is the least that it can be.
    """
    wanted = share * sum(counts)
    if not wanted:
        return None
    below = 0
    for (low_s, high_s), number in zip(pairwise((0.0, *BOUNDS_S)), counts, strict=False):
        if below + number >= wanted:
            return low_s + (high_s - low_s) * (wanted - below) / number
        below += number
    return BOUNDS_S[-1]
