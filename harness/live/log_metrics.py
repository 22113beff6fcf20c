"""Counts what the lines of a log tell, where no oracle judges anything: for a service in production."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock

import msgspec
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from harness.evidence.ledger import LedgerError
from harness.evidence.segment import Footer, Header
from harness.live.families import Family, Samples, buckets, metrics_of, number
from harness.live.follow import Follower
from harness.live.metrics import FAMILIES
from harness.measures import BOUNDS_S
from harness.records import Batch, ErrorNotice, Evidence, Print, PrintEvent, Record, SyncRun, self_test_id

_VALUES_AT_MOST = 100
"""Of one label. Codes and points are few; a log in which they are not must not swamp whoever scrapes."""
_OTHER = "other"
_UNREADABLE = "unreadable"
_SYNCHRONISED = "sync.acknowledged"
_TRIED_BYTES = 64 * 1024
_BOUNDS_NS = tuple(round(bound_s * 1e9) for bound_s in BOUNDS_S)


class _PointLine(Record, frozen=True, kw_only=True):
    """A line of a service's own event log: of a print, or with a point that begins with `sync.` of a sync run."""

    subject: str
    point: str
    at_ns: int


_Line = Header | Footer | Evidence
_record_decoder: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)
_point_decoder = msgspec.json.Decoder(_PointLine)


def read_line(line: bytes) -> _Line | _PointLine | None:
    """A line of the ledger or of an event log; None when it is neither."""
    try:
        return _record_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return _point_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class LogCounts:
    """What the lines so far have told.

    Attributes:
        lines: by kind of record; events: by named point; notices: by code.
        issued: attempts that were sent, as their process counted them.
        latency: prints for each of `BOUNDS_S`, and one more for what lies above; latency_ns: the sum.
        restarts: how often the file was rotated or truncated.
    """

    def __init__(self) -> None:
        self.lines: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.notices: Counter[str] = Counter()
        self.sync_runs = 0
        self.issued = 0
        self.may_have_printed = 0
        self.latency = [0] * (len(BOUNDS_S) + 1)
        self.latency_ns = 0
        self.restarts = 0
        self._issued_of_segment = 0
        self._self_test = ""

    def add(self, line: bytes) -> None:
        """Count one more."""
        record = read_line(line)
        match record:
            case None:
                kind = _UNREADABLE
            case _PointLine():
                kind = "event"
                self._reach(record.point)
            case _:
                kind = str(type(record).__struct_config__.tag)
                self._count(record)
        self.lines[kind] += 1

    def _count(self, record: _Line) -> None:
        match record:
            case PrintEvent():
                self._reach(record.point)
            case ErrorNotice():
                _count(self.notices, record.code)
            case SyncRun():
                self.sync_runs += record.acknowledged_ns is not None and not record.is_unplaced
            case Print() if record.application != self._self_test:
                self._add_print(record)
            case Batch():
                self.issued += record.issued - self._issued_of_segment
                self._issued_of_segment = record.issued
            case Header():
                self._issued_of_segment, self._self_test = 0, self_test_id(record.segment)

    def _reach(self, point: str) -> None:
        _count(self.events, point)
        self.sync_runs += point == _SYNCHRONISED

    def _add_print(self, print_: Print) -> None:
        self.may_have_printed += print_.answer == "unanswered"
        if print_.answer in {"document", "unanswered"}:
            began_ns = print_.sent_ns if print_.intended_ns is None else print_.intended_ns
            self.latency[bisect_left(_BOUNDS_NS, print_.answered_ns - began_ns)] += 1
            self.latency_ns += print_.answered_ns - began_ns

    @property
    def tells_of_prints(self) -> bool:
        """Whether there were prints as their clients saw them."""
        return self.lines["print"] > 0

    @property
    def tells_of_sync_runs(self) -> bool:
        """Whether there were sync runs, whole or in part."""
        return self.lines["sync_run"] > 0 or any(point.startswith("sync.") for point in self.events)


def _count(counts: Counter[str], value: str) -> None:
    counts[value if value in counts or len(counts) < _VALUES_AT_MOST else _OTHER] += 1


def _by(counts: Counter[str]) -> Samples:
    return [((value,), number) for value, number in counts.items()]


_MEANINGS = {family.name: family.meaning for family in FAMILIES}


def _of_run(name: str, read: Callable[[LogCounts], float | None]) -> Family[LogCounts]:
    """A family of the run's metrics, of which a log can tell, too."""
    return number(name, _MEANINGS[name], read)


LOG_FAMILIES: tuple[Family[LogCounts], ...] = (
    Family("misissue_log_lines_total", "Lines by kind of record.", lambda log: _by(log.lines), ("record",)),
    Family("misissue_log_events_total", "Events by named point.", lambda log: _by(log.events), ("point",)),
    Family("misissue_log_error_notices_total", "Error notices by code.", lambda log: _by(log.notices), ("code",)),
    number("misissue_log_restarts_total", "How often the file was rotated or truncated.", lambda log: log.restarts),
    _of_run("misissue_error_notices_total", lambda log: log.notices.total() or None),
    _of_run("misissue_sync_runs_total", lambda log: log.sync_runs if log.tells_of_sync_runs else None),
    _of_run("misissue_attempts_issued_total", lambda log: log.issued if log.tells_of_prints else None),
    _of_run("misissue_may_have_printed_total", lambda log: log.may_have_printed if log.tells_of_prints else None),
    Family(
        "misissue_print_latency_seconds",
        _MEANINGS["misissue_print_latency_seconds"],
        lambda log: buckets(BOUNDS_S, log.latency) if log.tells_of_prints else [],
        ("le",),
        lambda log: log.latency_ns / 1e9,
    ),
)


class Log(Collector):
    """A log file that is followed as it grows.

    Raises:
        LedgerError: when it cannot be read, or none of its first lines is one of the ledger or of an event log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._follower = Follower(path)
        self._counts = LogCounts()
        self._counting = Lock()
        try:
            with path.open("rb") as file:
                first = file.read(_TRIED_BYTES).split(b"\n")[:-1]
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}"
            raise LedgerError(message) from error
        if first and not any(map(read_line, first)):
            message = f"{path} holds no line of a ledger or of an event log; name a run directory or such a file"
            raise LedgerError(message)

    def update(self) -> float:
        """Count what has come to it; returns for how long it should at least be left alone, seconds."""
        for line in self._follower.lines():
            with self._counting:
                self._counts.add(line)
        self._counts.restarts = self._follower.restarts
        return 0.0

    def close(self) -> None:
        """Let go of the file."""
        self._follower.close()

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry that asks would otherwise collect, to learn the names."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """See `LOG_FAMILIES`."""
        with self._counting:
            return list(metrics_of(LOG_FAMILIES, self._counts, run=self._path.name, target=""))
