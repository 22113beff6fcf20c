"""Whatever happens to the evidence, the verdict depends on what it proves alone, and loss never clears anybody."""

from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.criteria import Criteria, Limit
from harness.evidence.ledger import RUN_FILE, VERDICT_FILE, Report, segment_path, write_json
from harness.gate import decide
from harness.records import ErrorNotice, Evidence, Fault, Print, PrintEvent, Refusal, SelfTest
from harness.verdict import write_verdict
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
    planted,
    refused,
    sync_run,
    write_run,
    write_segment,
)

NUMBER = ("my_number",)
THEFT = delivery("A3", "A", paper("X"), at=(210, 220))
"""A was handed the paper of X, after having got the own one: nothing else is wrong with it."""
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
RUNS: tuple[tuple[tuple[Evidence, ...], tuple[Evidence, ...]], ...] = (
    (INNOCENT, (sync_run(),)),
    (INNOCENT, ()),
    ((*INNOCENT, THEFT), (sync_run(),)),
    (RICH, RICH_TARGET),
)
"""PASS, INCONCLUSIVE, FAIL with evidence that is whole, and FAIL with much else beside it."""
BORN = ("A", "B", "N")
PROTECTED = (Refusal(applicant="A", reason="protected"),)
EVENTFUL: tuple[Evidence, ...] = (
    *INNOCENT,
    change(2, sent_ns=190, persons=BORN),
    *(entry(*BORN, options=("household",), version=2), entry("A", version=4)),
    delivery("A3", "B", paper(*BORN, options=("household",), version=2), options=("household",), at=(230, 240)),
    change(3, sent_ns=250, persons=BORN, refusals=PROTECTED),
    refused("A4", "A", at=(270, 280)),
    change(4, sent_ns=290, persons=BORN),
    delivery("A5", "A", paper("A", version=4), at=(310, 320)),
)
"""PASS with a birth, and with a protection that was ended before the last paper."""
EVENTFUL_TARGET: tuple[Evidence, ...] = (
    *(sync_run(), sync_run("S2", 190, 220, applied=[("G1", 2)])),
    *(sync_run("S3", 250, 260, applied=[("G1", 3)]), sync_run("S4", 290, 330, applied=[("G1", 4)])),
)
RANKS = "FAIL", "INCONCLUSIVE", "PASS"
ADDED: dict[str, tuple[Evidence, ...]] = {
    "theft": (delivery("B1", "B", paper("X"), at=(400, 410)),),
    "unknown bytes": (delivery("B2", "X", b"?", at=(400, 410)),),
    "second paper": (delivery("A1", "A", paper("A"), attempt=2, at=(150, 160)),),
    "the same line again": (INNOCENT[4],),
    "one identity twice": (delivery("B3", "X", paper("X"), at=(140, 150)),),
    "error": (failed("B4", "A", at=(400, 410)),),
    "refusal": (refused("B5", "A", at=(400, 410)),),
    "fault of a process": (Fault(text="a listener threw"),),
    "missed self-test": tuple(planted("A", paper("A"))),
}
SAID: dict[str, dict[str, Any]] = {
    "fault of the owner": {"faults": ("no more room",)},
    "interrupted": {"ended": "interrupted"},
    "died": {"died": "the AP server ended"},
    "batches lost": {"reports": {LOAD: Report(batch=9, issued=0)}},
    "segment missing": {"segments": (TARGET, LOAD, "load-2")},
    "stricter criteria": {
        "criteria": Criteria(
            maximum=(Limit(metric="error_share", value=0.0), Limit(metric="p99_s", kind="koseki", value=1.0)),
            minimum=(Limit(metric="exposures", value=2.0),),
        )
    },
    "rate not kept": {"planned_prints": 100},
}
IN_FLIGHT = "in flight at the stop"
AGAINST = (*ADDED, *SAID, IN_FLIGHT)
"""What speaks against any run, whatever else is known of it."""


def verdict_with(number: int, against: Iterable[str]) -> str:
    """The verdict on one of `RUNS` with all of these on record too."""
    load, target = RUNS[number]
    more = [record for name in against for record in ADDED.get(name, ())]
    fields = {key: value for name in against for key, value in SAID.get(name, {}).items()}
    records = [*load, *more]
    ours = {record.application for record in more if isinstance(record, SelfTest)}
    sent = sum(isinstance(record, Print) and record.application not in ours for record in records)
    issued = sent + (IN_FLIGHT in against)
    with TemporaryDirectory() as directory:
        run = write_run(Path(directory), records, target, issued=issued, shows_points=load is RICH, **fields)
        return decide(run).verdict


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


def test_any_two_lines(tmp_path: Path) -> None:
    """Whatever two lines of a run without a fault are damaged, nobody is blamed for what they would have told."""
    run = write_run(tmp_path, EVENTFUL, EVENTFUL_TARGET)
    assert decide(run).verdict == "PASS"
    path = segment_path(run, LOAD)
    lines = path.read_bytes().splitlines(keepends=True)
    for damaged in combinations(range(1, len(lines)), 2):
        path.write_bytes(b"".join(b"#" + line[1:] if at in damaged else line for at, line in enumerate(lines)))
        assert decide(run).verdict == "INCONCLUSIVE", [lines[at] for at in damaged]


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
        other = decide(
            write_run(Path(directory) / "other", everything[:cut_at], everything[cut_at:], shows_points=True)
        )
        assert msgspec.structs.replace(other, processes=expected.processes) == expected


@settings(deadline=None, max_examples=80)
@given(number=st.integers(0, len(RUNS) - 1), against=st.permutations(AGAINST), data=st.data())
def test_nothing_against_a_run_clears_it(number: int, against: list[str], data: st.DataObject) -> None:
    """Whatever is added to speak against a run never makes its verdict better, whatever speaks against it already."""
    already = data.draw(st.integers(0, 4))
    added = data.draw(st.integers(already + 1, len(against)))
    before, after = verdict_with(number, against[:already]), verdict_with(number, against[:added])
    assert RANKS.index(after) <= RANKS.index(before)


@pytest.mark.parametrize("name", AGAINST)
def test_each_speaks_against_a_run(name: str) -> None:
    """Everything that the rule above adds is weighed: but for what has to be asked for, it ends a PASS by itself."""
    assert verdict_with(0, ()) == "PASS"
    weighed_when_asked = {"error", "refusal", "missed self-test"}
    assert (verdict_with(0, [name]) == "PASS") == (name in weighed_when_asked)


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
