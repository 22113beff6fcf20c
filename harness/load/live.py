"""What the process that owns a run knows of it while it goes on."""

import time
from collections.abc import Callable, Sequence

import gevent
import msgspec
from gevent.event import Event

from harness.evidence.ledger import RunDescription
from harness.live.flights import Flights
from harness.live.history import History
from harness.live.progress import PointsProgress
from harness.live.progress_in_flight import InFlightProgress
from harness.live.progress_outside import OutsideProgress
from harness.live.snapshot import Snapshot, State, snapshot_of
from harness.live.so_far import (
    Counted,
    IncidentRows,
    Progress,
    SoFar,
    histogram,
    snapshot_so_far,
)
from harness.load.plan import Plan
from harness.outcome import Outcome
from harness.report.terminal import print_progress
from harness.run import JudgedRun
from harness.verdict import EXIT_CODES, EXIT_DIED, Verdict

_PULL_S = 1.0
_SHOW_EVERY = 2
_EVENTS_AT_ONCE = 2000
_FRESH_S = 0.5
"""For which a snapshot is shown again: many may look at one run."""


class Live:
    """A run from its beginning until after its verdict; about once a second it asks the target what is new.

    Args:
        counted: what every load process has counted so far, as far as it is known here.
        users: how many of Locust's are at work.
        flights: what this process has sent and seen answered since it was last asked; None where others send, too.
    """

    def __init__(
        self,
        run: JudgedRun,
        plan: Plan,
        counted: Callable[[], Sequence[Counted]],
        users: Callable[[], int],
        flights: Callable[[], Flights] | None = None,
    ) -> None:
        self._run = run
        self._plan = plan
        self._counted = counted
        self._users = users
        self._flights = flights
        self._progress = _progress_of(run.description, is_alone=flights is not None)
        self._sync_runs = self._notices = 0
        self._incidents = IncidentRows()
        self._history = History()
        self._has_begun = False
        self._elapsed_s: float | None = None  # when the load had ended
        self._state: State = "running"
        self._snapshot: Snapshot | None = None
        self._made_s = 0.0
        self._ended = Event()
        self._follower: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """The load begins."""
        self._has_begun = True
        self._follower = gevent.spawn(self._follow)

    def snapshot(self) -> Snapshot:
        """As it was half a second ago at the latest."""
        now_s = time.monotonic()
        if self._snapshot is None or (self._state != "decided" and now_s > self._made_s + _FRESH_S):
            self._snapshot, self._made_s = self._make(), now_s
        return self._snapshot

    def end(self) -> None:
        """The load has ended; nobody but the run itself asks the target any more."""
        self._elapsed_s = self._run.elapsed_s
        self._ended.set()
        if self._follower is not None:
            self._follower.join()  # it must not be killed in the midst of what the target tells only once
        self._state, self._snapshot = "deciding", None

    def decide(self, close: Callable[[], Verdict]) -> Verdict:
        """Close the run; from then on nothing changes any more, also where no verdict can be made.

        Raises:
            Exception: whatever `close` raises.
        """
        try:
            verdict = close()
        except Exception as error:
            seen = self._make()
            faults = (*seen.faults, f"no verdict: {error}")
            code = EXIT_CODES["FAIL"] if seen.misissued else EXIT_DIED
            self._snapshot = msgspec.structs.replace(seen, state="decided", exit_code=code, faults=faults)
            raise
        finally:
            self._state = "decided"
        decided = snapshot_of(verdict, self._run.description, self._run.directory)
        latency = histogram([one.tally for one in self._counted()])
        self._snapshot = msgspec.structs.replace(decided, latency=latency, series=self._history.moments)
        return verdict

    def _follow(self) -> None:
        number = 0
        while not self._ended.wait(_PULL_S):
            number += 1
            try:
                self._look()
                if number % _SHOW_EVERY == 0:
                    self._show()
            except Exception as error:  # noqa: BLE001 - a fault of the harness, and no reason to know less from now on
                self._run.add_fault(f"{type(error).__name__} while the run was followed: {error}")

    def _look(self) -> None:
        told = self._run.pull()
        self._sync_runs += sum(not run.is_unplaced for run in told.sync_runs)
        self._notices += len(told.notices)
        if isinstance(self._progress, PointsProgress):
            self._progress.add(told.sync_runs, told.events[:_EVENTS_AT_ONCE])
            for first in range(_EVENTS_AT_ONCE, len(told.events), _EVENTS_AT_ONCE):
                gevent.sleep(0)
                self._progress.add((), told.events[first : first + _EVENTS_AT_ONCE])
        elif self._progress is not None and self._flights is not None:
            if isinstance(self._progress, OutsideProgress):
                self._progress.add(told.sync_runs, self._flights())
            else:
                self._progress.add(self._flights())
        self._history.add(self._make())
        if self._progress is not None and not isinstance(self._progress, InFlightProgress):
            self._incidents.search(self._progress)

    def _show(self) -> None:
        seen = self.snapshot()
        print_progress(
            self._run.elapsed_s,
            seen.planned_s,
            seen.phase or "end",
            ok=sum(count.number for count in seen.outcomes if count.outcome is Outcome.OK),
            misissued=seen.misissued,
            errors=seen.errors,
            language=self._run.language,
        )

    def _make(self) -> Snapshot:
        run, counted = self._run, self._counted()
        self._incidents.add(counted, run.description)
        elapsed_s = (self._elapsed_s or run.elapsed_s) if self._has_begun else 0.0
        phase = self._plan.at(elapsed_s) if self._has_begun and self._state == "running" else None
        return snapshot_so_far(
            SoFar(
                description=run.description,
                directory=run.directory,
                state=self._state,
                elapsed_s=elapsed_s,
                phase=phase.name if phase is not None else "",
                users=self._users(),
                counted=counted,
                incidents=self._incidents.rows,
                progress=self._progress,
                sync_runs=self._sync_runs,
                error_notices=self._notices,
                faults=(*([run.died] if run.died else []), *run.faults),
                series=self._history.moments,
            )
        )


def _progress_of(run: RunDescription, *, is_alone: bool) -> Progress | None:
    """What tells the exposures; None where nothing can before the run is decided.

    Args:
        is_alone: one process sends everything.
    """
    if run.synchronises and run.shows_points:
        return PointsProgress()
    if not is_alone:
        return None
    return OutsideProgress() if run.synchronises else InFlightProgress()
