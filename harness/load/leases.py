"""Leases of groups: no two live users share one, because a mix-up between them could not be seen."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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

    @contextmanager
    def lease(self) -> Iterator[Group]:
        """A group nobody else has, the one that was free for longest.

        Raises:
            NoGroupFreeError: when there is none.
        """
        try:
            group = self._free.popleft()
        except IndexError:
            message = "every group of people is on lease: there are more users than groups; use fewer users"
            raise NoGroupFreeError(message) from None
        try:
            yield group
        finally:
            self._free.append(group)
