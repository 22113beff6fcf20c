"""The whole evidence comes back, and so does everything that is missing from it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.evidence import RunEvidence, read_evidence
from harness.ledger import RUN_FILE, LedgerError, segment_path, write_json
from harness.records import ErrorNotice, Evidence, Print, PrintEvent
from tests.harness.builders import (
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
    sync_run,
    write_run,
    write_segment,
)


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
    assert evidence.applications == {"A1": [record for record in load if isinstance(record, Print)]}
    assert (evidence.sync_runs, evidence.events, evidence.notices) == ([run], [event], [notice])
    assert evidence.register.find(entry("A").checksum) == entry("A")
    assert evidence.register.permitted("G1") == {"A", "B"}
    assert evidence.register.newest_versions() == {"G1": 2}
    assert evidence.register.version_state("G1", 1, 200, 300) == "superseded"
    assert evidence.issued == {LOAD: 2}
    assert evidence.in_flight == 0
    assert evidence.faults == []


def test_attempts_in_their_order(tmp_path: Path) -> None:
    """The attempts of an application are in the order in which they were made, wherever they stand."""
    attempts = [failed("A1", "A", attempt=number, at=(number, number)) for number in (1, 2, 3)]
    evidence = read_evidence(write_run(tmp_path, attempts[::-1]))
    assert evidence.applications["A1"] == attempts
    assert evidence.prints == attempts


def test_in_flight(tmp_path: Path) -> None:
    """What was sent and has no end on record was in flight."""
    assert read_evidence(write_run(tmp_path, issued=5)).in_flight == 3


def test_more_prints_than_sent(tmp_path: Path) -> None:
    """A print that nobody counted makes the count of those in flight worthless, which is a fault."""
    evidence = read_evidence(write_run(tmp_path, issued=1))
    assert evidence.in_flight == 0
    assert evidence.faults == ["more prints are on record than were counted as sent"]


def test_attempt_twice(tmp_path: Path) -> None:
    """One attempt with two ends is a fault, and neither end is dropped."""
    evidence = read_evidence(write_run(tmp_path, [*INNOCENT, delivery("A1", "A", paper("X"))]))
    assert evidence.faults == ["an attempt of application A1 is on record twice"]
    assert len(evidence.applications["A1"]) == 2


def test_contradicting_documents(tmp_path: Path) -> None:
    """A contradiction in the register is a fault; what comes after it is read all the same."""
    other = msgspec.structs.replace(entry("A"), version=2)
    evidence = read_evidence(write_run(tmp_path, [entry("A"), other, *INNOCENT[3:]]))
    assert len(evidence.faults) == 1
    assert "cannot be told apart" in evidence.faults[0]
    assert len(evidence.prints) == 2


def test_clocks(tmp_path: Path) -> None:
    """Times of different clocks cannot be compared, which is a fault."""
    evidence = read_evidence(write_run(tmp_path, clocks=("mine", "yours")))
    assert evidence.faults == ["the segments have different clocks (mine, yours): no time compares"]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"ended": None}, "the run did not end: its process was killed, or it is still going on"),
        ({"ended": "interrupted", "planned_s": 2.5}, "the run was interrupted before its plan of 2.5 s was through"),
        ({"faults": ("a listener threw",)}, "a listener threw"),
        ({"segments": (LOAD, TARGET, "load-2")}, "segment load-2 cannot be read: No such file or directory"),
    ],
)
def test_incomplete(tmp_path: Path, fields: dict[str, Any], fault: str) -> None:
    """Whatever run.json says to be missing is a fault."""
    assert read_evidence(write_run(tmp_path, **fields)).faults == [fault]


def test_damaged_segment(tmp_path: Path) -> None:
    """A damaged segment is a fault; the other one is read."""
    write_run(tmp_path)
    path = segment_path(tmp_path, TARGET)
    path.write_bytes(path.read_bytes()[:-20])
    evidence = read_evidence(tmp_path)
    assert "segment target was never closed" in evidence.faults
    assert len(evidence.prints) == 2


def test_no_run(tmp_path: Path) -> None:
    """A directory that is none is refused."""
    with pytest.raises(LedgerError, match="is no run directory"):
        read_evidence(tmp_path)


def test_order_of_segments(tmp_path: Path) -> None:
    """Segments may be listed in any order."""

    def told(evidence: RunEvidence) -> object:
        return evidence.applications, evidence.sync_runs, evidence.issued, evidence.faults

    before = told(read_evidence(write_run(tmp_path)))
    write_json(tmp_path / RUN_FILE, describe(segments=(TARGET, LOAD)))
    assert told(read_evidence(tmp_path)) == before


def test_stray_segment(tmp_path: Path) -> None:
    """A segment that run.json does not list may hold the one print that matters."""
    write_run(tmp_path)
    write_segment(tmp_path, "load-2", [])
    assert read_evidence(tmp_path).faults == ["segment load-2 is not listed in run.json"]
