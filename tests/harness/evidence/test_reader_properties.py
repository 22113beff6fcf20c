"""Whatever is taken away from the evidence, or put into another order, never makes a run look better."""

from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.criteria import Criteria
from harness.evidence.ledger import RUN_FILE, create_run_directory, segment_path, write_json
from harness.gate import decide
from harness.records import Evidence, PrintEvent, SelfTest
from harness.verdict import Verdict
from tests.harness.builders import (
    HOME,
    OTHER,
    TARGET,
    change,
    delivery,
    describe,
    entry,
    failed,
    paper,
    sync_run,
    write_segment,
)

LOADS = "load-1", "load-2", "load-3"
POINTS = ("applied", "waiting", "staged", "written", "read", "delivered")


def events(nonce: str, begin_ns: int) -> list[PrintEvent]:
    """A print's way through slot 1, so that of two of them that begin 20 ns apart one waits while the other lies."""
    return [
        PrintEvent(nonce=nonce, point=point, at_ns=begin_ns + 10 * number, slot="" if point == "applied" else "1")
        for number, point in enumerate(POINTS)
    ]


def planted(segment: str, document: bytes, *, at: tuple[int, int]) -> list[Evidence]:
    """A self-test: this document as if X had been handed it."""
    name = f"self-test-{segment}"
    return [SelfTest(application=name), delivery(name, "X", document, at=at)]


NEW = paper("B", version=2)
CLEAN: dict[str, list[Evidence]] = {
    "load-1": [HOME, OTHER, entry("A"), delivery("A1", "A", paper("A"), at=(100, 200)), change(2, sent_ns=50)],
    "load-2": [HOME, OTHER, entry("X"), delivery("A2", "X", paper("X"), at=(120, 220))],
    "load-3": [HOME, failed("A3", "B", at=(205, 210)), delivery("A3", "B", NEW, attempt=2, at=(300, 310))],
    TARGET: [sync_run("S1", 110, 190, applied=[("G1", 2)]), *events("A1.1", 105), *events("A2.1", 125), sync_run("S2")],
}
CLEAN["load-3"].insert(0, entry("B", version=2))
RUNS: dict[str, tuple[dict[str, list[Evidence]], Criteria]] = {
    "PASS": (CLEAN, Criteria(self_test=False)),
    "PASS with self-tests": (
        {
            name: [*records, *planted(name, paper("A"), at=(400 + 10 * number, 401 + 10 * number))]
            if name in LOADS
            else records
            for number, (name, records) in enumerate(CLEAN.items())
        },
        Criteria(),
    ),
    "FAIL": (
        CLEAN | {"load-2": [HOME, OTHER, entry("X"), delivery("A2", "X", paper("A"), at=(120, 220))]},
        Criteria(self_test=False),
    ),
    "INCONCLUSIVE": (
        CLEAN | {"load-2": [HOME, OTHER, delivery("A2", "X", b"?", at=(120, 220))]},
        Criteria(self_test=False),
    ),
    "INCONCLUSIVE without self-tests": (CLEAN, Criteria()),
}


def write(directory: Path, name: str, segments: tuple[str, ...] = (TARGET, *LOADS), *, points: bool = True) -> Path:
    """One of the runs, its segments listed in this order."""
    records, criteria = RUNS[name]
    create_run_directory(directory)
    for segment in segments:
        write_segment(directory, segment, records[segment])
    write_json(directory / RUN_FILE, describe(segments=segments, criteria=criteria, shows_points=points))
    return directory


def said(verdict: Verdict) -> Verdict:
    """Without the order in which the processes are told, which is that of the list."""
    return msgspec.structs.replace(
        verdict,
        processes=dict(sorted(verdict.processes.items())),
        reasons=tuple(sorted(verdict.reasons, key=lambda reason: reason.text)),
        retried_errors=tuple(sorted(verdict.retried_errors, key=lambda error: error.nonce)),
    )


@pytest.mark.parametrize("points", [True, False])
@pytest.mark.parametrize("name", RUNS)
def test_the_runs_are_what_they_are_called(tmp_path: Path, name: str, points: bool) -> None:
    """Each run of this module has the verdict by which it is called."""
    verdict = decide(write(tmp_path / "run", name, points=points))
    assert verdict.verdict == name.split()[0], verdict.reasons


@pytest.mark.parametrize("name", RUNS)
def test_any_order_of_segments(tmp_path: Path, name: str) -> None:
    """The order in which segments are listed, and so read, changes nothing that the verdict says."""
    verdicts = [
        said(decide(write(tmp_path / str(number), name, segments)))
        for number, segments in enumerate(permutations((TARGET, *LOADS)))
    ]
    assert len(verdicts) == 24
    assert all(verdict == verdicts[0] for verdict in verdicts)


def damaged(name: str, segment: str, data: bytes | None, *, points: bool) -> Verdict:
    """The verdict on a run one segment of which holds this, or is gone."""
    with TemporaryDirectory() as place:
        path = segment_path(write(Path(place) / "run", name, points=points), segment)
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)
        return decide(Path(place) / "run")


def whole(name: str, segment: str) -> bytes:
    """What the segment of the run holds."""
    with TemporaryDirectory() as place:
        return segment_path(write(Path(place) / "run", name), segment).read_bytes()


def assert_no_better(name: str, verdict: Verdict) -> None:
    """Nothing that is damaged passes; a misissuance may be lost with its line, and then nobody knows."""
    assert verdict.verdict != "PASS", verdict.reasons
    if not name.startswith("FAIL"):
        assert verdict.verdict == "INCONCLUSIVE", verdict.reasons
    assert any(reason.code == "evidence" for reason in verdict.reasons), verdict.reasons


@settings(deadline=None, max_examples=150)
@given(
    name=st.sampled_from(list(RUNS)),
    segment=st.sampled_from([TARGET, *LOADS]),
    data=st.data(),
    points=st.booleans(),
)
def test_any_truncation(name: str, segment: str, data: st.DataObject, points: bool) -> None:
    """A segment that is cut at any byte never passes."""
    content = whole(name, segment)
    cut = data.draw(st.integers(0, len(content) - 1))
    assert_no_better(name, damaged(name, segment, content[:cut], points=points))


@pytest.mark.parametrize("segment", [TARGET, *LOADS])
@pytest.mark.parametrize("name", RUNS)
def test_every_cut_at_a_line(name: str, segment: str) -> None:
    """A segment that ends with any of its lines but the last never passes, and neither does one that is gone."""
    lines = whole(name, segment).splitlines(keepends=True)
    for kept in range(len(lines)):
        assert_no_better(name, damaged(name, segment, b"".join(lines[:kept]), points=True))
    assert_no_better(name, damaged(name, segment, None, points=True))


@pytest.mark.parametrize("segment", [TARGET, *LOADS])
@pytest.mark.parametrize("name", ["PASS", "PASS with self-tests", "FAIL"])
def test_every_line_dropped_or_doubled(name: str, segment: str) -> None:
    """A segment that lacks any one line, or has it twice, never passes."""
    lines = whole(name, segment).splitlines(keepends=True)
    for number in range(len(lines)):
        dropped = b"".join(lines[:number] + lines[number + 1 :])
        doubled = b"".join(lines[: number + 1] + lines[number:])
        for content in (dropped, doubled):
            assert_no_better(name, damaged(name, segment, content, points=False))


@settings(max_examples=150)
@given(
    name=st.sampled_from(list(RUNS)),
    segment=st.sampled_from([TARGET, *LOADS]),
    data=st.data(),
    points=st.booleans(),
)
def test_any_other_byte(name: str, segment: str, data: st.DataObject, points: bool) -> None:
    """A segment in which any byte is another one can still be judged, and never passes."""
    content = bytearray(whole(name, segment))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    verdict = damaged(name, segment, bytes(content), points=points)
    assert verdict.verdict != "PASS"
    assert any(reason.code == "evidence" for reason in verdict.reasons), verdict.reasons
