"""What one measured window of a Locust run tells."""

import msgspec


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Between two instants of one Locust process.

    Args:
        failures: since the start of the run.
    """

    prints: int
    wall_ns: int
    cpu_ns: int
    failures: int

    @property
    def rate(self) -> float:
        """Prints per second."""
        return self.prints / self.wall_ns * 1e9

    @property
    def cpu_share(self) -> float:
        """Of one core."""
        return self.cpu_ns / self.wall_ns

    @property
    def cpu_us(self) -> float:
        """CPU microseconds a print."""
        return self.cpu_ns / self.prints / 1e3
