"""An axis of time that is stretched where much happens. Pure."""

from bisect import bisect_right
from collections.abc import Iterable

_POWER = 0.5
"""Of a length of time, for its share of the room that is left: a hundred times longer looks ten times longer."""


class ElasticAxis:
    """Places of times from left to right: a later one is never further left, and marks in one lane have room.

    Args:
        times: (time, lane, room) of every mark; two marks of one lane are as far apart as the larger of both rooms.
        least: between any two times that differ, as far as there is room for it.
    """

    def __init__(self, times: Iterable[tuple[int, str, float]], *, left: float, width: float, least: float) -> None:
        ordered = sorted(times)
        self._times = sorted({at for at, _, _ in ordered}) or [0]
        gaps = [later - earlier for earlier, later in zip(self._times, self._times[1:], strict=False)]
        needed = [least] * len(gaps)
        places = dict(zip(self._times, range(len(self._times)), strict=True))
        last: dict[str, tuple[int, float]] = {}
        for at, lane, room in ordered:
            number = places[at]
            if lane in last:
                before, room_before = last[lane]
                missing = max(room, room_before) - sum(needed[before:number])
                if number > before and missing > 0:
                    needed[number - 1] += missing
            last[lane] = number, room
        spare = width - sum(needed)
        if spare < 0:
            needed = [room * width / sum(needed) for room in needed]
            spare = 0
        weights = [gap**_POWER for gap in gaps]
        total = sum(weights) or 1
        self._places = [left]
        for room, weight in zip(needed, weights, strict=True):
            self._places.append(self._places[-1] + room + spare * weight / total)

    def x(self, at: int) -> float:
        """The place of a time; between two marks in proportion, outside of all at the nearest."""
        number = bisect_right(self._times, at) - 1
        if number < 0:
            return self._places[0]
        if number + 1 == len(self._times):
            return self._places[-1]
        begin, end = self._times[number : number + 2]
        left, right = self._places[number : number + 2]
        return left + (right - left) * (at - begin) / (end - begin)
