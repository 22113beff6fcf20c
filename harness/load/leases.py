"""Leases of groups: no two live users share one, because a mix-up between them could not be seen."""

from collections import deque
from collections.abc import Iterable
from random import Random

import gevent
from gevent.lock import BoundedSemaphore

from harness.records import Group

_POLL_S = 0.005


class NoGroupFreeError(Exception):
    """Raised when every group is on lease: there are more users than groups."""


class Leases:
    """Groups, lent out one by one. For greenlets of one thread."""

    def __init__(self, groups: Iterable[Group], random: Random) -> None:
        shuffled = list(groups)
        random.shuffle(shuffled)
        self._free = deque(shuffled)
        self._groups = {group.group: group for group in shuffled}
        self._lines: dict[str, BoundedSemaphore] = {}

    def lease(self) -> "Lease":
        """A context in which a group is one's own: the one that was free for longest."""
        return Lease(self._free)

    def turn(self, group: str) -> "Turn":
        """A context in which this group is one's own; whoever comes first goes first.

        Raises:
            KeyError: when it is none of these.
        """
        return Turn(self._free, self._groups[group], self._lines.setdefault(group, BoundedSemaphore()))

    def withdraw(self, group: Group) -> None:
        """Lend it out no more; it has just been given back."""
        self._free.remove(group)


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


class Turn(Lease):
    """The lease of one particular group; entering it waits until that is free."""

    __slots__ = ("_line",)

    def __init__(self, free: deque[Group], group: Group, line: BoundedSemaphore) -> None:
        super().__init__(free)
        self._group = group
        self._line = line

    def __enter__(self) -> Group:
        self._line.acquire()
        try:
            while self._group not in self._free:  # on lease to somebody who did not ask for it
                gevent.sleep(_POLL_S)
            self._free.remove(self._group)
        except BaseException:
            self._line.release()
            raise
        return self._group

    def __exit__(self, *how: object) -> None:
        super().__exit__(*how)
        self._line.release()
