"""A Locust worker in a judged run: it has users and a segment of the ledger, and hands over what it wrote."""

import logging
import os
import shutil
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.rpc import Message
from locust.runners import WorkerRunner

from harness.clock import read_clock
from harness.evidence.ledger import INCIDENT_DIRECTORY, LedgerError, create_run_directory, read_run
from harness.evidence.recorder import Recorder
from harness.evidence.segment import SegmentWriter
from harness.load.active_run import ActiveRun
from harness.load.clock import Clock
from harness.load.messages import (
    CLOCK,
    DONE,
    FILE,
    FOUND,
    REPORT,
    RUN,
    ClockQuestion,
    Done,
    Piece,
    PieceTaken,
    RunTold,
    pack,
    unpack,
)
from harness.load.options import Setup
from harness.load.tallies import Outgoing

_log = logging.getLogger(__name__)
_CLOCK_S = 1.0
_FIRST_READINGS = 5
_FIRST_READING_S = 0.05
_PIECE_BYTES = 64 * 1024  # small beside what a short run writes, so that evidence in several pieces is the usual case
_ANSWER_LIMIT_S = 30.0
_PARENT_S = 1.0
_MASTER = os.getpid()
"""Of a worker that `--processes` makes: Locust forks when it has loaded the profile, and with it this module. To ask
the worker itself who made it would be too late where its master ended at once.
"""


class Worker:
    """One a process; it takes part in one run after the other, as the master tells it.

    Args:
        read_setup: the run's setup from the options, which the master sends with each start.
        begin: calls `start`; for a worker whose users were started before it knew of the run.
    """

    def __init__(
        self, environment: Environment, clock: Clock, read_setup: Callable[[], Setup], begin: Callable[[], None]
    ) -> None:
        runner = environment.runner
        if not isinstance(runner, WorkerRunner):
            message = "this should never happen, because only Locust's workers make one"
            raise AssertionError(message)
        self._runner = runner
        self._clock = clock
        self._read_setup = read_setup
        self._begin = begin
        self._known_run = ""
        self._is_waiting = False  # users were started here, and nobody has told of their run yet
        self._told: RunTold | None = None
        self._active: ActiveRun | None = None
        self._directory = Path()
        self._has_own_directory = False
        self._has_run_clock = True
        self._offset_ns = 0
        self._counts: Outgoing | None = None
        self._listener: gevent.Greenlet[..., None] | None = None
        self._clock_greenlet: gevent.Greenlet[..., None] | None = None
        self._at_rest = Event()
        self._at_rest.set()
        self._taken = Event()
        self._last_taken: PieceTaken | None = None
        runner.custom_messages.update(
            {RUN: (self._on_run, False), CLOCK: (self._on_clock, False), FILE: (self._on_file, False)}
        )
        environment.events.report_to_master.add_listener(self._report)
        if environment.parsed_options is not None and environment.parsed_options.processes:
            gevent.spawn(self._watch_parent, _MASTER)

    def start(self) -> ActiveRun | None:
        """Take part in the run that the master told of last; None when that cannot be, which the master is told."""
        told = self._told
        if told is None or self._active is not None:
            self._is_waiting = told is None
            return self._active
        self._is_waiting = False
        try:
            self._active = self._join(told)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run cannot pass without this worker
            faults = (f"cannot start: {error}",)
            done = Done(run=told.run, segment=told.segment, counted=None, newest={}, faults=faults)
            self._runner.send_message(DONE, pack(done))
            self._told = None
            return None
        return self._active

    def finish(self, faults: Iterable[str]) -> None:
        """Close the segment and hand it over.

        Args:
            faults: of this process, to be put on record.
        """
        # Locust's worker reads no message for so long after its users have stopped, not even that it may quit.
        self._runner.environment.stop_timeout = 0.0
        active, told = self._active, self._told
        self._active = self._told = None
        self._is_waiting = False
        if active is None or told is None:
            # A signal and the master's word may stop the users at once: the process must not end between the two.
            if gevent.getcurrent() is not self._listener:
                self._at_rest.wait()
            return
        self._at_rest.clear()
        try:
            self._finish(active, told, faults)
        finally:
            self._at_rest.set()

    def _finish(self, active: ActiveRun, told: RunTold, faults: Iterable[str]) -> None:
        late_faults = []
        if self._clock_greenlet is not None:
            self._clock_greenlet.kill()
        try:
            for fault in faults:
                active.recorder.add_fault(fault)
            active.finish()
            active.target.close()
        except Exception as error:  # noqa: BLE001 - it goes to the master in words
            late_faults += [f"{type(error).__name__} at the end of the run: {error}", *active.recorder.faults]
        if self._has_own_directory:
            try:
                self._hand_over(told)
            except (OSError, LedgerError, gevent.Timeout) as error:
                late_faults.append(f"its evidence stays in {self._directory.resolve()}: {error}")
        done = Done(
            run=told.run,
            segment=told.segment,
            counted=self._counts.rest() if self._counts is not None else None,
            newest=active.recorder.register.newest_versions(),
            faults=tuple(late_faults),
        )
        self._runner.send_message(DONE, pack(done))

    def _join(self, told: RunTold) -> ActiveRun:
        setup = self._read_setup()
        target = setup.load_target()
        target.attach(told.shared)
        self._directory = Path(told.directory)
        self._has_own_directory = not _holds(self._directory, told.run)
        if self._has_own_directory:
            self._directory = Path("runs") / f"{told.run}-{told.segment}"
            create_run_directory(self._directory)
        same_clock = told.clock_identity == self._clock.identity
        writer = SegmentWriter(
            self._directory,
            told.segment,
            run=told.run,
            clock=told.clock if same_clock else f"{told.clock} of {told.segment}",
            checksum=target.fingerprint.name,
        )
        recorder = Recorder(target, writer, self._directory / INCIDENT_DIRECTORY)
        for group in target.groups():
            recorder.add_group(group)
        active = ActiveRun(
            setup,
            target,
            recorder,
            share=told.share,
            clock=self._clock,
            on_misissuance=lambda: self._runner.send_message(FOUND),
        )
        self._has_run_clock, self._offset_ns = same_clock, 0
        self._counts = Outgoing(told.run, recorder, lambda: self._offset_ns)
        self._clock_greenlet = gevent.spawn(self._read_clock)
        active.start(told.elapsed_s)
        return active

    def _read_clock(self) -> None:
        """Ask the master for the time, again and again, for a clock may drift."""
        for number in count():
            self._runner.send_message(CLOCK, pack(ClockQuestion(sent_ns=self._clock.now_ns())))
            gevent.sleep(_FIRST_READING_S if number < _FIRST_READINGS else _CLOCK_S)

    def _hand_over(self, told: RunTold) -> None:
        """Send every file to the master, piece by piece, and remove them: they are personal data.

        Raises:
            LedgerError: when the master does not take one.
            OSError, gevent.Timeout: when one cannot be read, or the master does not answer.
        """
        for path in sorted(path for path in self._directory.rglob("*") if path.is_file()):
            name = str(path.relative_to(self._directory))
            with path.open("rb") as file:
                offset = 0
                while data := file.read(_PIECE_BYTES):
                    offset = self._send_piece(
                        Piece(run=told.run, segment=told.segment, name=name, offset=offset, data=data)
                    )
        shutil.rmtree(self._directory)

    def _send_piece(self, piece: Piece) -> int:
        self._taken.clear()
        self._runner.send_message(FILE, pack(piece))
        with gevent.Timeout(_ANSWER_LIMIT_S):
            self._await_taken()
        taken = self._last_taken
        if taken is None or taken.refused or taken.size != piece.offset + len(piece.data):
            message = f"the master did not take {piece.name}: {taken}"
            raise LedgerError(message)
        return taken.size

    def _await_taken(self) -> None:
        """Locust stops its users, and so calls us, in the greenlet that reads its messages: then we have to read."""
        if gevent.getcurrent() is not self._listener:
            self._taken.wait()
            return
        others: list[Message] = []
        while not self._taken.is_set():
            message = self._runner.client.recv()
            if message.type in {FILE, "heartbeat"}:
                self._runner.handle_message(message)
            else:
                others.append(message)
        for message in others:
            gevent.spawn(self._runner.handle_message, message)

    def _on_run(self, msg: Message, **_: object) -> None:
        self._listener = gevent.getcurrent()
        told = unpack(msg.data, RunTold)
        if told.run == self._known_run:  # the master says it again until it hears that we take part
            return
        self._known_run, self._told = told.run, told
        if self._is_waiting:
            self._begin()

    def _on_clock(self, msg: Message, **_: object) -> None:
        now_ns = self._clock.now_ns()
        question = unpack(msg.data, ClockQuestion)
        if self._active is None:
            return
        reading = read_clock(question.sent_ns, question.at_ns, now_ns)
        self._active.recorder.segment.write(reading)
        self._offset_ns = 0 if self._has_run_clock else reading.offset_ns
        if self._has_run_clock and abs(reading.offset_ns) > reading.uncertainty_ns:
            # Virtual machines that were started from one snapshot take themselves for one machine.
            self._active.recorder.add_fault("its clock claims to be that of the run, but tells another time")

    def _on_file(self, msg: Message, **_: object) -> None:
        self._last_taken = unpack(msg.data, PieceTaken)
        self._taken.set()

    def _report(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002 - Locust names its arguments
        if self._counts is not None and (self._active is not None or not self._at_rest.is_set()):
            data[REPORT] = pack(self._counts.next())

    def _watch_parent(self, parent: int) -> None:
        """A worker that `--processes` made ends with the master that made it, also when that was killed."""
        while os.getppid() == parent:
            gevent.sleep(_PARENT_S)
        if self._active is not None:  # a master that never began has said why
            _log.error("the master is gone")
        self._runner.quit()


def _holds(directory: Path, run: str) -> bool:
    """Whether the master's run directory is seen from here, too."""
    try:
        return read_run(directory).run == run
    except LedgerError:
        return False
