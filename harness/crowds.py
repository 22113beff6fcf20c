"""When prints were together: in which states, in one slot. Pure; all intervals are half-open."""

from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MOST = 3  # prints in a crowd; as many as two bits hold
_NEVER = np.iinfo(np.int64).min


class Union:
    """The instants of many half-open intervals, as intervals that are apart, in order."""

    def __init__(self, begin: Times, end: Times) -> None:
        order = np.argsort(begin, kind="stable")
        # The first interval is empty and stands for "nothing has begun", so that every search finds one.
        begin, end = np.append(_NEVER, begin[order]), np.maximum.accumulate(np.append(_NEVER, end[order]))
        apart = np.flatnonzero(begin[1:] > end[:-1])
        self._begin: Times = begin[np.append(0, apart + 1)]
        self._end: Times = end[np.append(apart, len(end) - 1)]

    def meets(self, begin: Times, end: Times) -> Flags:
        """Whether each of the half-open intervals, none of them empty, holds an instant of this union."""
        return self._reach(end - 1) > begin

    def __and__(self, other: "Union") -> "Union":
        """The instants of both: each piece begins where one of the two begins within the other."""
        begin = np.concatenate((self._begin, other._begin))
        end = np.concatenate(
            (np.minimum(self._end, other._reach(self._begin)), np.minimum(other._end, self._reach(other._begin)))
        )
        rows = np.flatnonzero(begin < end)
        return Union(begin[rows], end[rows])

    def _reach(self, at: Times) -> Times:
        """The end of the last interval that has begun by then."""
        return self._end[np.searchsorted(self._begin, at, side="right") - 1]


def together(begin: Times, end: Times) -> list[Union]:
    """When at least one, at least two and at least `MOST` of these half-open intervals, none empty, held together.

    Whose they are does not matter to that: k of them hold from the begin before which k - 1 more have begun than have
    ended, until the next end. So begins and ends are sorted each for itself.
    """
    # Prints come nearly in the order of time, which this sort makes use of.
    begin, end = np.sort(begin, kind="stable"), np.sort(end, kind="stable")
    found = []
    for k in range(1, MOST + 1):
        begin_of_kth, next_end = begin[k - 1 :], end[: max(len(end) - k + 1, 0)]
        rows = np.flatnonzero(begin_of_kth < next_end)
        found.append(Union(begin_of_kth[rows], next_end[rows]))
    return found


class Stays(NamedTuple):
    """Stays of prints in a state (its index); arrays of one length."""

    state: npt.NDArray[np.int8]
    begin: Times
    end: Times
    slot: npt.NDArray[np.int32]

    def where(self, flags: Flags) -> "Stays":
        """Those of them."""
        rows = np.flatnonzero(flags)  # looked for once, and not in each column
        return Stays(self.state[rows], self.begin[rows], self.end[rows], self.slot[rows])


class Crowds:
    """How many prints were in each state of one slot together, slot by slot and row by row in time.

    A row holds until the next. The last row of a slot holds nobody, since every stay has ended. The numbers of a row
    make one code, two bits for each state.
    """

    def __init__(self, stays: Stays, states: tuple[str, ...]) -> None:
        self._states = states
        time = np.concatenate((stays.begin, stays.end))
        slot = _narrow(np.concatenate((stays.slot, stays.slot)))
        order = np.argsort(time, kind="stable")
        if np.any(slot[1:] != slot[:-1]):
            order = order[np.argsort(slot[order], kind="stable")]
        step = np.where(order < len(stays.state), np.int32(1), np.int32(-1))
        state = np.concatenate((stays.state, stays.state))[order]
        code = np.zeros(len(order), np.uint16)
        for index in range(len(states)):
            count = np.cumsum(np.where(state == index, step, np.int32(0)), dtype=np.int32)
            code |= np.minimum(count, MOST).astype(np.uint16) << (2 * index)
        settled = np.flatnonzero(is_last(slot[order], time[order]))
        self._time: Times = time[order[settled]]
        self._code = code[settled]
        self._codes = np.flatnonzero(np.bincount(self._code, minlength=1 << 2 * len(states)))
        self._unions: dict[bytes, Union] = {}

    def when(self, crowd: tuple[str, ...]) -> Union:
        """When at least these prints were together in any slot."""
        codes = np.arange(1 << 2 * len(self._states))
        holds = np.ones(len(codes), np.bool_)
        for state, least in Counter(crowd).items():
            holds &= codes >> 2 * self._states.index(state) & MOST >= least
        # Most crowds were never together, and many only where others were, too.
        key = holds[self._codes].tobytes()
        union = self._unions.get(key)
        if union is None:
            union = self._unions[key] = self._where(holds) if any(key) else Union(self._time[:0], self._time[:0])
        return union

    def _where(self, holds: Flags) -> Union:
        """When one of these codes held."""
        together = holds.take(self._code)
        changes = np.flatnonzero(np.append(False, together[:-1]) != together)  # to and fro, for the last row is empty
        return Union(self._time[changes[::2]], self._time[changes[1::2]])


def _narrow(column: npt.NDArray[np.int32]) -> npt.NDArray[np.signedinteger]:
    """The same numbers in as few bytes as they fit into: of up to two, they are sorted much more quickly."""
    limits = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    kinds = (np.int8, np.int16)
    return next(
        (column.astype(kind) for kind in kinds if np.iinfo(kind).min <= limits[0] and limits[1] <= np.iinfo(kind).max),
        column,
    )


def is_last(*keys: npt.NDArray[np.generic]) -> Flags:
    """Whether the next row differs in one of the keys, or there is none."""
    last = np.zeros(len(keys[0]), np.bool_)
    last[-1:] = True
    for key in keys:
        last[:-1] |= key[1:] != key[:-1]
    return last
