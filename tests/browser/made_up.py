"""Serves Locust's web UI with ours in it, and with runs that are made up: every state a page can be in, at once.

Called with a port of the loopback; `set/NAME` puts one of the runs there.
"""

import sys
from importlib import import_module

from gevent import monkey

monkey.patch_all()

from gevent.pywsgi import WSGIServer  # noqa: E402 - gevent has to patch first
from msgspec.structs import replace  # noqa: E402

from harness.coverage import POINT_CELLS  # noqa: E402
from harness.live.snapshot import CellSeen, Moment  # noqa: E402
from tests.load.snapshots import INCIDENT, decided, failing, running  # noqa: E402
from tests.load.web_site import Site  # noqa: E402

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
    "passed": decided(series=_SERIES, cells=_CELLS),
    "inconclusive": decided("INCONCLUSIVE", "in_flight", faults=(_FAULT,)),
}


def main() -> None:
    """Until it is killed."""
    port = int(sys.argv.pop())
    site = Site(lambda name: import_module(f"locust.{name}"))

    def put(name: str) -> str:
        site.owner.seen = RUNS[name]
        return name

    site.app.add_url_rule("/set/<name>", view_func=put)
    server = WSGIServer(("127.0.0.1", port), site.app, log=None)
    server.start()
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
