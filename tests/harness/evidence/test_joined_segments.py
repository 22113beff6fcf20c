"""Segments that were brought from several directories are joined: each is read once, and as far as anybody has it."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.ledger import Report, segment_path
from harness.evidence.reader import read_evidence
from harness.gate import decide
from tests.harness.builders import (
    INNOCENT,
    LOAD,
    TARGET,
    delivery,
    paper,
    sentences,
    write_run,
    write_segment,
)

DIFFERS = f"segment {LOAD} lies in more than one directory, and differs: which one holds is not known"
WRONG = [*INNOCENT[:-1], delivery("A2", "X", paper("A"))]


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_a_beginning_beside_the_whole(data: st.DataObject) -> None:
    """What a master had collected when it lost the worker is no contradiction to what the worker kept."""
    with TemporaryDirectory() as place:
        run, worker = write_run(Path(place) / "run", WRONG), Path(place) / "worker"
        whole = segment_path(run, LOAD).read_bytes()
        path = write_segment(worker, LOAD, WRONG)
        assert path.read_bytes() == whole
        cut = data.draw(st.integers(0, len(whole)))
        short = data.draw(st.sampled_from([segment_path(run, LOAD), path]))
        short.write_bytes(whole[:cut])
        verdict = decide(run, worker)
        assert verdict.papers == 1
        assert sentences(verdict) == ("1 print(s) ended as wrong_person",)


@pytest.mark.parametrize("turned", [False, True])
def test_copies_that_differ(tmp_path: Path, turned: bool) -> None:
    """Of two copies that tell different things nobody knows which one holds; the run's own is read, and once."""
    records = (INNOCENT, WRONG) if turned else (WRONG, INNOCENT)
    run = write_run(tmp_path / "run", records[0])
    write_segment(tmp_path / "worker", LOAD, records[1])
    verdict = decide(run, tmp_path / "worker")
    assert f"evidence: {DIFFERS}" in sentences(verdict)
    assert (verdict.verdict, verdict.prints_judged) == ("INCONCLUSIVE" if turned else "FAIL", 2)


def test_a_copy_that_cannot_be_read(tmp_path: Path) -> None:
    """A copy that is no file is one that differs."""
    run = write_run(tmp_path / "run")
    segment_path(tmp_path / "worker", LOAD).mkdir(parents=True)
    assert read_evidence(run, tmp_path / "worker").faults == [DIFFERS]


def test_a_segment_whose_process_was_heard(tmp_path: Path) -> None:
    """A load process that told of its attempts has a segment, whether or not one is listed or lies there."""
    run = write_run(tmp_path, reports={LOAD: Report(batch=1, issued=2), "load-2": Report(batch=1, issued=1)})
    assert read_evidence(run).faults == ["segment load-2 is not listed in run.json"]


@pytest.mark.parametrize("segment", [LOAD, TARGET])
def test_a_segment_that_is_listed_twice(tmp_path: Path, segment: str) -> None:
    """A segment that run.json lists twice is read once: what it tells did not happen twice."""
    load = [*INNOCENT, *(delivery(f"B{n}", applicant, paper(applicant)) for n, applicant in enumerate("AX"))]
    once = decide(write_run(tmp_path / "once", load))
    twice = decide(write_run(tmp_path / "twice", load, segments=(TARGET, LOAD, segment)))
    assert (twice.exposures, twice.prints_judged) == (once.exposures, once.prints_judged) == (1, 4)
    assert f"evidence: segment {segment} is listed 2 times in run.json: right is once" in sentences(twice)
