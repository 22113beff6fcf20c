"""Which coverage cells the sync runs of a test hit: what stood together with what, phase by phase.

A cell is a phase of a sync run and the states of one to three prints at one instant of it. It is counted in sync runs,
because prints inside one run are not independent. Whatever holds of more prints holds of fewer: where three prints
wait, the cells of two and of one waiting print are hit too.

Phases are closed intervals, as everywhere. The states of one print are half-open, from its point to its next, since a
print is in one state at a time; where several points fall into one nanosecond, the state after all of them holds. Times
are whole nanoseconds, so the closed interval that ends at t is the half-open one that ends at t + 1, and inside this
module all intervals are half-open. What is not known is left out: a cell can be missed, but none is shown that was not
hit.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.evidence.run_times import UNSEEN_NS, RunTimes
from harness.records import Record, SyncRun

Times = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Runs = npt.NDArray[np.intp]
"""Indexes of sync runs, in ascending order."""

SLOT_STATES = ("waiting", "staged", "written", "read")
"""States of a print at the stage of a slot."""
STATES = ("applied", *SLOT_STATES)
"""States of a print; one that has only applied has no slot yet."""
POINTS = (*STATES, "other")
"""Points that begin a state, and one name for all others, which only end one."""

MOST = 3  # prints in a cell
NEVER = np.iinfo(np.int64).min


class Cell(Record, frozen=True, kw_only=True):
    """Prints in these states at one instant of this phase of a sync run.

    Args:
        states: one for each print, in the order of `STATES`; from outside "in_flight" for each.
    """

    phase: str
    states: tuple[str, ...]


def _crowds_of(states: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """One to `MOST` prints in every combination of states."""
    return tuple(crowd for k in range(1, MOST + 1) for crowd in combinations_with_replacement(states, k))


APPLIED = STATES[:1]
IN_FLIGHT = ("in_flight",)
POINT_CELLS = tuple(
    Cell(phase=phase, states=crowd)
    for phase in ("begin", "applying", "releasing", "done")
    for crowd in _crowds_of(STATES)
)
OUTSIDE_CELLS = tuple(
    Cell(phase=phase, states=crowd) for phase in ("before", "during", "after") for crowd in _crowds_of(IN_FLIGHT)
)


def cells_from_points(
    runs: Sequence[SyncRun],
    *,
    print_: npt.NDArray[np.int32],
    point: npt.NDArray[np.int8],
    at_ns: Times,
    slot: npt.NDArray[np.int32],
) -> dict[Cell, Runs]:
    """Cell of `POINT_CELLS` -> indexes into `runs` of the sync runs that hit it; cells never hit are absent.

    The phase `begin` is the instant of begin_ns; `applying` lasts from there to applied_ns, `releasing` to released_ns,
    `done` from released_ns (where nothing is released, from applied_ns) to acknowledged_ns. A phase of which a point is
    missing was never seen. Prints of one cell share a slot; those that have only applied count beside any slot.

    A print whose last point begins a state was in it at that instant only, because nobody saw how long. Points in one
    nanosecond are taken in the order of `POINTS`, and one point in two slots as in the slot with the higher key.

    Args:
        print_: any key of the print, shape (events,), as the three others; events come in any order.
        point: index into `POINTS`.
        slot: any key of the slot; events without one (-1) share a slot, as those of a service with a single slot do.
    """
    phases = _Phases(_phases_by_points(RunTimes.of(runs)))
    stays = _stays(print_, point, at_ns, slot)
    stays = stays.where(_Union(phases.begin, phases.end).meets(stays.begin, stays.end))
    has_slot = stays.state > 0
    in_slots = _Crowds(stays.where(has_slot), STATES)
    without_slot = _Crowds(stays._replace(slot=np.zeros_like(stays.slot)).where(~has_slot), APPLIED)
    applied = {k: without_slot.when(APPLIED * k) for k in range(1, MOST + 1)}
    hits = {APPLIED * k: union.meets(phases.begin, phases.end) for k, union in applied.items()}
    for crowd in _crowds_of(SLOT_STATES):
        union = in_slots.when(crowd)
        hits[crowd] = union.meets(phases.begin, phases.end)
        for k in range(1, MOST - len(crowd) + 1):
            hits[APPLIED * k + crowd] = (union & applied[k]).meets(phases.begin, phases.end)
    return phases.cells(hits)


def cells_from_outside(runs: Sequence[SyncRun], *, sent_ns: Times, answered_ns: Times) -> dict[Cell, Runs]:
    """Cell of `OUTSIDE_CELLS` -> indexes into `runs` of the sync runs that hit it; cells never hit are absent.

    `during` is the sync run, closed; `before` and `after` are closed intervals of the same length that touch it. Prints
    are in flight from sent to answered, both included.

    Args:
        sent_ns: shape (prints,), as `answered_ns`; prints come in any order.
    """
    phases = _Phases(_phases_from_outside(RunTimes.of(runs)))
    flights = _Stays(
        state=np.zeros(len(sent_ns), np.int8),
        begin=sent_ns,
        end=answered_ns + 1,
        slot=np.zeros(len(sent_ns), np.int32),
    )
    in_flight = _Crowds(flights.where(answered_ns >= sent_ns), IN_FLIGHT)
    return phases.cells(
        {crowd: in_flight.when(crowd).meets(phases.begin, phases.end) for crowd in _crowds_of(IN_FLIGHT)}
    )


def _phases_by_points(times: RunTimes) -> Iterator[tuple[str, Flags, Times, Times]]:
    """The phases, by whether each run was seen to go through it, each a closed interval."""
    begin_ns, applied_ns, released_ns, acknowledged_ns, _ = times
    was_applied, was_released = applied_ns != UNSEEN_NS, released_ns != UNSEEN_NS
    yield "begin", np.ones(len(begin_ns), np.bool_), begin_ns, begin_ns
    yield "applying", was_applied, begin_ns, applied_ns
    yield "releasing", was_applied & was_released, applied_ns, released_ns
    done_from_ns = np.where(was_released, released_ns, applied_ns)
    yield "done", was_applied & (acknowledged_ns != UNSEEN_NS), done_from_ns, acknowledged_ns


def _phases_from_outside(times: RunTimes) -> Iterator[tuple[str, Flags, Times, Times]]:
    begin_ns, end_ns = times.begin_ns, times.work_end_ns
    length_ns, every = end_ns - begin_ns, np.ones(len(begin_ns), np.bool_)
    yield "before", every, begin_ns - length_ns, begin_ns
    yield "during", every, begin_ns, end_ns
    yield "after", every, end_ns, end_ns + length_ns


class _Phases:
    """The phases of all sync runs, kind by kind; those whose points are in the wrong order are left out."""

    def __init__(self, phases: Iterable[tuple[str, Flags, Times, Times]]) -> None:
        self._runs: dict[str, Runs] = {}
        begins, ends = [], []
        for name, seen, begin_ns, end_ns in phases:
            runs = np.flatnonzero(seen & (begin_ns <= end_ns))
            self._runs[name] = runs
            begins.append(begin_ns[runs])
            ends.append(end_ns[runs] + 1)
        self.begin: Times = np.concatenate(begins)
        self.end: Times = np.concatenate(ends)

    def cells(self, hits: dict[tuple[str, ...], Flags]) -> dict[Cell, Runs]:
        """Cell -> sync runs, of states -> whether each phase met them."""
        cells = {}
        first = 0
        for name, of_name in self._runs.items():
            for states, met in hits.items():
                runs = of_name[met[first : first + len(of_name)]]
                if len(runs):
                    cells[Cell(phase=name, states=states)] = runs
            first += len(of_name)
        return cells


class _Union:
    """The instants of many half-open intervals, as intervals that are apart, in order."""

    def __init__(self, begin: Times, end: Times) -> None:
        order = np.argsort(begin, kind="stable")
        # The first interval is empty and stands for "nothing has begun", so that every search finds one.
        begin, end = np.append(NEVER, begin[order]), np.maximum.accumulate(np.append(NEVER, end[order]))
        apart = begin[1:] > end[:-1]
        self._begin: Times = begin[np.append(True, apart)]
        self._end: Times = end[np.append(apart, True)]

    def meets(self, begin: Times, end: Times) -> Flags:
        """Whether each of the half-open intervals, none of them empty, holds an instant of this union."""
        return self._reach(end - 1) > begin

    def __and__(self, other: "_Union") -> "_Union":
        """The instants of both: each piece begins where one of the two begins within the other."""
        begin = np.concatenate((self._begin, other._begin))
        end = np.concatenate(
            (np.minimum(self._end, other._reach(self._begin)), np.minimum(other._end, self._reach(other._begin)))
        )
        return _Union(begin[begin < end], end[begin < end])

    def _reach(self, at: Times) -> Times:
        """The end of the last interval that has begun by then."""
        return self._end[np.searchsorted(self._begin, at, side="right") - 1]


class _Stays(NamedTuple):
    """Stays of prints in a state (its index), half-open; arrays of one length."""

    state: npt.NDArray[np.int8]
    begin: Times
    end: Times
    slot: npt.NDArray[np.int32]

    def where(self, flags: Flags) -> "_Stays":
        return _Stays(self.state[flags], self.begin[flags], self.end[flags], self.slot[flags])


def _stays(
    print_: npt.NDArray[np.int32], point: npt.NDArray[np.int8], at_ns: Times, slot: npt.NDArray[np.int32]
) -> _Stays:
    """The states of all prints, each from its point to the print's next."""
    order = np.arange(len(print_)) if in_order(print_, at_ns) else np.lexsort((slot, point, at_ns, print_))
    print_, at_ns = print_[order], at_ns[order]
    settled = np.flatnonzero(_is_last(print_, at_ns))
    order, print_, at_ns = order[settled], print_[settled], at_ns[settled]
    until = at_ns + 1
    np.copyto(until[:-1], at_ns[1:], where=print_[1:] == print_[:-1])
    stays = _Stays(state=point[order], begin=at_ns, end=until, slot=slot[order])
    return stays.where(stays.state < len(STATES))


class _Crowds:
    """How many prints were in each state of one slot together, slot by slot and row by row in time.

    A row holds until the next. The last row of a slot holds nobody, since every stay has ended.
    """

    def __init__(self, stays: _Stays, states: tuple[str, ...]) -> None:
        time = np.concatenate((stays.begin, stays.end))
        slot = np.concatenate((stays.slot, stays.slot))
        order = np.lexsort((time, slot))
        settled = np.flatnonzero(_is_last(slot[order], time[order]))
        self._time: Times = time[order[settled]]
        self._counts: dict[str, npt.NDArray[np.int8]] = {}
        for index, state in enumerate(states):
            entered = (stays.state == index).astype(np.int8)
            count = np.cumsum(np.concatenate((entered, -entered))[order], dtype=np.int32)[settled]
            self._counts[state] = np.minimum(count, MOST).astype(np.int8)

    def when(self, crowd: tuple[str, ...]) -> _Union:
        """When at least these prints were together in any slot."""
        together = np.all([self._counts[state] >= least for state, least in Counter(crowd).items()], axis=0)
        before = np.roll(together, 1)  # the last row of all holds nobody, so the first one has nobody before it
        return _Union(self._time[together & ~before], self._time[before & ~together])


def in_order(print_: npt.NDArray[np.int32], at_ns: Times) -> bool:
    """Whether the events are sorted by print and time, and no print reached two points in one nanosecond.

    Sorting is most of what very many events cost, and they come sorted.
    """
    same = print_[1:] == print_[:-1]
    return bool(np.all((print_[1:] > print_[:-1]) | (same & (at_ns[1:] > at_ns[:-1]))))


def _is_last(*keys: npt.NDArray[np.generic]) -> Flags:
    """Whether the next row differs in one of the keys, or there is none."""
    rows = len(keys[0])
    last = np.ones(rows, np.bool_)
    last[:-1] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return last
