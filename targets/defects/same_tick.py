"""D03: two jobs get one name.

Incident: Kawasaki, 2023-05-02, 07:31. Within one second, people at two stores applied for family register certificates.
In an add-on that links the service to the city's register the later application overwrote the earlier one, and one of
the certificates that came out was somebody else's (note.dev1x.org/tech/item/5077; newage3.net; ITmedia 2305/10/news114;
piyolog). That what was overwritten had a time of day for a name is an outsider's guess (note.com/akvabit).

Here that guess is built, with a clock that ticks 250 times a second: of two jobs that are accepted in one tick, the
later replaces the result of the earlier. At r jobs a second there are about r * r / 500 such pairs a second: at a job
every ten seconds one in half a day, at a hundred jobs a second twenty. Jobs one after the other never meet.
"""

import time
from collections.abc import Callable


def clock_names(tick_ns: int = 4_000_000, now_ns: Callable[[], int] = time.time_ns) -> Callable[[], str]:
    """In place of a name that nobody else has: the ticks that have gone by.

    Args:
        tick_ns: from one name to the next.
        now_ns: Unix time.
    """
    return lambda: str(now_ns() // tick_ns)
