"""Leases of groups: no two live users share one, because a mix-up between them could not be seen."""

from collections import deque
from collections.abc import Iterable
from random import Random

from harness.records import Group


class NoGroupFreeError(Exception):
    """Raised when every group is on lease: there are more users than groups."""


class Leases:
    """Groups, lent out one by one. For greenlets of one thread."""

    def __init__(self, groups: Iterable[Group], random: Random) -> None:
        shuffled = list(groups)
        random.shuffle(shuffled)
        self._free = deque(shuffled)

    def lease(self) -> "Lease":
        """A context in which a group is one's own: the one that was free for longest."""
        return Lease(self._free)


class Lease:
    """One lease; entering it raises NoGroupFreeError when there is no group.

    A class, because a generator would cost every print a hundredth of what it takes.
    """

    __slots__ = ("_free", "_group")

    def __init__(self, free: deque[Group]) -> None:
        self._free = free

    def __enter__(self) -> Group:
        try:
            self._group = self._free.popleft()
        except IndexError:
            message = "every group of people is on lease: there are more users than groups; use fewer users"
            raise NoGroupFreeError(message) from None
        return self._group

    def __exit__(self, *_: object) -> None:
        self._free.append(self._group)
