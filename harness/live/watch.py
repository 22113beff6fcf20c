"""Exports metrics from what lies on the disk, by a process of its own: of a run from its ledger, or of a log."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from socket import AF_INET6
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import numpy as np
from msgspec.structs import replace
from prometheus_client.exposition import ThreadingWSGIServer

from harness.evidence.ledger import LOAD_PREFIX, RUN_FILE, LedgerError, read_run, segments_in
from harness.evidence.prints import Prints
from harness.evidence.reader import RunEvidence, read_evidence
from harness.gate import Decision, evaluate
from harness.live.exporter import METRICS_PATH, Exporter, cannot_listen
from harness.live.log_metrics import Log
from harness.live.metrics import RunCollector
from harness.live.snapshot import LatencyHistogram, Snapshot, snapshot_of
from harness.measures import BOUNDS_S
from harness.outcome import Outcome

_REST = 10
"""So many times as long as it was worked on, a run is left alone: whoever looks on must not slow it down."""
_GOING_ON = re.compile(
    r"the run did not end|segment \S+ (was never closed|cannot be read: No such file|is cut off"
    r"|has \d+ prints, but \d+ were sent|has the clock .* and no time compares)"
)
"""Gaps in the evidence that every run may have until it is over: what is being written, or collected from another host,
may end before the line that says how many prints were sent, or the one that reads the clock.
"""


class WatchedRun(RunCollector):
    """A run directory, judged again and again while it grows.

    Raises:
        LedgerError: when it is none.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(lambda: self._seen)
        read_run(directory)
        self._directory = directory
        self._seen: Snapshot | None = None
        self._judged: object = None

    def update(self) -> float:
        """Look again; returns for how long it should at least be left alone now, seconds.

        Raises:
            LedgerError: when the directory is gone.
        """
        files = [self._directory / RUN_FILE, *segments_in(self._directory)]
        state = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files if path.exists()]
        if state == self._judged:
            return 0.0
        began_s = time.perf_counter()
        self._seen, self._judged = look_at(self._directory), state
        return _REST * (time.perf_counter() - began_s)


Watched = WatchedRun | Log


def look_at(directory: Path) -> Snapshot:
    """What is known by now of a run that goes on, or that is over.

    Raises:
        LedgerError: when the directory is none of a run.
    """
    evidence = read_evidence(directory)
    run = evidence.run
    if run.ended is not None:
        return _snapshot(evaluate(evidence, run.criteria), directory)
    _leave_out_what_came_too_soon(evidence)
    decision = evaluate(evidence, run.criteria)
    # What was lost so far may still be handed out, when it is applied for once more.
    incidents = tuple(one for one in decision.verdict.incidents if one.outcome is not Outcome.LOST)
    seen = _snapshot(decision._replace(verdict=replace(decision.verdict, incidents=incidents)), directory)
    answered_ns = evidence.prints.certain.answered_ns
    return replace(
        seen,
        state="running",
        verdict="FAIL" if incidents else None,
        exit_code=None,
        reasons=(),
        elapsed_s=max(0, int(answered_ns.max()) - run.started_ns) / 1e9 if len(answered_ns) else None,
        users=None,
        rate_share=None,
        faults=tuple(fault for fault in seen.faults if not _GOING_ON.match(fault)),
    )


def _leave_out_what_came_too_soon(evidence: RunEvidence) -> None:
    """Of several processes each writes when it has time: a change may be on record later than a print that shows it.

    So only what was answered until the last word of every load process is judged; before each has spoken, nothing.
    """
    prints = evidence.prints
    load = [number for number, segment in enumerate(evidence.segments) if segment.startswith(LOAD_PREFIX)]
    if len(load) < 2:
        return
    answered_ns = prints.possible.answered_ns
    last_ns = [answered_ns[prints.segment == number].max(initial=-1) for number in load]
    prints.drop(np.flatnonzero(answered_ns > min(last_ns)).tolist())


def _snapshot(decision: Decision, directory: Path) -> Snapshot:
    seen = snapshot_of(decision.verdict, decision.evidence.run, directory)
    return replace(seen, latency=_histogram(decision.evidence.prints))


def _histogram(prints: Prints) -> LatencyHistogram:
    taken_s = prints.latency_ns[prints.answered_with("document", "unanswered")] / 1e9
    counts = np.bincount(np.searchsorted(BOUNDS_S, taken_s), minlength=len(BOUNDS_S) + 1)
    return LatencyHistogram(bounds_s=BOUNDS_S, counts=tuple(counts.tolist()), sum_s=float(taken_s.sum()))


@contextmanager
def open_watched(path: Path) -> Iterator[Watched]:
    """What lies there.

    Raises:
        LedgerError: when it is neither a run directory nor a log.
    """
    if path.is_dir():
        yield WatchedRun(path)
    elif path.is_file():
        with closing(Log(path)) as log:
            yield log
    else:
        message = f"{path} is neither a directory nor a file; name a run directory, a segment of one or a log"
        raise LedgerError(message)


def export(watched: Watched, *, host: str, port: int, every_s: float, say: Callable[[str], object]) -> None:
    """Look again and again, and answer scrapes, until this thread is interrupted.

    Args:
        every_s: pause between two looks.
        say: is told where to scrape.

    Raises:
        ExporterError: when the port cannot be had.
        LedgerError: when a run directory is gone.
    """
    server = _listen(Exporter(watched, _nobody), host, port)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        bracketed = f"[{host}]" if ":" in host else host
        say(f"metrics at http://{bracketed}:{server.server_port}{METRICS_PATH}; Ctrl-C stops it")
        while True:
            time.sleep(max(every_s, watched.update()))
    finally:
        server.shutdown()
        server.server_close()


def _nobody() -> tuple[str, Mapping[str, str]]:
    """Whoever reads what lies on the disk knows of no server."""
    return "", {}


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Scrapes are no news."""


class _ServerOfVersion6(ThreadingWSGIServer):
    address_family = AF_INET6


def _listen(exporter: Exporter, host: str, port: int) -> ThreadingWSGIServer:
    server = _ServerOfVersion6 if ":" in host else ThreadingWSGIServer
    try:
        return make_server(host, port, exporter, server, _Quiet)
    except (OSError, OverflowError) as error:
        raise cannot_listen(host, port, error) from error
