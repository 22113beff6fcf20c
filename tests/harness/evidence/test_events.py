"""Events in columns say the same as the records that they were made of, in whatever order these came."""

import os
import random
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.coverage import POINTS
from harness.evidence.events import Events
from harness.evidence.lines import EventColumns
from harness.records import PrintEvent

events_ = st.lists(
    st.builds(
        PrintEvent,
        nonce=st.sampled_from(["A1.1", "A1.2", "A2.1", "住民票.1"]),
        point=st.sampled_from(["applied", "waiting", "staged", "written", "read", "failed", "delivered"]),
        at_ns=st.integers(0, 9) | st.integers(-(2**63), 2**63 - 1),
        slot=st.sampled_from(["", "1", "2", "10"]),
    ),
    max_size=12,
)


def at(nonce: str, point: str, at_ns: int, slot: str = "") -> PrintEvent:
    return PrintEvent(nonce=nonce, point=point, at_ns=at_ns, slot=slot)


def rows(events: Events) -> list[tuple[int, int, int, int]]:
    """The columns, row by row."""
    columns = (events.print_, events.point, events.at_ns, events.slot)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@settings(max_examples=300)
@given(events_, st.lists(st.integers(0, 12), max_size=4))
def test_one_row_an_event(events: list[PrintEvent], cuts: list[int]) -> None:
    """Each event keeps its print, its point, its time and its slot: slots are numbered in the order of their names."""
    names = sorted({event.slot for event in events} - {""})
    columns = Events()
    for first, last in pairwise([0, *sorted(cuts), len(events)]):
        columns.add(EventColumns.of(events[first:last]))
    columns.seal()
    expected = [
        (
            columns.number_of(event.nonce),
            columns.points.index(event.point or "other"),
            event.at_ns,
            names.index(event.slot) if event.slot else -1,
        )
        for event in events
    ]
    made = rows(columns)
    assert columns.points[: len(POINTS) - 1] == POINTS[:-1]
    assert columns.slots == tuple(names)
    assert sorted(made) == sorted(expected)
    assert [(print_, at_ns) for print_, _, at_ns, _ in made] == sorted((one[0], one[2]) for one in expected)


@given(events_, st.randoms(use_true_random=False))
def test_order(events: list[PrintEvent], shuffler: random.Random) -> None:
    """Another order of the events is another order of the rows, and nothing else."""
    shuffled = Events.of(shuffler.sample(events, len(events)))
    assert sorted(rows(shuffled)) == sorted(rows(Events.of(events)))
    nonces = [event.nonce for event in events]
    assert shuffled.numbers_of(nonces).tolist() == Events.of(events).numbers_of(nonces).tolist()
    assert shuffled.resends() == Events.of(events).resends()


@settings(max_examples=200)
@given(events_, st.sets(st.sampled_from(["A1.1", "A2.1", "住民票.1", "A9.1"])))
def test_points_reached(events: list[PrintEvent], asked: set[str]) -> None:
    """Of the prints asked for, and of no others, when each point was reached last, and in which slot."""
    slots = sorted({event.slot for event in events} - {""})
    expected: dict[str, dict[str, tuple[int, int]]] = {nonce: {} for nonce in asked}
    for event in sorted(events, key=lambda event: event.at_ns):
        if event.nonce in asked:
            slot = slots.index(event.slot) if event.slot else -1
            expected[event.nonce][event.point or "other"] = event.at_ns, slot
    assert Events.of(events).reached(asked) == expected


@pytest.mark.parametrize(("others", "names"), [(99, 100), (100, 1), (300, 1)])
def test_very_many_points(others: int, names: int) -> None:
    """A service with more points than can be told apart has the states all the same, and one name for all others."""
    events = [at("A1.1", f"point {number}", number) for number in range(others)]
    columns = Events.of([*events, at("A1.1", "written", others)])
    assert len(columns.points) == len(POINTS) - 1 + names
    assert columns.points[columns.point[-1]] == "written"
    assert {columns.points[point] for point in columns.point[:-1].tolist()} == (
        {"other"} if names == 1 else {event.point for event in events}
    )


@pytest.mark.parametrize(
    ("events", "number"),
    [
        ([], 0),
        ([at("A1.1", "applied", 1), at("A1.2", "applied", 2), at("A2.1", "applied", 2)], 0),
        ([at("A1.1", "waiting", 1), at("A1.1", "waiting", 2)], 0),
        ([at("A1.1", "applied", 1), at("A1.1", "applied", 1)], 1),
        ([at("A1.1", "applied", 1), at("A1.1", "applied", 2), at("A1.1", "applied", 3), at("A2.1", "applied", 3)], 1),
        ([at("A1.1", "applied", 1), at("A1.1", "applied", 9), at("A2.1", "applied", 3), at("A2.1", "applied", 4)], 2),
    ],
)
def test_resends(events: list[PrintEvent], number: int) -> None:
    """A print was sent again when its application reached the service more than once; a re-application is another."""
    assert Events.of(events).resends() == number


@given(events_)
def test_prints_in_order(events: list[PrintEvent]) -> None:
    """Prints are numbered in the order of their first events, and one without any has no number."""
    columns = Events.of(events)
    first_ns: dict[int, int] = {}
    for event in sorted(events, key=lambda event: event.at_ns):
        first_ns.setdefault(columns.number_of(event.nonce), event.at_ns)
    assert sorted(first_ns) == list(range(len({event.nonce for event in events})))
    assert [first_ns[number] for number in sorted(first_ns)] == sorted(first_ns.values())
    assert columns.number_of("A9.1") == -1


@given(events_, st.sets(st.integers(0, 3)))
def test_without_some_prints(events: list[PrintEvent], prints: set[int]) -> None:
    """Without some prints everything else is as it was, the numbers of the prints included."""
    columns = Events.of(events)
    left = columns.without(prints)
    assert rows(left) == [
        row for row, print_ in zip(rows(columns), columns.print_, strict=True) if print_ not in prints
    ]
    assert left.numbers_of(["A1.1", "A9.1"]).tolist() == columns.numbers_of(["A1.1", "A9.1"]).tolist()


def told() -> str:
    """What is told of prints that all came at once."""
    return str(rows(Events.of([at(f"A{number}.1", "applied", 5, f"{number % 3}") for number in range(20)])))


def test_numbers_in_another_process() -> None:
    """A print has the same number in every process, however that process hashes its texts."""
    program = "from tests.harness.evidence.test_events import told; print(told())"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {told() + "\n"}
