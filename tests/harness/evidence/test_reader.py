"""The whole evidence comes back, and so does everything that is missing from it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.evidence.completeness import faults_of
from harness.evidence.ledger import RUN_FILE, LedgerError, Report, segment_path, write_json
from harness.evidence.reader import RunEvidence, read_evidence
from harness.evidence.texts import Buffer
from harness.gate import decide
from harness.judging import judge_all
from harness.records import ClockReading, ErrorNotice, Evidence, Fault, Print, PrintEvent, SelfTest
from tests.harness.builders import (
    CLOCK,
    HOME,
    INNOCENT,
    LOAD,
    TARGET,
    change,
    delivery,
    describe,
    entry,
    failed,
    paper,
    planted,
    prints_of,
    sentences,
    sync_run,
    write_run,
    write_segment,
)


def test_ctrl_c_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever interrupts a look in the midst of a copy is not told of a file that cannot be closed."""

    def interrupted(_: memoryview) -> Buffer:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.evidence.segment.Buffer", interrupted)
    run = write_run(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        read_evidence(run)


def test_everything(tmp_path: Path) -> None:
    """Both segments are read, each kind of record into its place."""
    event = PrintEvent(nonce="A1.1", point="written", at_ns=120)
    notice = ErrorNotice(nonce="A1.1", code="E1", at_ns=130)
    run = sync_run(applied=[("G1", 2)])
    load: list[Evidence] = [
        HOME,
        entry("A"),
        failed("A1", "A"),
        delivery("A1", "A", paper("A"), attempt=2),
        change(2, sent_ns=110),
    ]
    evidence = read_evidence(write_run(tmp_path, load, [run, event, notice]))
    assert evidence.run == describe()
    assert prints_of(evidence) == [record for record in load if isinstance(record, Print)]
    assert (evidence.sync_runs, evidence.notices) == ([run], [notice])
    assert evidence.events.reached(["A1.1"]) == {"A1.1": {"written": (120, -1)}}
    assert evidence.register.find(entry("A").checksum) == entry("A")
    assert evidence.register.permitted("G1") == {"A", "B"}
    assert evidence.register.newest_versions() == {"G1": 2}
    first = evidence.register.version("G1", 1)
    assert first is not None
    assert not first.allowed(200, 300)
    assert (evidence.counts[LOAD].issued, evidence.changes) == (2, 1)
    assert evidence.in_flight == 0
    assert evidence.faults == []


def test_attempts_in_their_order(tmp_path: Path) -> None:
    """The last attempt of an application is the one that was made last, wherever it stands."""
    attempts = [failed("A1", "A", attempt=number, at=(number, number)) for number in (1, 2, 3)]
    evidence = read_evidence(write_run(tmp_path, attempts[::-1]))
    assert judge_all(evidence.prints, evidence.register).last.tolist() == [0]
    assert prints_of(evidence) == attempts[::-1]


def test_in_flight(tmp_path: Path) -> None:
    """What was sent and has no end on record was in flight."""
    assert read_evidence(write_run(tmp_path, issued=5)).in_flight == 3


def test_more_prints_than_sent(tmp_path: Path) -> None:
    """A print that nobody counted makes the count of those in flight worthless, which is a fault."""
    evidence = read_evidence(write_run(tmp_path, issued=1))
    assert evidence.in_flight == 0
    assert evidence.faults == ["segment load-1 has 2 prints, but 1 were sent"]


def test_attempt_twice(tmp_path: Path) -> None:
    """One attempt with two ends is a fault, and neither end is dropped."""
    evidence = read_evidence(write_run(tmp_path, [*INNOCENT, delivery("A1", "A", paper("X"))]))
    repeated, shared = faults_of(evidence.prints)
    assert repeated == "1 attempt(s) are on record more than once, such as A1.1"
    assert shared.startswith("two users had one identity 1 time(s)")
    assert len(evidence.prints) == 3


def test_contradicting_documents(tmp_path: Path) -> None:
    """A contradiction in the register is a fault; what comes after it is read all the same."""
    other = msgspec.structs.replace(entry("A"), version=2)
    evidence = read_evidence(write_run(tmp_path, [entry("A"), other, *INNOCENT[3:]]))
    assert len(evidence.faults) == 1
    assert "cannot be told apart" in evidence.faults[0]
    assert len(evidence.prints) == 2


def test_clocks(tmp_path: Path) -> None:
    """Times of different clocks cannot be compared, which is a fault."""
    evidence = read_evidence(write_run(tmp_path, clocks=("mine", CLOCK)))
    assert len(evidence.faults) == 1
    assert evidence.faults[0].startswith("segment load-1 has the clock mine instead of monotonic")


def test_readings_of_another_clock(tmp_path: Path) -> None:
    """With readings the times of another clock are told on the run's, as wide as they can have been and as narrow."""
    load = [*INNOCENT, change(2, sent_ns=100), ClockReading(at_ns=150, offset_ns=1000, uncertainty_ns=5)]
    evidence = read_evidence(write_run(tmp_path, load, clocks=("mine", CLOCK)))
    assert evidence.faults == []
    assert {tuple(column.tolist()) for column in evidence.prints.possible} == {(1094, 1094), (1206, 1206)}
    assert {tuple(column.tolist()) for column in evidence.prints.certain} == {(1106, 1106), (1194, 1194)}
    assert [(print_.sent_ns, print_.answered_ns) for print_ in prints_of(evidence)] == [(1094, 1206)] * 2
    assert evidence.prints.latency_ns.tolist() == [100, 100]
    second = evidence.register.version("G1", 2)
    assert second is not None
    assert second.from_ns == 1094


@pytest.mark.parametrize("readings", [(), (ClockReading(at_ns=150, offset_ns=10**9, uncertainty_ns=5),)])
@pytest.mark.parametrize("points", [True, False])
def test_target_of_another_clock(tmp_path: Path, readings: tuple[ClockReading, ...], points: bool) -> None:
    """What a target tells by another clock is beside no print, blames nobody, and leaves the run inconclusive."""
    event = PrintEvent(nonce="A1.1", point="written", at_ns=120)
    load = [*INNOCENT, change(2, sent_ns=1)]
    target: list[Evidence] = [sync_run("S1", 2, 3, applied=[("G1", 2)]), event, *readings]
    own = decide(write_run(tmp_path / "own", load, target, shows_points=points))
    assert (own.sync_runs, own.outcomes["stale"]) == (1, 1)
    run = write_run(tmp_path / "other", load, target, clocks=(CLOCK, "another"), shows_points=points)
    verdict = decide(run)
    assert (verdict.verdict, verdict.sync_runs, verdict.outcomes["stale"]) == ("INCONCLUSIVE", 0, 0)
    assert (
        "evidence: segment target: 2 sync run(s) and points are not of the clock monotonic, so none of them counts"
        in sentences(verdict)
    )
    assert read_evidence(run).events.number_of("A1.1") == -1


def test_readings_that_contradict_each_other(tmp_path: Path) -> None:
    """Readings that no one clock can have given place nothing, and the run has a fault instead of times."""
    load = [*INNOCENT, *(ClockReading(at_ns=150, offset_ns=offset, uncertainty_ns=5) for offset in (0, 1000))]
    (fault,) = read_evidence(write_run(tmp_path, load, clocks=("mine", CLOCK))).faults
    assert fault.startswith("segment load-1 has the clock mine instead of monotonic, and no time compares: ")
    assert "contradict each other" in fault


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"ended": None}, "the run did not end: its process was killed, or it is still going on"),
        ({"ended": "interrupted", "planned_s": 2.5}, "the run was interrupted before its plan of 2.5 s was through"),
        ({"ended": "interrupted", "planned_s": 0.0}, "the run was interrupted"),
        ({"faults": ("a listener threw",)}, "a listener threw"),
        ({"segments": (LOAD, TARGET, "load-2")}, "segment load-2 cannot be read: No such file or directory"),
        (
            {"reports": {LOAD: Report(batch=1, issued=3)}},
            "segment load-1 ends with batch 1 and 2 attempts sent, but its process told of batch 1 and 3",
        ),
    ],
)
def test_incomplete(tmp_path: Path, fields: dict[str, Any], fault: str) -> None:
    """Whatever run.json says to be missing is a fault."""
    assert read_evidence(write_run(tmp_path, **fields)).faults == [fault]


def test_no_run(tmp_path: Path) -> None:
    """A directory that is none is refused."""
    with pytest.raises(LedgerError, match="is no run directory"):
        read_evidence(tmp_path)


def test_order_of_segments(tmp_path: Path) -> None:
    """Segments may be listed in any order."""

    def told(evidence: RunEvidence) -> object:
        return prints_of(evidence), evidence.sync_runs, evidence.counts, evidence.faults

    before = told(read_evidence(write_run(tmp_path)))
    write_json(tmp_path / RUN_FILE, describe(segments=(TARGET, LOAD)))
    assert told(read_evidence(tmp_path)) == before


def test_faults_of_a_process(tmp_path: Path) -> None:
    """What a process recorded as gone wrong is a fault of the run, with the process named."""
    load = [*INNOCENT, Fault(text="a listener threw")]
    evidence = read_evidence(write_run(tmp_path, load, target=[sync_run(), Fault(text="it broke")]))
    assert sorted(evidence.faults) == ["load-1: a listener threw", "target: it broke"]


@pytest.mark.parametrize("announced", [True, False])
def test_self_test_is_in_no_count(tmp_path: Path, announced: bool) -> None:
    """A planted print is told apart, and is in no count, even where its announcement was lost."""
    announcement, print_ = planted("X", paper("A"))
    path = segment_path(write_run(tmp_path, [*INNOCENT, announcement, print_]), LOAD)
    if not announced:
        path.write_bytes(path.read_bytes().replace(b'"self_test"', b'"self_tset"'))
    evidence = read_evidence(tmp_path)
    assert evidence.self_tests == {LOAD: print_}
    assert [print_.nonce for print_ in prints_of(evidence)] == ["A1.1", "A2.1"]
    count = evidence.counts[LOAD]
    assert (count.issued, count.prints, evidence.counts[LOAD].issued, evidence.in_flight) == (2, 2, 2, 0)
    assert (evidence.faults == []) is announced


def test_self_test_that_is_missing(tmp_path: Path) -> None:
    """A load segment without a self-test is told as one, whether it was announced or not; the target needs none."""
    assert read_evidence(write_run(tmp_path / "1")).self_tests == {LOAD: None}
    announced = [*INNOCENT, planted("X", paper("A"))[0]]
    assert read_evidence(write_run(tmp_path / "2", announced)).self_tests == {LOAD: None}


def test_segments_of_another_run(tmp_path: Path) -> None:
    """Segments of another run than that of run.json are faults, each of them."""
    assert sorted(read_evidence(write_run(tmp_path, run="run-2")).faults) == [
        "segment load-1 belongs to run run-1, not to run-2",
        "segment target belongs to run run-1, not to run-2",
    ]


def test_stray_segment(tmp_path: Path) -> None:
    """A segment that run.json does not list may hold the one print that matters."""
    write_run(tmp_path)
    write_segment(tmp_path, "load-2", [])
    assert read_evidence(tmp_path).faults == ["segment load-2 is not listed in run.json"]


@pytest.mark.parametrize("segment", [LOAD, TARGET])
def test_nothing_else_is_called_a_self_test(tmp_path: Path, segment: str) -> None:
    """A print that somebody announces as a self-test stays in the evidence unless it has the name of one."""
    theft: list[Evidence] = [delivery("A9", "A", paper("X"), at=(300, 400))]
    announced: list[Evidence] = [SelfTest(application="A9")]
    run = write_run(
        tmp_path,
        [*INNOCENT, *theft, *(announced if segment == LOAD else [])],
        [sync_run(), *(announced if segment == TARGET else [])],
        issued=3,
    )
    verdict = decide(run)
    assert (verdict.verdict, verdict.papers) == ("FAIL", 1)
    assert any(f"segment {segment} calls A9 its self-test" in reason for reason in sentences(verdict))
