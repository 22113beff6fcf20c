"""Work beside the users, again and again."""

from collections.abc import Callable
from typing import TypeVar

import gevent

_Made = TypeVar("_Made")


def every(period_s: float, work: Callable[[], None]) -> "gevent.Greenlet[..., None]":
    """Do it every so often until the greenlet is killed."""

    def repeat() -> None:
        while True:
            gevent.sleep(period_s)
            work()

    return gevent.spawn(repeat)


def in_a_thread(work: Callable[[], _Made]) -> _Made:
    """Do it in a thread of the system, so that everybody else goes on meanwhile; raises what it raises."""

    def attempt() -> tuple[list[_Made], Exception | None]:
        try:
            return [work()], None
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for; gevent would print it as well
            return [], error

    ended: tuple[list[_Made], Exception | None] = gevent.get_hub().threadpool.apply(attempt)
    made, error = ended
    if error is not None:
        raise error
    return made[0]
