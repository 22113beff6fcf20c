"""Open-loop arrivals: when applications are to be sent, whether or not anybody is free to send them. Pure.

Locust's users apply again when they have been served (a closed loop), so that a service which hangs is asked less.
People at kiosks do not wait for one another: with a plan of arrivals each application has an intended start, latency
counts from there, and what starts late is counted.
"""

import math
from random import Random

from harness.target import TargetError

FASTEST_PER_S = 1e6
"""More than any process could send; beyond all bounds the number of planned applications is none."""


class Arrivals:
    """The intended starts of one load process, one after the other.

    Args:
        rate_per_s: of the whole run; each of `parts` processes makes its part of it, the `part`-th of them from 0.
        seconds: length of the plan.
        random: draws a Poisson process with exactly the planned number of arrivals; without it they come at constant
            intervals.
    """

    def __init__(
        self, rate_per_s: float, seconds: float, *, random: Random | None, part: int = 0, parts: int = 1
    ) -> None:
        self._interval_s = 1 / rate_per_s
        self._seconds = seconds
        self._random = random
        self._part, self._parts = part, parts
        total = planned_arrivals(rate_per_s, seconds)
        self._left = len(range(part, total, parts)) if part < parts else 0  # who comes late finds all taken
        self._taken = 0
        self._last_s = 0.0

    def take(self) -> float | None:
        """The next intended start, seconds since the plan began; None when there is none left."""
        if not self._left:
            return None
        if self._random is None:
            due_s = (self._taken * self._parts + self._part) * self._interval_s
        else:
            # Given their number, the arrivals of a Poisson process are uniform; this is the least of so many uniform
            # times in what is left of the plan.
            rest_s = self._seconds - self._last_s
            due_s = self._last_s + rest_s * -math.expm1(math.log(1 - self._random.random()) / self._left)
        self._left -= 1
        self._taken += 1
        self._last_s = due_s
        return due_s


def planned_arrivals(rate_per_s: float, seconds: float) -> int:
    """How many applications a plan of that rate holds."""
    return round(rate_per_s * seconds)


def read_rate(text: str) -> float | None:
    """Applications per second from `200/s`, `200` or `12000/min`; None from an empty text.

    Raises:
        TargetError: for anything else.
    """
    if not text:
        return None
    number, _, unit = text.partition("/")
    try:
        rate_per_s = float(number) / {"": 1, "s": 1, "min": 60, "h": 3600}[unit.strip()]
    except (ValueError, KeyError):
        rate_per_s = math.nan
    if not 0 < rate_per_s <= FASTEST_PER_S:
        message = (
            f"--rate: found {text!r}, right would be a number above 0, such as 200/s or 600/min, "
            f"and at most {FASTEST_PER_S:.0f}/s"
        )
        raise TargetError(message)
    return rate_per_s
