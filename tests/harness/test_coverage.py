"""Cells are hit exactly when the definition, read instant by instant, says so."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations
from random import Random
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import coverage
from harness.coverage import OUTSIDE_CELLS, POINT_CELLS, POINTS, STATES, Cell, cells_from_outside, cells_from_points
from harness.records import SyncRun

Event = tuple[int, str, int, int]
"""Key of the print, point, time, key of the slot."""

Hits = dict[Cell, set[int]]

LAST_NS = 12
times = st.integers(0, LAST_NS)
runs_ = st.lists(
    st.builds(
        SyncRun,
        sync_run=st.just("S"),
        applied=st.just(()),
        begin_ns=times,
        applied_ns=st.none() | times,
        released_ns=st.none() | times,
        acknowledged_ns=st.none() | times,
        end_ns=st.none() | times,
    ),
    max_size=4,
)
points = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(POINTS), times, st.sampled_from([-1, 3, 8])), max_size=25
)
flights_ = st.lists(st.tuples(times, times), max_size=7)


def hit_by_points(runs: list[SyncRun], events: list[Event]) -> Hits:
    print_, point, at_ns, slot = zip(*events, strict=True) if events else ((), (), (), ())
    hits = cells_from_points(
        runs,
        print_=np.array(print_, np.int32),
        point=np.array([POINTS.index(name) for name in point], np.int8),
        at_ns=np.array(at_ns, np.int64),
        slot=np.array(slot, np.int32),
    )
    return {cell: set(found.tolist()) for cell, found in hits.items()}


def hit_from_outside(runs: list[SyncRun], flights: list[tuple[int, int]]) -> Hits:
    sent_ns, answered_ns = np.array(flights, np.int64).reshape(-1, 2).T
    hits = cells_from_outside(runs, sent_ns=sent_ns, answered_ns=answered_ns)
    return {cell: set(found.tolist()) for cell, found in hits.items()}


# The naive versions read the definitions word for word, one instant after the other.


def naive_state(own: list[Event], now_ns: int) -> tuple[str, int | None] | None:
    """State and slot of the print that reached these points, at that instant."""
    past = [event for event in own if event[2] <= now_ns]
    if not past:
        return None
    _, point, at_ns, slot = max(past, key=lambda event: (event[2], POINTS.index(event[1]), event[3]))
    if point not in STATES or (now_ns > at_ns and len(past) == len(own)):
        return None
    return point, None if point == "applied" else slot


def naive_phases(run: SyncRun) -> Iterator[tuple[str, int, int]]:
    begin, applied, released, done = run.begin_ns, run.applied_ns, run.released_ns, run.acknowledged_ns
    yield "begin", begin, begin
    if applied is not None:
        yield "applying", begin, applied
        if released is not None:
            yield "releasing", applied, released
        if done is not None:
            yield "done", applied if released is None else released, done


def naive_from_points(runs: list[SyncRun], events: list[Event]) -> Hits:
    hits: Hits = defaultdict(set)
    by_print = {key: [event for event in events if event[0] == key] for key, *_ in events}
    for index, run in enumerate(runs):
        for phase, first, last in naive_phases(run):
            for now_ns in range(first, last + 1):
                there = [state for own in by_print.values() if (state := naive_state(own, now_ns))]
                for k in (1, 2, 3):
                    for together in combinations(there, k):
                        if len({slot for _, slot in together} - {None}) <= 1:
                            states = tuple(sorted((state for state, _ in together), key=STATES.index))
                            hits[Cell(phase=phase, states=states)].add(index)
    return hits


def naive_from_outside(runs: list[SyncRun], flights: list[tuple[int, int]]) -> Hits:
    hits: Hits = defaultdict(set)
    for index, run in enumerate(runs):
        begin = run.begin_ns
        end = max(t for t in (begin, run.applied_ns, run.released_ns, run.end_ns) if t is not None)
        length = end - begin
        for phase, first, last in (
            ("before", begin - length, begin),
            ("during", begin, end),
            ("after", end, end + length),
        ):
            for now_ns in range(first, last + 1):
                together = sum(sent <= now_ns <= answered for sent, answered in flights)
                for k in range(1, min(together, 3) + 1):
                    hits[Cell(phase=phase, states=("in_flight",) * k)].add(index)
    return hits


@settings(max_examples=600)
@given(runs_, points)
def test_points_as_naive(runs: list[SyncRun], events: list[Event]) -> None:
    """Runs that overlap, points that are missing, repeated, tied or unsorted: exactly the cells of the definition."""
    assert hit_by_points(runs, events) == naive_from_points(runs, events)


@settings(max_examples=300)
@given(runs_, st.data())
def test_crowded_slots_as_naive(runs: list[SyncRun], data: st.DataObject) -> None:
    """Prints that each go through all their points: exactly the cells of the definition."""
    events = []
    for key in range(5):
        slot = data.draw(st.sampled_from([1, 2]))
        at = sorted(data.draw(st.lists(times, min_size=len(POINTS), max_size=len(POINTS))))
        events += [(key, point, at_ns, slot) for point, at_ns in zip(POINTS, at, strict=True)]
    assert hit_by_points(runs, events) == naive_from_points(runs, events)


@settings(max_examples=600)
@given(runs_, points, st.sampled_from([1, 2, 5]))
def test_parts_as_naive(runs: list[SyncRun], events: list[Event], at_once: int) -> None:
    """However few events are looked at together, nobody who was there is forgotten."""
    with patch.object(coverage, "EVENTS_AT_ONCE", at_once):
        assert hit_by_points(runs, events) == naive_from_points(runs, events)


@pytest.mark.parametrize("other", [0, 127, 128, 256, 2**15, 2**16, 2**31 - 1])
def test_many_slots(other: int) -> None:
    """Prints of two slots are never together, however many slots there are; those of one are."""
    run = SyncRun(sync_run="S", applied=(), begin_ns=10)
    events = [(1, "waiting", 5, 0), (1, "staged", 20, 0), (2, "waiting", 5, other), (2, "staged", 20, other)]
    pair = Cell(phase="begin", states=("waiting", "waiting"))
    assert (pair in hit_by_points([run], events)) == (other == 0)


@given(runs_, points, st.randoms())
def test_order_of_events(runs: list[SyncRun], events: list[Event], random: Random) -> None:
    """The order in which events are given changes no cell."""
    shuffled = random.sample(events, len(events))
    assert hit_by_points(runs, shuffled) == hit_by_points(runs, events)


@settings(max_examples=300)
@given(runs_, flights_)
def test_outside_as_naive(runs: list[SyncRun], flights: list[tuple[int, int]]) -> None:
    """From outside too: exactly the cells of the definition; an answer before the sending is no flight."""
    assert hit_from_outside(runs, flights) == naive_from_outside(runs, flights)


def test_the_last_instant_of_all() -> None:
    """A print that is answered at the last instant that there is meets a sync run like any other."""
    run = SyncRun(sync_run="S", applied=(), begin_ns=10, end_ns=20)
    hits = cells_from_outside([run], sent_ns=np.array([25]), answered_ns=np.array([2**63 - 1]))
    assert [(cell.phase, cell.states) for cell in hits] == [("after", ("in_flight",))]


def test_names_of_cells() -> None:
    """All cells have names, 220 by points and 9 from outside, whether ever hit or not."""
    assert len(set(POINT_CELLS)) == len(POINT_CELLS) == 4 * (5 + 15 + 35)
    assert len(set(OUTSIDE_CELLS)) == len(OUTSIDE_CELLS) == 9
    assert Counter(cell.phase for cell in POINT_CELLS) == dict.fromkeys(("begin", "applying", "releasing", "done"), 55)


@settings(max_examples=30)
@given(runs_, points, flights_)
def test_hit_cells_are_known(runs: list[SyncRun], events: list[Event], flights: list[tuple[int, int]]) -> None:
    """No cell is hit that is not among the known ones, or it would never be shown."""
    assert set(hit_by_points(runs, events)) <= set(POINT_CELLS)
    assert set(hit_from_outside(runs, flights)) <= set(OUTSIDE_CELLS)


@pytest.mark.parametrize("waiting", [3, 4, 9])
def test_parts_of_a_crowd(waiting: int) -> None:
    """Where three prints or more wait, the cells of one, two and three that wait are hit, and no others."""
    events = [(key, point, at_ns, 0) for key in range(waiting) for point, at_ns in (("waiting", 5), ("staged", 20))]
    run = SyncRun(sync_run="S", applied=(), begin_ns=10, applied_ns=None)
    assert hit_by_points([run], events) == {Cell(phase="begin", states=("waiting",) * k): {0} for k in (1, 2, 3)}


def test_one_point_in_two_slots() -> None:
    """A print that reaches one point in two slots at once is in one of them, the same whatever the order of events."""
    run = SyncRun(sync_run="S", applied=(), begin_ns=10)
    at_once = [(7, "written", 10, 2), (7, "written", 10, 1)]
    beside = [(8, "waiting", 10, 1), (9, "read", 10, 2)]
    pairs = [
        {cell.states for cell in hit_by_points([run], beside + order) if len(cell.states) == 2}
        for order in (at_once, at_once[::-1])
    ]
    assert pairs == [{("written", "read")}] * 2


def test_defect_cell() -> None:
    """One print lies in the stage and another one of the same slot waits: the cell is hit; with two slots it is not."""
    run = SyncRun(sync_run="S", applied=(), begin_ns=10, applied_ns=12, released_ns=14, acknowledged_ns=20)
    defect = Cell(phase="releasing", states=("waiting", "written"))
    for slot, hit in ((1, {0}), (2, set[int]())):
        events = [(7, "written", 11, 1), (7, "read", 30, 1), (9, "waiting", 13, slot), (9, "staged", 15, slot)]
        assert hit_by_points([run], events).get(defect, set()) == hit
