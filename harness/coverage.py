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

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt

from harness.crowds import MOST, Crowds, Stays, Union, is_last, together
from harness.evidence.run_times import UNSEEN_NS, RunTimes
from harness.ranges import changes, stretches
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

EVENTS_AT_ONCE = 262_144
"""Events that are looked at together, so that what is made of them stays in the processor's cache."""


_LAST_NS = np.iinfo(np.int64).max


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
    times, stays = RunTimes.of(runs), _StaysByPoints(print_, point, at_ns, slot)
    found: defaultdict[Cell, list[Runs]] = defaultdict(list)
    # The runs of a while at a time: they meet few of the prints, and whatever is looked at is looked at often.
    for some in stays.windows(times.begin_ns):
        phases = _Phases(_phases_by_points(RunTimes(*(column[some] for column in times))), some)
        for cell, met in phases.cells(_hits_by_points(phases, stays.between(*phases.limits))).items():
            found[cell].append(met)
    return {cell: np.sort(np.concatenate(met)) for cell, met in found.items()}


def _hits_by_points(phases: "_Phases", stays: Stays) -> dict[tuple[str, ...], Flags]:
    """States of a cell -> whether each phase met them."""
    stays = stays.where(Union(phases.begin, phases.end).meets(stays.begin, stays.end))
    has_slot = stays.state > 0
    in_slots = Crowds(stays.where(has_slot), STATES)
    applied = dict(enumerate(together(stays.begin[~has_slot], stays.end[~has_slot]), start=1))
    hits: dict[tuple[str, ...], Flags] = {(): np.ones(len(phases.begin), np.bool_)}
    # A cell is looked for where that with a print less was hit.
    for k, union in applied.items():
        hits[APPLIED * k] = phases.met(union, hits[APPLIED * (k - 1)])
    for crowd in _crowds_of(SLOT_STATES):
        union = in_slots.when(crowd)
        hits[crowd] = phases.met(union, hits[crowd[:-1]])
        for k in range(1, MOST - len(crowd) + 1):
            both = hits[crowd] & hits[APPLIED * k]
            hits[APPLIED * k + crowd] = phases.met(union & applied[k], both) if both.any() else both
    del hits[()]
    return hits


def cells_from_outside(runs: Sequence[SyncRun], *, sent_ns: Times, answered_ns: Times) -> dict[Cell, Runs]:
    """Cell of `OUTSIDE_CELLS` -> indexes into `runs` of the sync runs that hit it; cells never hit are absent.

    `during` is the sync run, closed; `before` and `after` are closed intervals of the same length that touch it. Prints
    are in flight from sent to answered, both included.

    Args:
        sent_ns: shape (prints,), as `answered_ns`; prints come in any order.
    """
    phases = _Phases(_phases_from_outside(RunTimes.of(runs)), np.arange(len(runs)))
    rows = np.flatnonzero(answered_ns >= sent_ns)
    ends_ns = np.minimum(answered_ns[rows], _LAST_NS - 1) + 1  # the last instant of all has no next one
    in_flight = together(sent_ns[rows], ends_ns)
    return phases.cells(
        {IN_FLIGHT * k: union.meets(phases.begin, phases.end) for k, union in enumerate(in_flight, start=1)}
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
    """The phases of some sync runs, kind by kind; those whose points are in the wrong order are left out."""

    def __init__(self, phases: Iterable[tuple[str, Flags, Times, Times]], runs: Runs) -> None:
        self._runs: dict[str, Runs] = {}
        begins, ends = [], []
        for name, seen, begin_ns, end_ns in phases:
            known = seen & (begin_ns <= end_ns)
            self._runs[name] = runs[known]
            begins.append(begin_ns[known])
            ends.append(end_ns[known] + 1)
        self.begin: Times = np.concatenate(begins)
        self.end: Times = np.concatenate(ends)

    @property
    def limits(self) -> tuple[int, int]:
        """Of a half-open interval that holds all of them; there is at least one, since every run begins."""
        return int(self.begin.min()), int(self.end.max())

    def met(self, union: Union, among: Flags) -> Flags:
        """Which of these phases hold an instant of the union."""
        found = np.zeros(len(among), np.bool_)
        rows = np.flatnonzero(among)
        found[rows] = union.meets(self.begin[rows], self.end[rows])
        return found

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


def in_order(print_: npt.NDArray[np.int32], at_ns: Times) -> bool:
    """Whether the events are sorted by print and time, and no print reached two points in one nanosecond.

    Sorting is most of what very many events cost, and they come sorted.
    """
    for first in range(0, len(print_), EVENTS_AT_ONCE):
        here = slice(first, first + EVENTS_AT_ONCE + 1)
        earlier, later = print_[here][:-1], print_[here][1:]
        in_time = at_ns[here][1:] > at_ns[here][:-1]
        if not np.all((later > earlier) | ((later == earlier) & in_time)):
            return False
    return True


class _StaysByPoints:
    """The states of all prints, each from its point to the print's next.

    Quick where the prints come in the order of time, as those of `harness.evidence.events` do.
    """

    def __init__(
        self, print_: npt.NDArray[np.int32], point: npt.NDArray[np.int8], at_ns: Times, slot: npt.NDArray[np.int32]
    ) -> None:
        if not in_order(print_, at_ns):
            order = np.lexsort((slot, point, at_ns, print_))
            order = order[is_last(print_[order], at_ns[order])]
            print_, point, at_ns, slot = print_[order], point[order], at_ns[order], slot[order]
        self._print, self._point, self._at_ns, self._slot = print_, point, at_ns, slot
        self._firsts, self._lasts = stretches(print_, EVENTS_AT_ONCE)
        self._earliest_ns: Times = np.minimum.reduceat(at_ns, self._firsts) if len(print_) else at_ns
        self._latest_ns: Times = np.maximum.reduceat(at_ns, self._firsts) if len(print_) else at_ns

    def windows(self, at_ns: Times) -> list[npt.NDArray[np.intp]]:
        """Indexes of these times, those together between which few prints come: some for about each part."""
        window = np.searchsorted(np.maximum.accumulate(self._earliest_ns), at_ns, side="right")
        order = np.argsort(window, kind="stable")
        return np.split(order, changes(window[order])[1:]) if len(order) else []

    def between(self, begin_ns: int, end_ns: int) -> Stays:
        """Those that hold an instant of this half-open interval."""
        parts = np.flatnonzero((self._earliest_ns < end_ns) & (self._latest_ns >= begin_ns))
        limits = zip(self._firsts[parts].tolist(), self._lasts[parts].tolist(), strict=True)
        found = []
        for here in (slice(0, 0), *(slice(first, last) for first, last in limits)):
            stays = self._of_rows(here)
            found.append(stays.where((stays.state < len(STATES)) & (stays.begin < end_ns) & (stays.end > begin_ns)))
        return Stays(*map(np.concatenate, zip(*found, strict=True)))

    def _of_rows(self, here: slice) -> Stays:
        """The states that begin there, and what only ends one."""
        print_, begin = self._print[here], self._at_ns[here]
        end = begin + 1
        np.copyto(end[:-1], begin[1:], where=print_[1:] == print_[:-1])
        return Stays(self._point[here], begin, end, self._slot[here])
