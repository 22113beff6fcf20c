"""Reads the whole evidence of a run directory back, together with everything that is missing from it."""

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

from harness.clock import ClockError, ClockMap, UnknownClock
from harness.evidence.events import Events
from harness.evidence.ledger import LOAD_PREFIX, RunDescription, read_run, segment_path, segments_in
from harness.evidence.lines import Other
from harness.evidence.prints import Prints
from harness.evidence.segment import SegmentReader
from harness.records import (
    Batch,
    Change,
    ClockReading,
    Document,
    ErrorNotice,
    Fault,
    Group,
    Print,
    SelfTest,
    SyncRun,
    self_test_id,
)
from harness.register import Register, RegisterError

_COMPARED_BYTES = 1024 * 1024


class SegmentCount(msgspec.Struct, kw_only=True):
    """How many attempts a load segment says were sent, and how many it has an end of."""

    issued: int
    prints: int


class RunEvidence(msgspec.Struct, kw_only=True):
    """What is on record of one run.

    Args:
        segments: in the order in which `prints` numbers them.
        self_tests: what became of the planted prints, by segment; they are not among `prints`.
        counts: by load segment.
        changes: how many the registry acknowledged.
        faults: one sentence for each thing that makes the evidence incomplete.
    """

    run: RunDescription
    register: Register
    segments: list[str]
    prints: Prints
    sync_runs: list[SyncRun]
    events: Events
    notices: list[ErrorNotice]
    self_tests: dict[str, Print | None]
    counts: dict[str, SegmentCount]
    changes: int
    faults: list[str]

    @property
    def in_flight(self) -> int:
        """Attempts that were sent and have no end on record."""
        return sum(max(0, count.issued - count.prints) for count in self.counts.values())


def read_evidence(*directories: Path, freshness_limit_s: float | None = None) -> RunEvidence:
    """Read run.json of the first directory, and every segment that it lists from whichever of them holds it.

    Args:
        directories: of the run; and, where segments were not collected, of the load processes that wrote them.
        freshness_limit_s: another than the one in run.json.

    Raises:
        LedgerError: when the first is no run directory.
    """
    run = read_run(directories[0])
    limit_s = run.criteria.freshness_limit_s if freshness_limit_s is None else freshness_limit_s
    reading = _Reading(run, Register(round(limit_s * 1e9)))
    places: dict[str, list[Path]] = {}
    for directory in dict.fromkeys(map(Path.resolve, directories)):
        for path in segments_in(directory):
            places.setdefault(path.stem, []).append(path)
    for segment, times in Counter(run.segments).items():
        found = places.pop(segment, [segment_path(directories[0], segment)])
        path, differ = found[0], False
        for other in found[1:]:
            if _is_beginning(path, other):  # what a master had collected when it lost the worker
                path = other
            elif not _is_beginning(other, path):
                differ = True
        reading.read(segment, path)
        if times > 1:
            reading.faults.append(f"segment {segment} is listed {times} times in run.json: right is once")
        if differ:
            reading.faults.append(
                f"segment {segment} lies in more than one directory, and differs: which one holds is not known"
            )
    strays = sorted({*places, *run.reports}.difference(run.segments))
    reading.faults += [f"segment {stray} is not listed in run.json" for stray in strays]
    return reading.finish()


def _is_beginning(path: Path, whole: Path) -> bool:
    """Whether the one file holds what the other begins with, or all of it."""
    try:
        with path.open("rb") as one, whole.open("rb") as other:
            while data := one.read(_COMPARED_BYTES):
                if other.read(len(data)) != data:
                    return False
    except OSError:
        return False
    return True


class _Reading:
    """What has been read so far."""

    def __init__(self, run: RunDescription, register: Register) -> None:
        self.faults = list(run.faults)
        self._run = run
        self._register = register
        self._prints = Prints()
        self._sync_runs: list[SyncRun] = []
        self._events = Events()
        self._notices: list[ErrorNotice] = []
        self._counts: dict[str, SegmentCount] = {}
        self._acknowledged: set[tuple[str, int]] = set()

    def read(self, segment: str, path: Path) -> None:
        reader = SegmentReader(path, self._run.run, self._prints.known_sorts, self._run.checksum)
        self._prints.begin_segment(path)
        self._segment, self._batches, self._missing = segment, Batch(batch=0, issued=0, records=0), 0
        self._changes: list[Change] = []
        self._readings: list[ClockReading] = []
        self._told: list[SyncRun] = []
        prints = before = unplaced = 0
        for chunk in reader.chunks():
            if len(chunk.prints.sort):
                self._prints.add(chunk.prints)
            if len(chunk.events.at_ns):
                if reader.clock == self._run.clock:
                    self._events.add(chunk.events)
                else:
                    unplaced += len(chunk.events.at_ns)
            # Those that are no prints, too, for they were sent.
            prints += len(chunk.prints.sort) + chunk.no_prints
            add = self._register.add
            for place, record in chunk.others:
                if type(record) is not Document:
                    self._take(record, before + place)
                    continue
                try:  # the most of them
                    add(record)
                except RegisterError as error:
                    self.faults.append(str(error))
            before += chunk.records
        self.faults += reader.faults
        if reader.clock == self._run.clock:
            for run in self._told:
                self._register.add_sync_run(run)
                if not run.is_unplaced:
                    self._sync_runs.append(run)
        elif unplaced := unplaced + len(self._told):
            self.faults.append(
                f"segment {segment}: {unplaced} sync run(s) and points are not of the clock {self._run.clock}, "
                "so none of them counts"
            )
        self._finish_segment(reader, prints)

    def _check_batch(self, batch: Batch, records: int) -> None:
        if batch.batch != self._batches.batch + 1:
            self.faults.append(f"segment {self._segment}: batch {batch.batch} follows {self._batches.batch}")
        if batch.records != records + self._missing:
            missing = batch.records - records - self._missing
            self.faults.append(f"segment {self._segment}: {missing} record(s) missing before batch {batch.batch}")
            self._missing += missing
        self._batches = batch

    def _take(self, record: Other, records: int) -> None:
        """One that is neither a print, an event nor a document, with the number of records before it in the segment."""
        match record:
            case Batch():
                self._check_batch(record, records)
            case SyncRun():
                self._told.append(record)
            case Change():
                self._changes.append(record)
            case Group():
                self._register.add_group(record)
            case ErrorNotice():
                self._notices.append(record)
            case SelfTest():
                own = self_test_id(self._segment)
                if record.application != own:
                    self.faults.append(f"segment {self._segment} calls {record.application} its self-test, not {own}")
            case ClockReading():
                self._readings.append(record)
            case Fault():
                self.faults.append(f"{self._segment}: {record.text}")

    def _finish_segment(self, reader: SegmentReader, prints: int) -> None:
        segment, last = self._segment, self._batches
        if last.issued or prints or segment.startswith(LOAD_PREFIX):
            self._counts[segment] = SegmentCount(issued=last.issued, prints=prints)
        report = self._run.reports.get(segment)
        if report is not None and (report.batch > last.batch or report.issued > last.issued):
            self.faults.append(
                f"segment {segment} ends with batch {last.batch} and {last.issued} attempts sent, "
                f"but its process told of batch {report.batch} and {report.issued}"
            )
        clock = self._clock_of(reader)
        if clock is not None:
            self._prints.set_clock(clock)
        for change in self._changes:
            if clock is not None:
                change = _on_run_clock(change, clock)
            self._register.add_change(change)
            if change.answered_ns is not None:
                self._acknowledged.add((change.group, change.version))

    def _clock_of(self, reader: SegmentReader) -> ClockMap | UnknownClock | None:
        """The way from the segment's clock to the run's; None when they are one."""
        if reader.clock == self._run.clock:
            return None
        if not reader.clock:  # its header is gone, which is told; nobody may be blamed for times of nobody knows where
            return UnknownClock()
        try:
            return ClockMap(self._readings)
        except (ClockError, ValueError) as error:
            self.faults.append(
                f"segment {self._segment} has the clock {reader.clock} instead of {self._run.clock}, and no time "
                f"compares: {error}"
            )
            return UnknownClock()

    def finish(self) -> RunEvidence:
        self._prints.seal()
        self._events.seal()
        self_tests = self._take_self_tests()
        for segment, count in self._counts.items():
            if count.prints > count.issued:
                self.faults.append(f"segment {segment} has {count.prints} prints, but {count.issued} were sent")
        if self._run.ended is None:
            self.faults.append("the run did not end: its process was killed, or it is still going on")
        elif self._run.ended == "interrupted":
            planned_s = self._run.planned_s
            before = f" before its plan of {planned_s:g} s was through" if planned_s else ""
            self.faults.append(f"the run was interrupted{before}")
        elif self._run.ended == "stopped":
            self.faults.append("the run was stopped at its first misissuance, as was asked for")
        return RunEvidence(
            run=self._run,
            register=self._register,
            segments=list(dict.fromkeys(self._run.segments)),
            prints=self._prints,
            sync_runs=self._sync_runs,
            events=self._events,
            notices=self._notices,
            self_tests=self_tests,
            counts=self._counts,
            changes=len(self._acknowledged),
            faults=self.faults,
        )

    def _take_self_tests(self) -> dict[str, Print | None]:
        """Takes the planted prints out from among the others."""
        found: dict[str, Print | None] = dict.fromkeys(self._counts)
        # By name alone: a planted print whose announcement was lost is no misissuance, and no other can be called one.
        self_tests = {self_test_id(segment): segment for segment in self._counts}
        rows = self._prints.fetch(self._prints.of_applications(self_tests).tolist())
        ours = {row: print_ for row, print_ in rows.items() if print_.application in self_tests}
        for print_ in ours.values():
            segment = self_tests[print_.application]
            found[segment] = print_
            self._counts[segment].prints -= 1
        self._prints.drop(ours)
        return found


def _on_run_clock(change: Change, clock: ClockMap | UnknownClock) -> Change:
    """Sent as early and acknowledged as late as can be, so that nobody is blamed for the difference."""
    sent_ns = int(clock.earliest(np.array([change.sent_ns]))[0])
    if change.answered_ns is None:
        return msgspec.structs.replace(change, sent_ns=sent_ns)
    answered_ns = int(clock.latest(np.array([change.answered_ns]))[0])
    return msgspec.structs.replace(change, sent_ns=sent_ns, answered_ns=answered_ns)
