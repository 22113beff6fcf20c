"""What is damaged in a segment costs itself alone, and is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.evidence.ledger import RUN_FILE, Report, segment_path, write_json
from harness.evidence.reader import read_evidence
from harness.evidence.segment import SegmentWriter
from harness.gate import decide
from harness.records import Print
from tests.harness.builders import (
    CLOCK,
    INNOCENT,
    LOAD,
    RUN,
    TARGET,
    change,
    delivery,
    describe,
    paper,
    prints_of,
    sync_run,
    write_run,
)


def test_damaged_segment(tmp_path: Path) -> None:
    """A damaged segment is a fault; the other one is read."""
    write_run(tmp_path)
    path = segment_path(tmp_path, TARGET)
    path.write_bytes(path.read_bytes()[:-20])
    evidence = read_evidence(tmp_path)
    assert "segment target was never closed" in evidence.faults
    assert len(evidence.prints) == 2


def without_applicant(line: bytes) -> bytes:
    return line.replace(b'"applicant":"A",', b"")


def in_another_order(line: bytes) -> bytes:
    return line.replace(b'"applicant":"A","group":"G1",', b'"group":"G1","applicant":"A",')


def before_the_applicant(line: bytes) -> bytes:
    return line.replace(b'"sent_ns":', b'"options":["my_number"],"sent_ns":', 1)


@pytest.mark.parametrize("damage", [without_applicant, in_another_order, before_the_applicant])
def test_print_of_another_form(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """A line that is no print as this version writes it is a fault, and never taken for another print."""
    path = segment_path(write_run(tmp_path), LOAD)
    before = path.read_bytes()
    path.write_bytes(damage(before))
    assert path.read_bytes() != before
    evidence = read_evidence(tmp_path)
    assert any("holds a print that is none" in fault for fault in evidence.faults), evidence.faults
    assert [print_.nonce for print_ in prints_of(evidence)] == ["A2.1"]


def test_lost_batch(tmp_path: Path) -> None:
    """A batch that is missing in the middle, or one that was promised, is a fault."""
    writer = SegmentWriter(tmp_path, "load-2", run=RUN, clock=CLOCK)
    for record in INNOCENT:
        writer.write(record)
        writer.issued += isinstance(record, Print)
        writer.flush()
    writer.close()
    lines = writer.path.read_bytes().splitlines(keepends=True)
    ends = [place for place, line in enumerate(lines) if b'"batch":' in line]
    writer.path.write_bytes(b"".join(lines[: ends[1] + 1] + lines[ends[2] + 1 :]))
    write_json(tmp_path / RUN_FILE, describe(segments=("load-2",), reports={"load-2": Report(batch=7, issued=2)}))
    faults = read_evidence(tmp_path).faults
    assert "segment load-2: batch 4 follows 2" in faults
    assert "segment load-2: 2 record(s) missing before batch 4" in faults
    assert "segment load-2 ends with batch 6 and 2 attempts sent, but its process told of batch 7 and 2" in faults


def test_lost_line(tmp_path: Path) -> None:
    """A line that is missing inside a batch is missed by that batch, once, and by no later one."""
    writer = SegmentWriter(tmp_path, LOAD, run=RUN, clock=CLOCK)
    writer.issued = 2
    for half in (INNOCENT[:5], INNOCENT[5:]):
        for record in half:
            writer.write(record)
        writer.flush()
    writer.close()
    lines = writer.path.read_bytes().splitlines(keepends=True)
    writer.path.write_bytes(b"".join(line for line in lines if b'"application":"A1"' not in line))
    write_json(tmp_path / RUN_FILE, describe(segments=(LOAD,), reports={LOAD: Report(batch=2, issued=2)}))
    evidence = read_evidence(tmp_path)
    assert [fault for fault in evidence.faults if "batch" in fault] == [
        "segment load-1: 1 record(s) missing before batch 1"
    ]
    assert (evidence.counts[LOAD].issued, evidence.in_flight) == (2, 1)


MANY = [delivery(f"A{number}", "A", paper("A"), at=(number, 2 * number)) for number in range(3000)]


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        (lambda line: line.replace(b'"sent_ns":', b'"sent_ns"?'), {1500}),
        (lambda line: line[:50] + b"\xff" * 300 + b"\n", {1500}),
        (lambda line: line[:20] + b"\n" + line[30:], {1500}),
        (lambda line: line[:-1], {1500, 1501}),
        (lambda line: b"", {1500}),  # noqa: ARG005 - nothing is left of it
        (without_applicant, {1500}),
    ],
)
def test_damage_in_the_middle(tmp_path: Path, damage: Callable[[bytes], bytes], lost: set[int]) -> None:
    """A damaged line far inside a large segment costs itself alone: every other print is fetched as it was written."""
    path = segment_path(write_run(tmp_path, MANY), LOAD)
    assert read_evidence(tmp_path).faults == []
    lines = path.read_bytes().splitlines(keepends=True)
    place = next(place for place, line in enumerate(lines) if b'"application":"A1500"' in line)
    before, after = (sum(map(len, part)) for part in (lines[:place], lines[place:]))
    assert min(before, after) > 3 * 64 * 1024
    lines[place] = damage(lines[place])
    path.write_bytes(b"".join(lines))
    evidence = read_evidence(tmp_path)
    assert "segment load-1 does not match its footer" in evidence.faults
    assert prints_of(evidence) == [print_ for number, print_ in enumerate(MANY) if number not in lost]


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        (
            b'"size_bytes":22}\n{"type":"print","application":"A2"',
            b'"size_bytes":22}\r{"type":"print","application":"A2"',
            1,
        ),
        (b'"sent_ns":300', b'"sent_ns":9300000000000000000', 2),
        (b'"sent_ns":300', b'"attempt":9300000000,"sent_ns":300', 2),
    ],
)
def test_line_that_no_column_takes(tmp_path: Path, before: bytes, after: bytes, left: int) -> None:
    """A carriage return for a line's end, or a number beyond all bounds, costs that line and is told."""
    load = [*INNOCENT, delivery("A9", "A", paper("A"), at=(300, 400))]
    path = segment_path(write_run(tmp_path, load), LOAD)
    content = path.read_bytes()
    assert content.count(before) == 1
    path.write_bytes(content.replace(before, after))
    evidence = read_evidence(tmp_path)
    assert any("unreadable at line" in fault for fault in evidence.faults), evidence.faults
    assert len(prints_of(evidence)) == left


def test_without_a_header_no_time_compares(tmp_path: Path) -> None:
    """A segment that lost its header is blamed for no time: nobody knows of which clock its times are."""
    run = write_run(tmp_path, [*INNOCENT, change(2, sent_ns=1)], [sync_run("S1", 2, 3, applied=[("G1", 2)])])
    assert decide(run).outcomes["stale"] == 1
    path = segment_path(run, LOAD)
    path.write_bytes(path.read_bytes().partition(b"\n")[2])
    verdict = decide(run)
    assert (verdict.verdict, verdict.outcomes["stale"], verdict.outcomes["ok"]) == ("INCONCLUSIVE", 0, 2)


def test_target_that_tells_nonsense(tmp_path: Path) -> None:
    """A time beyond all bounds that a target told costs its line, and the run its PASS, never the gate."""
    evidence = read_evidence(write_run(tmp_path, INNOCENT, [sync_run(), sync_run("S2", 2**70, 2**71)]))
    assert [run.sync_run for run in evidence.sync_runs] == ["S1"]
    assert any("unreadable at line" in fault for fault in evidence.faults)
