"""When sync runs reached their points, in columns. Pure."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from harness.records import SyncRun

Times = NDArray[np.int64]

UNSEEN_NS = int(np.iinfo(np.int64).min)
"""In place of the time of a point that was never seen."""


class RunTimes(NamedTuple):
    """One row a sync run, in the order in which they were given."""

    begin_ns: Times
    applied_ns: Times
    released_ns: Times
    acknowledged_ns: Times
    work_end_ns: Times

    @classmethod
    def of(cls, runs: Sequence[SyncRun]) -> Self:
        """Of these runs; `work_end_ns` is that of `SyncRun`."""
        begin_ns = np.array([run.begin_ns for run in runs], dtype=np.int64)
        applied_ns = _column([run.applied_ns for run in runs])
        released_ns = _column([run.released_ns for run in runs])
        acknowledged_ns = _column([run.acknowledged_ns for run in runs])
        end_ns = _column([run.end_ns for run in runs])
        work_end_ns = np.maximum.reduce((begin_ns, applied_ns, released_ns, end_ns))
        return cls(begin_ns, applied_ns, released_ns, acknowledged_ns, work_end_ns)


def _column(times_ns: Sequence[int | None]) -> Times:
    try:
        return np.array(times_ns, dtype=np.int64)
    except TypeError:  # some were never seen
        return np.array([UNSEEN_NS if at_ns is None else at_ns for at_ns in times_ns], dtype=np.int64)
