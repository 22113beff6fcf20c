"""Times that a service tells by the clock on the wall, on the run's clock: each as the earliest and the latest."""

import re
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timezone
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from harness.clock import ClockMap
from harness.records import ClockReading

_READINGS = 100
_LATEST_S = 10**11  # more is milliseconds, or no time at all
_NUMBER = re.compile(r"-?\d+(?:\.(\d+))?")
_FRACTION = re.compile(r"[.,](\d+)")
_DATE = re.compile(r"\d{4}-?\d\d-?\d\d.")
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_UNITS_NS = {6: 10**9, 4: 60 * 10**9, 2: 3600 * 10**9}
_DAY_NS = 86_400 * 10**9


class Told(NamedTuple):
    """A time as it was told: Unix time, and for how long after it one would have told the same."""

    at_ns: int
    rounding_ns: int


def read_time(told: object, zone: timezone | None = None) -> Told:
    """A time in ISO 8601, or Unix seconds.

    Args:
        zone: of times that name none.

    Raises:
        ValueError: saying what was found and what would be right.
    """
    right = "right is ISO 8601 with a zone, such as 2026-01-31T12:00:00.250Z, or Unix seconds"
    if isinstance(told, bool) or not isinstance(told, str | int | float):
        raise ValueError(f"found {told!r}, {right}")
    text = str(told).strip()
    number = _NUMBER.fullmatch(text)
    if number is not None:
        seconds = Decimal(text)
        if abs(seconds) > _LATEST_S:
            raise ValueError(f"found {text}, {right}")
        digits = len(number.group(1) or "")
        if isinstance(told, float):  # which holds no more of them; one that was made with fewer shows those
            digits = min(digits, 6)
        return Told(int(seconds * 10**9), 10 ** max(0, 9 - digits))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"found {text!r}, {right}") from error
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"found {text!r} without a zone, {right}; or zone in [sync], such as +09:00")
        moment = moment.replace(tzinfo=zone)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Told((since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000, _rounding_ns(text))


def read_zone(text: str) -> timezone:
    """A zone such as +09:00, or Z.

    Raises:
        ValueError: for anything else.
    """
    found = datetime.fromisoformat(f"2000-01-01T00:00:00{text}").tzinfo
    if not _ZONE.fullmatch(text) or not isinstance(found, timezone):
        raise ValueError(f"found {text!r}, right is such as +09:00, or Z")
    return found


def _rounding_ns(text: str) -> int:
    found = _DATE.match(text)
    clock = _ZONE.sub("", text[found.end() :]) if found is not None else ""
    fraction = _FRACTION.search(clock)
    if fraction is not None:
        return int(10 ** (9 - min(6, len(fraction.group(1)))))
    return _UNITS_NS.get(sum(map(str.isdigit, clock)), _DAY_NS)


def _clocks() -> tuple[int, int, int]:
    return time.monotonic_ns(), time.time_ns(), time.monotonic_ns()


class WallClock:
    """From the service's clock on the wall to the run's clock, which is the monotonic one of this machine.

    Args:
        uncertainty_s: by how much the service's clock may differ from that of this machine.
        clocks: monotonic, wall, monotonic, read one after the other.
    """

    def __init__(self, uncertainty_s: float = 0.0, clocks: Callable[[], tuple[int, int, int]] = _clocks) -> None:
        self._uncertainty_ns = round(uncertainty_s * 1e9)
        self._clocks = clocks
        self._readings: deque[ClockReading] = deque(maxlen=_READINGS)
        self._map: ClockMap | None = None

    def look(self) -> None:
        """Compare both clocks, about when something was told.

        Raises:
            harness.clock.ClockError: when one of them was set meanwhile, so that nothing compares.
        """
        before_ns, wall_ns, after_ns = self._clocks()
        reading = ClockReading(
            at_ns=wall_ns,
            offset_ns=(before_ns + after_ns) // 2 - wall_ns,
            uncertainty_ns=(after_ns - before_ns) // 2 + 1 + self._uncertainty_ns,
        )
        self._readings.append(reading)
        self._map = ClockMap(self._readings)

    def earliest(self, told: Told) -> int:
        """The earliest that it can have been on the run's clock."""
        return int(self._known.earliest(np.array([told.at_ns]))[0])

    def latest(self, told: Told) -> int:
        """The latest."""
        return int(self._known.latest(np.array([told.at_ns + told.rounding_ns]))[0])

    @property
    def _known(self) -> ClockMap:
        if self._map is None:
            raise AssertionError("this should never happen, because the clocks are compared before anything is asked")
        return self._map
