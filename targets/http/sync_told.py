"""Sync runs as a service tells of them, piece by piece, made into records. Pure but for the clock that it is given."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timezone

from harness.records import SyncRun
from targets.http.sync_times import WallClock, read_time

TIMES = "begin_at", "applied_at", "acknowledged_at", "end_at"
Version = tuple[str, int]


class SyncRunsTold:
    """What was told so far of each sync run.

    A begin is read as late as it can have been, an end as early, so that exposures can only be undercounted; an
    acknowledgement as late as it can have been, so that nothing is called stale that may have been right.

    Args:
        wanted: names of all times that the service tells; a sync run is whole when all are there.
        version_of: (group, version) that a change makes, by its name; None of one that is not ours.
        zone: of times that name none.
    """

    def __init__(
        self,
        clock: WallClock,
        wanted: Collection[str],
        version_of: Callable[[str], Version | None],
        zone: timezone | None = None,
    ) -> None:
        self.wanted = wanted
        self._clock = clock
        self._version_of = version_of
        self._zone = zone
        self._open: dict[str, dict[str, object]] = {}
        self._closed: set[str] = set()

    def take(self, told: Mapping[str, object]) -> None:
        """Some of what is known of one sync run; what is missing or null is told later or never."""
        name = told.get("sync_run")
        if name is None or str(name) in self._closed:
            return
        known = self._open.setdefault(str(name), {})
        known.update((key, value) for key, value in told.items() if value is not None)

    def forget(self) -> None:
        """All that is there was there before the run."""
        self._closed.update(self._open)
        self._open.clear()

    def new(self, *, rest: bool) -> Iterator[SyncRun]:
        """Those that are whole now, each once; with `rest` whatever has a begin.

        Raises:
            ValueError: for a time that is none, which is not told again.
        """
        for name, known in list(self._open.items()):
            if rest or all(time in known for time in self.wanted):
                del self._open[name]
                self._closed.add(name)
                if "begin_at" in known:
                    yield self._made(name, known)

    def _made(self, name: str, known: Mapping[str, object]) -> SyncRun:
        try:
            times = {key: read_time(known[key], self._zone) for key in TIMES if key in known}
        except ValueError as error:
            raise ValueError(f"a time of sync run {name}: {error}") from error
        begin_ns = self._clock.latest(times["begin_at"])
        ends_ns = {key: self._clock.earliest(times[key]) for key in ("applied_at", "end_at") if key in times}
        # Where nobody tells of an acknowledgement, it is over when the run is.
        last = times.get("acknowledged_at") or (
            None if "acknowledged_at" in self.wanted else times.get("end_at") or times.get("applied_at")
        )
        return SyncRun(
            sync_run=name,
            applied=tuple(self._applied(known.get("applied"))),
            begin_ns=begin_ns,
            applied_ns=ends_ns.get("applied_at"),
            acknowledged_ns=None if last is None else self._clock.latest(last),
            end_ns=ends_ns.get("end_at"),
            is_unplaced=bool(ends_ns) and max(ends_ns.values()) < begin_ns,
        )

    def _applied(self, told: object) -> Iterator[Version]:
        """The versions of a list of changes, or of a text with their names in it."""
        names = told if isinstance(told, list) else re.split(r"[\s,;]+", str(told or ""))
        for name in names:
            version = self._version_of(name if isinstance(name, str) else json.dumps(name))
            if version is not None:
                yield version
