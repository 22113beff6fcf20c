"""Whatever happens to the evidence, the verdict depends on what it proves alone, and loss never clears anybody."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.gate import Verdict, decide, write_verdict
from harness.ledger import RUN_FILE, VERDICT_FILE, segment_path, write_json
from harness.records import ErrorNotice, Evidence, Print, PrintEvent
from tests.harness.builders import (
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

NUMBER = ("my_number",)
THEFT = delivery("A3", "A", paper("X"))
"""A was handed the paper of X."""


RICH: tuple[Evidence, ...] = (
    *INNOCENT,
    entry("A", version=2),
    entry("X", options=NUMBER),
    change(2, sent_ns=90),
    delivery("A3", "B", paper("X", options=NUMBER), at=(110, 170)),
    failed("A4", "A", at=(115, 160)),
    delivery("A4", "A", paper("A", version=2), attempt=2, at=(210, 220)),
    failed("A5", "X", at=(120, 130)),
    delivery("A6", "X", b"", at=(120, 170)),
)
RICH_TARGET: tuple[Evidence, ...] = (
    sync_run("S1", 120, 140, applied=[("G1", 2)]),
    sync_run("S2", 150, 180),
    *(
        PrintEvent(nonce=nonce, point=point, at_ns=at_ns, slot="1")
        for nonce, points in {
            "A1.1": {"waiting": 110, "staged": 112, "written": 120, "read": 160},
            "A3.1": {"waiting": 121, "staged": 161, "written": 162, "read": 165},
            "A4.1": {"waiting": 122, "staged": 130},
        }.items()
        for point, at_ns in points.items()
    ),
    ErrorNotice(nonce="A4.1", code="E1", at_ns=160),
    ErrorNotice(nonce="A5.1", code="E2", at_ns=130),
)
SMALL: tuple[tuple[tuple[Evidence, ...], tuple[Evidence, ...]], ...] = (
    (INNOCENT, ()),
    ((*INNOCENT, delivery("A3", "A", b"?")), (sync_run(),)),
    ((*INNOCENT, THEFT), (sync_run(),)),
    (RICH, RICH_TARGET),
)


def without_processes(verdict: Verdict) -> Verdict:
    """What is told of the run as a whole; whether a print is missing is a matter of its process, too."""
    reasons = tuple(reason for reason in verdict.reasons if "in flight" not in reason and "were sent" not in reason)
    return msgspec.structs.replace(verdict, processes={}, in_flight_at_stop=0, reasons=reasons)


def test_twice(tmp_path: Path) -> None:
    """Deciding again gives the same verdict, and so the same file."""
    first = decide(write_run(tmp_path, RICH, RICH_TARGET, shows_points=True))
    write_verdict(tmp_path, first)
    before = (tmp_path / VERDICT_FILE).read_bytes()
    second = decide(tmp_path)
    write_verdict(tmp_path, second)
    assert first == second
    assert (tmp_path / VERDICT_FILE).read_bytes() == before
    assert len(first.incidents) == 2


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_any_order(data: st.DataObject) -> None:
    """The verdict does not depend on the order of segments, nor on that of the records inside a segment."""
    with TemporaryDirectory() as directory:
        expected = decide(write_run(Path(directory) / "one", RICH, RICH_TARGET, shows_points=True))
        other = write_run(
            Path(directory) / "other",
            data.draw(st.permutations(RICH)),
            data.draw(st.permutations(RICH_TARGET)),
            segments=data.draw(st.sampled_from([(LOAD, TARGET), (TARGET, LOAD)])),
            shows_points=True,
        )
        assert decide(other) == expected


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_any_division(data: st.DataObject) -> None:
    """The verdict does not depend on which segment a record stands in, but for what it tells of single processes."""
    everything = [*RICH, *RICH_TARGET]
    cut_at = data.draw(st.integers(0, len(everything)))
    with TemporaryDirectory() as directory:
        expected = decide(write_run(Path(directory) / "one", RICH, RICH_TARGET, shows_points=True))
        prints = sum(isinstance(record, Print) for record in RICH)
        other = write_run(
            Path(directory) / "other", everything[:cut_at], everything[cut_at:], issued=prints, shows_points=True
        )
        assert without_processes(decide(other)) == without_processes(expected)


@settings(deadline=None, max_examples=80)
@given(run=st.sampled_from(SMALL), segment=st.sampled_from([LOAD, TARGET]), data=st.data())
def test_truncation_never_clears(
    run: tuple[tuple[Evidence, ...], tuple[Evidence, ...]], segment: str, data: st.DataObject
) -> None:
    """Truncating any segment anywhere never leads to PASS."""
    with TemporaryDirectory() as name:
        directory = write_run(Path(name), *run, shows_points=run is SMALL[-1])
        path = segment_path(directory, segment)
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        assert decide(directory).verdict != "PASS"


@settings(deadline=None, max_examples=40)
@given(data=st.data(), innocent=st.booleans())
def test_losing_records_never_clears(data: st.DataObject, innocent: bool) -> None:
    """A run that lost prints, in segments that are whole by themselves, is never PASS."""
    load = INNOCENT if innocent else (*INNOCENT, THEFT)
    prints = [record for record in load if isinstance(record, Print)]
    lost = data.draw(st.lists(st.sampled_from(prints), min_size=1, unique=True))
    with TemporaryDirectory() as name:
        directory = write_run(Path(name), [record for record in load if record not in lost], issued=len(prints))
        assert decide(directory).verdict != "PASS"


def test_many_load_segments(tmp_path: Path) -> None:
    """Any number of load segments is judged together; what each of them had sent is added up."""
    write_run(tmp_path, INNOCENT[:5])
    write_segment(tmp_path, "load-2", [INNOCENT[5]], issued=2)
    write_json(tmp_path / RUN_FILE, describe(segments=(LOAD, TARGET, "load-2")))
    verdict = decide(tmp_path)
    assert (verdict.prints_judged, verdict.exposures, verdict.in_flight_at_stop) == (2, 1, 1)
