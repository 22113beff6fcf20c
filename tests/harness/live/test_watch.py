"""A run directory that grows is judged as far as it goes, and a run that goes on is not taken for a broken one."""

import time
from pathlib import Path

import msgspec
import pytest

from harness.criteria import Criteria
from harness.evidence.ledger import RUN_FILE, LedgerError, create_run_directory, read_run, segment_path, write_json
from harness.evidence.segment import SegmentWriter
from harness.gate import decide
from harness.live import watch
from harness.live.snapshot import LatencyHistogram, Snapshot, snapshot_of
from harness.live.watch import WatchedRun, look_at, open_watched
from harness.outcome import Outcome
from harness.records import Evidence, Fault
from tests.harness.builders import (
    CLOCK,
    INNOCENT,
    LOAD,
    RUN,
    TARGET,
    change,
    delivery,
    describe,
    ended,
    entry,
    paper,
    sync_run,
    write_run,
)


class Running:
    """A run that goes on, as its processes write it."""

    def __init__(self, directory: Path, *segments: str) -> None:
        create_run_directory(directory)
        self.directory = directory
        self.writers: dict[str, SegmentWriter] = {}
        criteria = Criteria()
        listed = (TARGET, *segments)
        write_json(directory / RUN_FILE, describe(ended=None, segments=listed, criteria=criteria, planned_prints=100))

    def write(self, segment: str, *records: Evidence) -> None:
        """A process hands over what it has."""
        if segment not in self.writers:
            self.writers[segment] = SegmentWriter(self.directory, segment, run=RUN, clock=CLOCK)
        for record in records:
            self.writers[segment].write(record)
        self.writers[segment].issued += sum(record.__struct_config__.tag == "print" for record in records)
        self.writers[segment].flush()

    def seen(self) -> Snapshot:
        """What is known of it."""
        return look_at(self.directory)


def test_a_run_that_is_over(tmp_path: Path) -> None:
    """What is shown of a finished run is its verdict, and the latencies that are on record."""
    slow = ended("unanswered", "A3", "A", at=(0, 300_000_000))
    write_run(tmp_path, [*INNOCENT, slow], elapsed_s=4.5)
    expected = snapshot_of(decide(tmp_path), read_run(tmp_path), tmp_path)
    seen = look_at(tmp_path)
    assert isinstance(seen.latency, LatencyHistogram)
    assert dict(zip(seen.latency.bounds_s, seen.latency.counts, strict=False))[0.5] == 1
    assert (seen.latency.counts[0], sum(seen.latency.counts)) == (2, 3)
    assert seen.latency.sum_s == pytest.approx(0.3000002)
    assert msgspec.structs.replace(seen, latency=expected.latency) == expected
    assert (seen.state, seen.verdict, seen.may_have_printed) == ("decided", "INCONCLUSIVE", 1)


def test_a_run_that_goes_on(tmp_path: Path) -> None:
    """While nothing is wrong there is no verdict and no gap, although no segment is closed and one not even begun."""
    run = Running(tmp_path, LOAD)
    assert (run.seen().issued, run.seen().faults, run.seen().elapsed_s) == (0, (), None)
    run.write(LOAD, *INNOCENT)
    with segment_path(tmp_path, LOAD).open("ab") as file:
        file.write(b'{"type":"print","appl')
    seen = run.seen()
    assert (seen.state, seen.verdict, seen.exit_code, seen.reasons) == ("running", None, None, ())
    assert (seen.prints_judged, seen.issued, seen.in_flight, seen.misissued) == (2, 2, 0, 0)
    assert (seen.faults, seen.users, seen.rate_share, seen.elapsed_s) == ((), None, None, 2e-7)
    run.write(TARGET, sync_run())
    assert (run.seen().sync_runs, run.seen().exposures) == (1, 1)


def test_a_misissuance_is_fail_at_once(tmp_path: Path) -> None:
    """It does not heal; what brought nothing so far may still be handed out, and is no misissuance yet."""
    run = Running(tmp_path, LOAD)
    run.write(LOAD, *INNOCENT, ended("nothing", "A3", "A"))
    seen = run.seen()
    assert (seen.verdict, seen.misissued, seen.incidents) == (None, 0, ())
    run.write(LOAD, delivery("A4", "A", paper("X")))
    seen = run.seen()
    assert (seen.state, seen.verdict, seen.misissued, seen.persons) == ("running", "FAIL", 1, 1)
    assert [incident.outcome for incident in seen.incidents] == [Outcome.WRONG_PERSON]


def test_a_gap_is_a_gap(tmp_path: Path) -> None:
    """What a process puts on record as wrong, and what is missing in the middle, is no matter of being over."""
    run = Running(tmp_path, LOAD)
    run.write(LOAD, *INNOCENT, Fault(text="the disk was full"))
    assert run.seen().faults == ("load-1: the disk was full",)
    path = segment_path(tmp_path, LOAD)
    path.write_bytes(b"".join(line for line in path.read_bytes().splitlines(True) if b'"A2"' not in line))
    run.write(LOAD, delivery("A5", "A", paper("A")))
    assert "segment load-1: 1 record(s) missing before batch 1" in run.seen().faults


def test_what_is_being_written_is_no_gap(tmp_path: Path) -> None:
    """Also where a segment ends before the line that counts its prints, or before its clock was read."""
    run = Running(tmp_path, LOAD, "load-2")
    run.writers["load-2"] = SegmentWriter(tmp_path, "load-2", run=RUN, clock="that of another host")
    run.write(LOAD, *INNOCENT)
    path = segment_path(tmp_path, LOAD)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        if cut > whole.index(b"\n"):  # a header is written at once
            assert run.seen().faults == ()


def test_what_another_process_has_not_told_yet(tmp_path: Path) -> None:
    """Whoever lives in a household since a change that is not on record yet makes no misissuance of its paper."""
    run = Running(tmp_path, "load-1", "load-2")
    document = msgspec.structs.replace(entry("A", version=2), persons=("A", "N"))
    run.write("load-1", *INNOCENT)
    assert run.seen().prints_judged == 0  # the other process has not spoken
    run.write("load-2", document, delivery("B1", "A", paper("A", version=2), at=(300, 400)))
    assert (run.seen().prints_judged, run.seen().misissued, run.seen().issued) == (2, 0, 3)
    run.write("load-1", change(2, sent_ns=250, persons=("A", "B", "N")), delivery("A6", "A", paper("A"), at=(410, 420)))
    seen = run.seen()
    assert (seen.prints_judged, seen.misissued) == (3, 0)
    run.write("load-2", delivery("B2", "A", paper("A"), at=(430, 440)))
    assert run.seen().prints_judged == 4


def test_it_is_judged_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is left alone ten times as long as it was worked on, and altogether while nothing comes to it."""
    looks: list[Path] = []

    def look(directory: Path) -> Snapshot:
        looks.append(directory)
        return look_at(directory)

    monkeypatch.setattr(watch, "look_at", look)
    seconds = iter((1.0, 3.5, 10.0, 10.5))
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))
    run = Running(tmp_path, LOAD)
    watched = WatchedRun(tmp_path)
    assert list(watched.collect()) == []
    assert (watched.update(), watched.update(), len(looks)) == (25.0, 0.0, 1)
    run.write(LOAD, *INNOCENT)
    assert (watched.update(), watched.update(), len(looks)) == (5.0, 0.0, 2)
    (judged,) = [metric for metric in watched.collect() if metric.name == "misissue_prints_judged"]
    assert [sample.value for sample in judged.samples] == [2]


def test_what_is_neither_a_run_nor_a_log(tmp_path: Path) -> None:
    """One sentence says what would be right."""
    for path, sentence in (
        (tmp_path, "is no run directory .*name one that `misissue verify` made"),
        (tmp_path / "nowhere", "is neither a directory nor a file; name a run directory"),
        (Path("/dev/null"), "is neither a directory nor a file"),
    ):
        with pytest.raises(LedgerError, match=sentence), open_watched(path):
            pass
