"""Work beside the users, again and again."""

from collections.abc import Callable

import gevent


def every(period_s: float, work: Callable[[], None]) -> "gevent.Greenlet[..., None]":
    """Do it every so often until the greenlet is killed."""

    def repeat() -> None:
        while True:
            gevent.sleep(period_s)
            work()

    return gevent.spawn(repeat)
