"""Prints in columns are the prints of the ledger: nothing of one becomes that of another."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.ledger import LOAD_PREFIX, RUN_FILE, create_run_directory, segment_path, write_json
from harness.evidence.reader import RunEvidence, read_evidence
from harness.records import ClockReading, Evidence, Mark, Print
from tests.harness.builders import (
    HOME,
    INNOCENT,
    LOAD,
    TARGET,
    delivery,
    describe,
    ended,
    evidence_of,
    failed,
    paper,
    planted,
    prints_of,
    refused,
    sync_run,
    write_run,
    write_segment,
)

names = st.sampled_from(["A1", "A2", "applicant", '","applicant":"', "住民票", "\\", "\r", ""])
texts = st.sampled_from(["", "juminhyo", "applicant", '{"type":"print"}', "不明"])
times = st.integers(-(2**62), 2**62)
some_marks = st.builds(
    Mark,
    persons=st.lists(names, max_size=2).map(tuple),
    kind=texts,
    options=st.lists(texts, max_size=1).map(tuple),
    version=st.integers(1, 3),
    page=st.integers(1, 2),
    pages=st.integers(1, 2),
)
prints = st.builds(
    Print,
    application=names,
    attempt=st.integers(1, 3),
    sent_ns=times,
    answered_ns=times,
    intended_ns=st.none() | st.integers(0, 9),
    applicant=names,
    group=texts,
    kind=texts,
    options=st.lists(texts, max_size=2).map(tuple),
    answer=st.sampled_from(["document", "refused", "error", "unanswered", "nothing"]),
    error=texts,
    checksum=texts,
    size_bytes=st.integers(0, 3),
    marks=st.lists(some_marks, max_size=2).map(tuple),
)


def read(place: Path, load: list[list[Print]]) -> RunEvidence:
    """A run with one load segment for each list."""
    names_ = [f"{LOAD_PREFIX}{number}" for number in range(1, len(load) + 1)]
    create_run_directory(place)
    for name, made in zip(names_, load, strict=True):
        write_segment(place, name, made)
    write_json(place / RUN_FILE, describe(segments=names_))
    return read_evidence(place)


@settings(max_examples=150)
@given(load=st.lists(st.lists(prints, max_size=6), min_size=1, max_size=3), data=st.data())
def test_columns_are_the_prints(load: list[list[Print]], data: st.DataObject) -> None:
    """Every column says of every row what its print says, and any rows are fetched as they were written."""
    made = [print_ for segment in load for print_ in segment]
    with TemporaryDirectory() as place:
        evidence = read(Path(place) / "run", load)
        wanted = data.draw(st.lists(st.integers(0, len(made) - 1), max_size=8) if made else st.just([]))
        assert evidence.prints.fetch(wanted) == {row: made[row] for row in sorted(set(wanted))}
    assert evidence.faults == []
    columns = evidence.prints
    assert len(columns) == len(made)
    assert columns.attempt.tolist() == [print_.attempt for print_ in made]
    assert columns.segment.tolist() == [number for number, segment in enumerate(load) for _ in segment]
    for interval in (columns.possible, columns.certain):
        assert interval.sent_ns.tolist() == [print_.sent_ns for print_ in made]
        assert interval.answered_ns.tolist() == [print_.answered_ns for print_ in made]
    late_ns = [0 if print_.intended_ns is None else print_.sent_ns - print_.intended_ns for print_ in made]
    assert columns.late_ns.tolist() == late_ns
    for one in range(len(made)):
        for two in range(len(made)):
            same = made[one].application == made[two].application
            assert (columns.application[one] == columns.application[two]) == same
    for row, print_ in enumerate(made):
        of_sort = columns.sorts[columns.sort[row]]
        own = {"application": "", "attempt": 1, "sent_ns": 0, "answered_ns": 0, "intended_ns": None}
        assert msgspec.structs.replace(of_sort, **own) == msgspec.structs.replace(print_, **own)
    for answer in ("document", "refused", "error", "unanswered", "nothing"):
        assert columns.answered_with(answer).tolist() == [print_.answer == answer for print_ in made]
    for kind in columns.kinds:
        assert columns.of_kind(kind).tolist() == [print_.kind == kind for print_ in made]


def test_sorts_are_few(tmp_path: Path) -> None:
    """Prints that differ in nothing but application, attempt and times are of one sort."""
    load = [delivery(f"A{n}", "A", paper("A"), attempt=1 + n % 3, at=(n, n + 5)) for n in range(500)]
    load += [delivery(f"X{n}", "X", paper("X"), at=(n, n + 5)) for n in range(500)]
    evidence = evidence_of(tmp_path / "run", load)
    assert len(evidence.prints.sorts) == 2
    assert np.bincount(evidence.prints.sort).tolist() == [500, 500]


def test_answered_with_one_of_several(tmp_path: Path) -> None:
    """Rows are chosen by any of several ends, and by kind."""
    load = [ended("unanswered", "A1", "A"), refused("A2", "X", kind="inkan"), failed("A3", "B"), INNOCENT[-1]]
    columns = evidence_of(tmp_path / "run", load).prints
    assert columns.answered_with("unanswered", "refused").tolist() == [True, True, False, False]
    assert columns.of_kind("inkan").tolist() == [False, True, False, False]
    assert columns.of_kind("none").tolist() == [False] * 4
    assert columns.kinds == ["inkan", "juminhyo"]


def test_of_applications(tmp_path: Path) -> None:
    """Every attempt of the applications that were asked for is found, in whichever segment, and no other."""
    again = failed("A2", "X", attempt=2), delivery("A11", "A", paper("A"))
    prints = evidence_of(tmp_path, [*INNOCENT, *again]).prints
    found = prints.fetch(prints.of_applications(["A2", "A9", "A1"]).tolist()).values()
    assert sorted(print_.nonce for print_ in found) == ["A1.1", "A2.1", "A2.2"]
    assert not len(prints.of_applications([]))


def test_nothing(tmp_path: Path) -> None:
    """A run without a print has columns of length 0."""
    columns = evidence_of(tmp_path / "run", [HOME]).prints
    assert (len(columns), columns.kinds, columns.fetch([])) == (0, [], {})
    assert columns.answered_with("document").tolist() == []
    assert columns.by_application.tolist() == []


def test_planted_are_taken_out(tmp_path: Path) -> None:
    """A self-test is in no column; the rows behind it still are the prints that they were."""
    load: list[Evidence] = [failed("A1", "A"), *planted("X", paper("A")), failed("A2", "X"), failed("A3", "B")]
    evidence = evidence_of(tmp_path / "run", load)
    assert [print_.nonce for print_ in prints_of(evidence)] == ["A1.1", "A2.1", "A3.1"]
    lengths = {
        len(column)
        for column in (
            evidence.prints.sort,
            evidence.prints.attempt,
            evidence.prints.application,
            evidence.prints.segment,
            evidence.prints.late_ns,
            evidence.prints.latency_ns,
            evidence.prints.by_application,
            *evidence.prints.possible,
            *evidence.prints.certain,
        )
    }
    assert lengths == {3}
    found = evidence.self_tests[LOAD]
    assert found is not None
    assert (found.application, found.applicant) == ("self-test-load-1", "X")


def test_clock_of_each_segment(tmp_path: Path) -> None:
    """Only the times of a segment with another clock are moved, and the intended start with them."""
    late = msgspec.structs.replace(failed("A1", "A", at=(100, 200)), intended_ns=90)
    create_run_directory(tmp_path / "run")
    reading = ClockReading(at_ns=150, offset_ns=1000, uncertainty_ns=0)
    write_segment(tmp_path / "run", "load-1", [late])
    write_segment(tmp_path / "run", "load-2", [late, reading], clock="another")
    write_json(tmp_path / "run" / RUN_FILE, describe(segments=("load-2", "load-1")))
    evidence = read_evidence(tmp_path / "run")
    moved, kept = prints_of(evidence)
    assert kept == late
    assert (moved.sent_ns, moved.answered_ns, moved.intended_ns) == (1099, 1201, 1089)
    assert evidence.prints.possible.sent_ns.tolist() == [1099, 100]
    assert evidence.prints.certain.answered_ns.tolist() == [1199, 200]
    assert (evidence.prints.late_ns.tolist(), evidence.prints.latency_ns.tolist()) == ([10, 10], [110, 110])


@pytest.mark.parametrize(
    ("line", "damaged"),
    [
        (b'"attempt":2,', b'"attempu":2,'),
        (b'"attempt":3,', b'"attempt":1,'),
        (b'"sent_ns":410', b'"sent_ns":41 '),
    ],
)
def test_damaged_line_of_a_known_sort(tmp_path: Path, line: bytes, damaged: bytes) -> None:
    """A line in which a byte was flipped is fetched as what it says now: a fault of the run, not its reader's end."""
    load = [failed("A1", "X", attempt=number, at=(300 + 10 * number, 301 + 10 * number)) for number in range(1, 12)]
    path = segment_path(write_run(tmp_path, load), LOAD)
    before = path.read_bytes()
    path.write_bytes(before.replace(line, damaged))
    assert path.read_bytes() != before
    evidence = read_evidence(tmp_path)
    assert "segment load-1 does not match its footer" in evidence.faults
    assert [print_.sent_ns for print_ in prints_of(evidence)] == evidence.prints.possible.sent_ns.tolist()
    assert [print_.attempt for print_ in prints_of(evidence)] == evidence.prints.attempt.tolist()
    assert len(evidence.prints) == 11
    assert sync_run() in evidence.sync_runs
    assert TARGET in evidence.segments
