"""A master takes from its workers what belongs to its run, and nothing of another one."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

import harness.load.master_run
from harness.criteria import Criteria
from harness.evidence.ledger import segment_path
from harness.live.tally import Tallying
from harness.load.clock import Clock
from harness.load.master_run import MasterRun
from harness.load.messages import DONE, FILE, REPORT, Done, Piece, PieceTaken, WorkerTallies, pack, unpack
from harness.load.options import Setup
from harness.load.plan import Phase, Plan
from harness.report.language import ENGLISH

WORKER = "host_1"


class Runner:
    """Locust's, as far as a run needs it, with one worker."""

    def __init__(self) -> None:
        self.custom_messages: dict[str, tuple[Callable[..., None], bool]] = {}
        self.user_count = 0
        self.state = "running"
        self.sent: list[Any] = []
        event = SimpleNamespace(add_listener=lambda _: None, remove_listener=lambda _: None)
        self.environment = SimpleNamespace(events=SimpleNamespace(worker_connect=event, worker_report=event))
        self.clients = SimpleNamespace(ready=[SimpleNamespace(id=WORKER)], spawning=[], running=[], get=lambda _: None)
        self.server = SimpleNamespace(send_to_client=lambda message: self.sent.append((message.type, message.node_id)))

    def send_message(self, kind: str, data: Any, client_id: str) -> None:
        self.sent.append((kind, data, client_id))

    def receive(self, kind: str, message: Any) -> None:
        """What the worker sends."""
        self.custom_messages[kind][0](msg=SimpleNamespace(data=pack(message), node_id=WORKER))


class Desk:
    """A run of a master that has begun."""

    def __init__(self, directory: Path) -> None:
        self.runner = Runner()
        setup = Setup(
            profile="test",
            target="tests.harness.stub:StubTarget",
            settings={},
            plan=Plan((Phase(name="burst", seconds=60.0, think_s=0.0),)),
            seed=7,
            criteria=Criteria(self_test=False),
            rate_per_s=None,
            regular=False,
            stop_on_misissuance=False,
            directory=directory / "run",
            parameters={},
            language=ENGLISH,
        )
        self.own = MasterRun(setup, self.runner, Clock("here", lambda: 0))  # type: ignore[arg-type] # all of it that is used
        self.own.start()

    @property
    def id(self) -> str:
        return self.own.run.id

    def tallies(self, run: str, issued: int) -> WorkerTallies:
        tally = Tallying().tally("load-1", issued, "none", [])
        return WorkerTallies(run=run, batch=3, tally=tally, misissued=(), exposed=())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(harness.load.master_run, "_SILENCE_S", 0.0)
    made = Desk(tmp_path)
    yield made
    made.own.cut_short()
    made.own.finish()


def test_reports(desk: Desk) -> None:
    """What a worker has counted is seen as soon as it is reported, and once."""
    assert desk.own.live.snapshot().processes == ()
    for run, issued in ((desk.id, 5), ("another run", 9), (desk.id, 5)):
        desk.own._on_report(WORKER, {REPORT: pack(desk.tallies(run, issued))})
    desk.own._on_report("unheard of", {REPORT: pack(desk.tallies(desk.id, 100))})
    assert [tally.tally.issued for tally in desk.own._counted()] == [5]


def test_last_word(desk: Desk) -> None:
    """The last word on a run is taken with the counts that no report has told; that on another run is not."""
    worker = desk.own._workers[WORKER]
    for run in ("another run", desk.id):
        assert worker.done is None
        counted = desk.tallies(run, 7)
        desk.runner.receive(DONE, Done(run=run, segment="load-1", counted=counted, newest={}))
    assert worker.done is not None
    assert [one.tally.issued for one in desk.own._counted()] == [7]
    assert {name: report.issued for name, report in desk.own._reports().items()} == {"load-1": 7}


@pytest.mark.parametrize(("state", "fault"), [("running", True), ("stopping", False), ("stopped", False)])
def test_worker_that_leaves(desk: Desk, state: str, fault: bool) -> None:
    """A worker that ends before the plan is through without having been told to is a fault."""
    desk.runner.state = state
    desk.runner.receive(DONE, Done(run=desk.id, segment="load-1", counted=None, newest={}))
    assert desk.own.run.faults == ["the process of load-1 left before the plan was through"] * fault


@pytest.mark.parametrize(
    ("through_before", "through_after", "ended"),
    [(False, True, "interrupted"), (False, False, "interrupted"), (True, True, "complete")],
)
def test_run_that_is_cut_short(desk: Desk, through_before: bool, through_after: bool, ended: str) -> None:
    """A run is complete when its plan was through before anybody cut it short, and not while its users end."""
    run = desk.own.run
    for is_through, then in ((through_before, desk.own.cut_short), (through_after, desk.own.finish)):
        run.started_ns = time.monotonic_ns() - (10**12 if is_through else 0)
        then()
    assert run.description.ended == ended


def test_worker_that_begins_when_the_run_is_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was on the way to begin when the master was interrupted is stopped once it has, and waited for."""
    monkeypatch.setattr(harness.load.master_run, "_SILENCE_S", 30.0)
    clients, word = desk.runner.clients, ("stop", WORKER)

    def work() -> None:
        gevent.sleep(0.1)
        assert word not in desk.runner.sent
        clients.spawning, clients.ready = clients.ready, clients.spawning
        while word not in desk.runner.sent:
            gevent.sleep(0.01)
        gevent.sleep(0.1)
        desk.runner.receive(DONE, Done(run=desk.id, segment="load-1", counted=None, newest={}))

    worker = gevent.spawn(work)
    desk.own.cut_short()
    desk.own.finish()
    worker.get(timeout=0)
    assert desk.runner.sent.count(word) == 1
    assert not [fault for fault in desk.own.run.faults if "lost" in fault]


def test_evidence_of_another_run(desk: Desk) -> None:
    """Evidence of a run that is over never becomes part of the one that goes on."""
    name = "segments/load-1.jsonl"
    for run, size, refused in (("another run", 0, "its run is over"), (desk.id, 4, "")):
        desk.runner.receive(FILE, Piece(run=run, segment="load-1", name=name, offset=0, data=b"data"))
        _, answer, _ = desk.runner.sent[-1]
        assert unpack(answer, PieceTaken) == PieceTaken(name=name, size=size, refused=refused)
    assert segment_path(desk.own.run.directory, "load-1").read_bytes() == b"data"
