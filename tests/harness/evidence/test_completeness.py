"""What only all prints together show: an attempt with two ends, and two users with one identity."""

from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.completeness import faults_of
from harness.records import ClockReading, Evidence, Print
from tests.harness.builders import CLOCK, ended, evidence_of, failed, planted

At = tuple[int, int]


def faults(*load: Evidence) -> list[str]:
    """Of a run in which these were recorded."""
    with TemporaryDirectory() as place:
        return list(faults_of(evidence_of(Path(place) / "run", load).prints))


@pytest.mark.parametrize(
    ("other", "at", "shared"),
    [
        pytest.param("A", (199, 300), True, id="one nanosecond together"),
        pytest.param("A", (200, 300), False, id="sent in the nanosecond of the answer"),
        pytest.param("A", (201, 300), False, id="sent after the answer"),
        pytest.param("A", (50, 101), True, id="answered a nanosecond after the other was sent"),
        pytest.param("A", (50, 100), False, id="answered in the nanosecond in which the other was sent"),
        pytest.param("A", (120, 130), True, id="inside the other"),
        pytest.param("A", (100, 200), True, id="the very same time"),
        pytest.param("A", (100, 100), False, id="an instant at the begin of the other"),
        pytest.param("A", (200, 200), False, id="an instant at the end of the other"),
        pytest.param("B", (120, 130), True, id="another member of the household"),
        pytest.param("X", (120, 130), False, id="another household"),
    ],
)
def test_shared_identity(other: str, at: At, shared: bool) -> None:
    """Two prints of one household that were in flight together are two users with one identity; at a touch not."""
    one, two = failed("A1", "A", at=(100, 200)), failed("A2", other, at=at)
    expected = [
        "two users had one identity 1 time(s), such as in A1.1 and A2.1: a mix-up between the two could not be seen"
    ]
    for order in ((one, two), (two, one)):
        found = [fault.replace("A2.1 and A1.1", "A1.1 and A2.1") for fault in faults(*order)]
        assert found == (expected if shared else [])


@pytest.mark.parametrize(("answered_ns", "shared"), [(211, False), (212, True)])
def test_shared_for_certain(tmp_path: Path, answered_ns: int, shared: bool) -> None:
    """Times of another clock, which drifts, count as far as they are certain: nobody is accused on a guess."""
    prints = [failed("A1", "A", at=(100, answered_ns)), failed("A2", "B", at=(200, 300))]
    reading = ClockReading(at_ns=200, offset_ns=0, uncertainty_ns=5)
    found = faults_of(evidence_of(tmp_path / "run", [*prints, reading], clocks=("another", CLOCK)).prints)
    assert bool(list(found)) == shared


def test_a_print_of_the_harness_is_nobody(tmp_path: Path) -> None:
    """The self-test, planted while its recipient's own print is in flight, accuses nobody."""
    evidence = evidence_of(tmp_path / "run", [failed("A1", "A"), *planted("A", b"?", at=(120, 130))])
    assert list(faults_of(evidence.prints)) == []


@settings(max_examples=60)
@given(
    prints=st.lists(
        st.tuples(st.sampled_from("ABX"), st.integers(0, 30), st.integers(0, 12)), max_size=7, unique_by=lambda p: p[1]
    )
)
def test_against_every_pair(prints: list[tuple[str, int, int]]) -> None:
    """One identity is reported exactly if some two prints of one household overlapped."""
    made = [
        failed(f"A{number}", applicant, at=(sent_ns, sent_ns + lasts_ns))
        for number, (applicant, sent_ns, lasts_ns) in enumerate(prints)
    ]
    lasting = [print_ for print_ in made if print_.sent_ns < print_.answered_ns]
    expected = {
        (one.nonce, two.nonce)
        for one, two in combinations(sorted(lasting, key=lambda print_: print_.sent_ns), 2)
        if one.group == two.group and two.sent_ns < one.answered_ns
    }
    found = faults(*made)
    assert len(found) == bool(expected)
    if found:
        assert any(
            f" in {one} and {two}: " in found[0] or f" in {two} and {one}: " in found[0] for one, two in expected
        )


@pytest.mark.parametrize(
    ("more", "found"),
    [
        pytest.param([], [], id="each once"),
        pytest.param([failed("A1", "A", attempt=2, at=(300, 310))], [], id="another attempt"),
        pytest.param([ended("nothing", "A1", "A", at=(300, 310))], ["1", "A1.1"], id="the same attempt, another end"),
        pytest.param([failed("A1", "A", at=(300 + n, 300 + n)) for n in (1, 2)], ["1", "A1.1"], id="three times"),
        pytest.param(
            [
                failed("A2", "X", attempt=2, at=(300, 301)),
                failed("A2", "X", attempt=2, at=(400, 401)),
                failed("A1", "A", at=(500, 501)),
            ],
            ["2", "A1.1"],
            id="two attempts, each twice",
        ),
    ],
)
def test_repeated_attempts(more: list[Print], found: list[str]) -> None:
    """An attempt that is on record more than once is a fault, told with the number of such attempts and an example."""
    load = [failed("A1", "A"), failed("A2", "X"), *more]
    for order in (load, load[::-1]):
        told = faults(*order)
        assert told == ([f"{found[0]} attempt(s) are on record more than once, such as {found[1]}"] if found else [])


def test_more_than_one_application_between(tmp_path: Path) -> None:
    """Among many applications the one attempt that is on record twice is found, wherever its two ends stand."""
    load = [failed(f"A{number}", "A", at=(number * 10, number * 10 + 5)) for number in range(3000)]
    load.append(msgspec.structs.replace(load[7], sent_ns=50_000, answered_ns=50_001))
    found = list(faults_of(evidence_of(tmp_path / "run", load).prints))
    assert found == ["1 attempt(s) are on record more than once, such as A7.1"]
