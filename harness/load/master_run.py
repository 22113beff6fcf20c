"""A judged run of several Locust processes, seen from the master: it owns the run, and its workers have the users."""

import time
from collections import deque
from pathlib import Path
from random import Random
from typing import Any

import gevent
import msgspec
from locust.rpc import Message
from locust.runners import STATE_MISSING, STATE_STOPPED, STATE_STOPPING, MasterRunner

from harness.evidence.ledger import INCIDENT_DIRECTORY, SEGMENT_DIRECTORY, Ended, Report
from harness.live.so_far import Counted
from harness.load.active_run import DRAIN_S, Share
from harness.load.beside import every, in_a_thread
from harness.load.clock import Clock
from harness.load.live import Live
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
    WorkerTallies,
    pack,
    unpack,
)
from harness.load.options import Setup
from harness.load.tallies import Incoming
from harness.run import CLOCK as RUN_CLOCK
from harness.target import TargetError
from harness.verdict import Verdict

_STOPPED = STATE_STOPPING, STATE_STOPPED
"""States in which workers end because they were told to."""
_WATCH_S = 0.25
_SILENCE_S = 15.0
_POLL_S = 0.05


class _Worker(msgspec.Struct, kw_only=True):
    """What the master knows of one; guarded by there being one thread."""

    segment: str
    share: Share
    counted: Incoming
    has_joined: bool = False
    done: Done | None = None


class MasterRun:
    """From its making, which starts the target, to `finish`, which says the verdict.

    Attributes:
        live: what is known of it at any time.

    Raises:
        LedgerError: see `JudgedRun.open`.
        TargetError: when the target cannot be started, or not be driven by other processes.
    """

    def __init__(self, setup: Setup, runner: MasterRunner, clock: Clock) -> None:
        self.run = setup.make_run()
        self.live = Live(self.run, setup.plan, self._counted, lambda: runner.user_count)
        self._setup = setup
        self._runner = runner
        self._clock = clock
        self._random = Random(setup.seed)
        self._workers: dict[str, _Worker] = {}
        self._parts = 0
        self._heard_s = 0.0
        self._cut_short = self._stopped = False
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self.run.open()
        shared = self.run.target.share()
        if shared is None:
            self.run.abandon()
            message = (
                f"the target {setup.target} can be driven by the process that started it only; "
                "leave out --master, --worker and --processes"
            )
            raise TargetError(message)
        self._shared = shared
        # Leases of groups: what a worker once had is never given to another, for its prints may still be under way.
        positions = list(range(len(self.run.target.groups())))
        self._random.shuffle(positions)
        self._free = deque(positions)
        runner.custom_messages.update(
            {
                CLOCK: (self._on_clock, False),
                FOUND: (self._on_found, False),
                FILE: (self._on_file, False),
                DONE: (self._on_done, False),
            }
        )

    def start(self) -> None:
        """Begin the plan: tell every worker its share, and those that join later."""
        self.run.restart_clock()
        runner = self._runner
        clients = [*runner.clients.ready, *runner.clients.spawning, *runner.clients.running]
        self._parts = len(clients)
        for client in clients:
            self._admit(client.id)
        runner.environment.events.worker_connect.add_listener(self._on_worker_connect)
        runner.environment.events.worker_report.add_listener(self._on_report)
        self.live.start()
        self._greenlets.append(every(_WATCH_S, self._watch))

    def cut_short(self) -> None:
        """End the plan before its time, if it is not through yet: somebody interrupted the run."""
        self._cut_short = self._cut_short or not self._is_through

    @property
    def is_over(self) -> bool:
        """Locust may stop the users."""
        return self._is_through or self._cut_short or self._stopped or bool(self.run.died)

    @property
    def _is_through(self) -> bool:
        # Before the load begins the run's clock counts the opening of the target, which may take longer than the plan.
        is_late = self.run.elapsed_s > self._setup.plan.seconds + DRAIN_S
        return self._parts > 0 and is_late and not self._setup.ends_with_locust

    def finish(self) -> Verdict:
        """Collect what the workers hand over, close the run and decide."""
        # Users may go on with what they have begun until the plan's time is over.
        is_complete = (self._is_through or self._setup.ends_with_locust) and not (self._cut_short or self._stopped)
        ended: Ended = "complete" if is_complete else "stopped" if self._stopped else "interrupted"
        gevent.killall(self._greenlets)
        self.live.end()
        self._collect()
        if self._greenlets:
            self._runner.environment.events.worker_connect.remove_listener(self._on_worker_connect)
            self._runner.environment.events.worker_report.remove_listener(self._on_report)
        for worker in self._workers.values():
            if worker.done is None:
                self.run.add_fault(f"the process of {worker.segment} was lost: it did not hand over its evidence")
            else:
                self.run.expect_versions(worker.done.newest)
                for fault in worker.done.faults:
                    self.run.add_fault(f"{worker.segment}: {fault}")
        if not self._workers:
            self.run.add_fault("no worker took part")
        return self.live.decide(lambda: self.run.close(ended, reports=self._reports(), beside=in_a_thread))

    def _counted(self) -> list[Counted]:
        return [
            Counted(worker.counted.tally, worker.counted.misissued.values(), worker.counted.exposed)
            for worker in self._workers.values()
            if worker.counted.tally is not None
        ]

    def _admit(self, client_id: str) -> None:
        if client_id in self._workers:
            return
        number = len(self._workers)
        share = Share(number=number, parts=self._parts, groups=self._lease(number))
        worker = _Worker(segment=self.run.add_segment(), share=share, counted=Incoming(self.run.id))
        self._workers[client_id] = worker
        self._tell(client_id, worker)

    def _tell(self, client_id: str, worker: _Worker) -> None:
        told = RunTold(
            run=self.run.id,
            segment=worker.segment,
            directory=str(self.run.directory.resolve()),
            shared=self._shared,
            share=worker.share,
            clock=RUN_CLOCK,
            clock_identity=self._clock.identity,
            elapsed_s=self.run.elapsed_s,
        )
        self._runner.send_message(RUN, pack(told), client_id)

    def _lease(self, number: int) -> tuple[int, ...]:
        """An even share to each who is there at the beginning, one kept back; half of the rest to whoever is late."""
        left = len(self._free)
        share = left // (self._parts - number + 1) if number < self._parts else (left + 1) // 2
        return tuple(self._free.popleft() for _ in range(share))

    def _collect(self) -> None:
        """Wait until every worker that can be reached has handed over its evidence, as long as any of them is heard."""
        at_work = self._runner.clients
        stopped = set[str]()
        self._heard_s = time.monotonic()
        while any(map(self._is_awaited, self._workers)) and time.monotonic() < self._heard_s + _SILENCE_S:
            # Locust itself stops the test without a word to its workers when the master is interrupted, and then some
            # of them may not even have begun.
            for client in (*at_work.spawning, *at_work.running):
                if client.id in self._workers and client.id not in stopped:
                    self._runner.server.send_to_client(Message("stop", None, client.id))
                    stopped.add(client.id)
            gevent.sleep(_POLL_S)

    def _is_awaited(self, client_id: str) -> bool:
        client = self._runner.clients.get(client_id)
        return self._workers[client_id].done is None and (client is None or client.state != STATE_MISSING)

    def _reports(self) -> dict[str, Report]:
        return {
            worker.segment: Report(batch=worker.counted.batch, issued=worker.counted.tally.issued)
            for worker in self._workers.values()
            if worker.counted.tally is not None
        }

    def _on_worker_connect(self, client_id: str, **_: object) -> None:
        self._admit(client_id)

    def _on_report(self, client_id: str, data: dict[str, Any], **_: object) -> None:
        worker = self._workers.get(client_id)
        if worker is not None and REPORT in data:
            self._heard_s = time.monotonic()  # it may still be making fingerprints
            worker.counted.take(unpack(data[REPORT], WorkerTallies))

    def _on_clock(self, msg: Message, **_: object) -> None:
        worker = self._workers.get(msg.node_id)
        if worker is not None:
            worker.has_joined = True
        question = unpack(msg.data, ClockQuestion)
        answer = msgspec.structs.replace(question, at_ns=self._clock.now_ns())
        self._runner.send_message(CLOCK, pack(answer), msg.node_id)

    def _on_found(self, **_: object) -> None:
        self._stopped = self._stopped or (self._setup.stop_on_misissuance and not self._is_through)

    def _on_file(self, msg: Message, **_: object) -> None:
        self._heard_s = time.monotonic()
        piece = unpack(msg.data, Piece)
        try:
            taken = PieceTaken(name=piece.name, size=self._write(piece, self._workers.get(msg.node_id)))
        except (OSError, ValueError) as error:
            taken = PieceTaken(name=piece.name, size=0, refused=str(error))
        self._runner.send_message(FILE, pack(taken), msg.node_id)

    def _write(self, piece: Piece, worker: _Worker | None) -> int:
        if piece.run != self.run.id or worker is None:
            raise ValueError("its run is over")
        name = Path(piece.name)
        allowed = (
            name == Path(SEGMENT_DIRECTORY) / f"{worker.segment}.jsonl",
            name.parent == Path(INCIDENT_DIRECTORY) and name.suffix == ".document",
        )
        if not any(allowed):
            raise ValueError(f"{piece.name} is no file of {worker.segment}")
        path = self.run.directory / name
        path.touch(mode=0o600)
        with path.open("r+b") as file:
            file.seek(piece.offset)
            file.write(piece.data)
            return file.tell()

    def _on_done(self, msg: Message, **_: object) -> None:
        self._heard_s = time.monotonic()
        worker = self._workers.get(msg.node_id)
        done = unpack(msg.data, Done)
        if worker is not None and (done.run, done.segment) == (self.run.id, worker.segment):
            worker.done = done
            if done.counted is not None:
                worker.counted.take(done.counted)
            if done.faults:
                self.cut_short()
            elif not self.is_over and self._runner.state not in _STOPPED:
                self.run.add_fault(f"the process of {worker.segment} left before the plan was through")

    def _watch(self) -> None:
        self.run.check_target()
        for client_id, worker in self._workers.items():
            # Locust drops what reaches a worker before its plug-in listens, which is a moment after it has connected.
            if not worker.has_joined and worker.done is None:
                self._tell(client_id, worker)
