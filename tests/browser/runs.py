"""Runs that are made up: every state that a page can be in."""

from msgspec.structs import replace

from harness.coverage import POINT_CELLS
from harness.live.snapshot import CellSeen, Moment
from tests.load.snapshots import IN_FLIGHT, INCIDENT, decided, failing, running

_SERIES = tuple(
    Moment(
        elapsed_s=float(second),
        prints_judged=85 * second,
        misissued=max(0, (second - 9) // 4),
        errors=second // 3,
        exposures=None if second < 4 else 3 * second - 9,
        sync_runs=max(0, 10 * second - 20),
        p95_s=None if second in {7, 8} else 0.12 + second % 7 / 50,
    )
    for second in range(1, 40)
)
_CELLS = tuple(
    CellSeen(phase=cell.phase, states=cell.states, sync_runs=number % 300 + 1)
    for number, cell in enumerate(POINT_CELLS)
    if number % 3
)
_MANY = tuple(replace(INCIDENT, nonce=f"A{number}.1", recipient=f"P{number:05d}") for number in range(130))
_TOGETHER = tuple(replace(incident, sync_run="", cause="in_flight_together") for incident in _MANY)
_FAULT = "the process of load-2 was lost: it did not hand over its evidence"
RUNS = {
    "none": None,
    "running": running(series=_SERIES, cells=_CELLS),
    "failing": failing(
        series=_SERIES, cells=_CELLS, incidents=_MANY, misissued=640, papers=640, persons=512, faults=(_FAULT,)
    ),
    "unknown": running(
        exposures=None, cells=None, bound_upper=None, cells_known=9, planned_rate_per_s=200.0, processes=(), series=()
    ),
    "in-flight": replace(
        failing(series=_SERIES, incidents=_TOGETHER, misissued=640, papers=640, persons=512),
        **{name: getattr(IN_FLIGHT, name) for name in ("synchronises", "sync_runs", "cells", "cells_known")},
    ),
    "passed": decided(series=_SERIES, cells=_CELLS),
    "inconclusive": decided("INCONCLUSIVE", "in_flight", faults=(_FAULT,)),
}
