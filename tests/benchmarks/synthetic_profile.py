"""Users who hand themselves the right document instead of asking a service: the evidence path alone, as fast as it is.

They lease groups, count attempts and record answers as kiosk users do. Beside that each process tells on a way of its
own what its users did: `told-PID.txt` in the run directory holds the nonce and the applicant of every attempt, one a
line. When the last of them is recorded and nobody applies any more, there is a file `told-PID.done` beside it.
"""

import os
from argparse import Namespace
from pathlib import Path

import gevent
import msgspec
from locust import User, constant, task

from harness.load.active_run import ActiveRun
from harness.load.plan import Phase, Plan
from harness.load.plugin import LoadPlugin, Option, PlanShape
from harness.target import Answer
from tests.benchmarks.static_service import document

_AT_ONCE = 500
_YIELD_EVERY = 50
_FAIL_EVERY = 1000
_IDLE_S = 0.05


def plan(options: Namespace) -> Plan:
    """One phase, which whoever started the run cuts short."""
    return Plan((Phase(name="load", seconds=options.load_s, think_s=0.0),))


plugin = LoadPlugin(
    "synthetic",
    target="tests.benchmarks.synthetic_target:SyntheticTarget",
    plan=plan,
    change_kinds=(),
    options=(
        Option(name="load-s", default=3600.0, help="length of the load at most, seconds"),
        Option(name="applications", default=10_000, help="how many each process makes"),
    ),
    users=10,
)


class _Told:
    """What the users of this process tell."""

    def __init__(self, directory: Path) -> None:
        self.is_through = False
        self.users_at_work = 0
        self._path = directory / f"told-{os.getpid()}.txt"
        self._file = self._path.open("x", encoding="ascii")

    def add(self, nonce: str, applicant: str) -> None:
        self._file.write(f"{nonce} {applicant}\n")

    def finish(self) -> None:
        """Everything is told."""
        self._file.close()
        self._path.with_suffix(".done").touch()


class Applicant(User):
    """Applies until its process has made all of its applications."""

    wait_time = constant(0)
    told: _Told | None = None

    def on_start(self) -> None:
        """Know how much there is to do."""
        options = self.environment.parsed_options
        assert options is not None
        self._applications = options.applications

    @task
    def apply(self) -> None:
        """Some applications, one after the other."""
        active = plugin.active
        if active is None or active.phase is None:
            gevent.sleep(_IDLE_S)
            return
        told = Applicant.told
        if told is None:
            told = Applicant.told = _Told(active.recorder.segment.path.parents[1])
        if told.is_through:
            gevent.sleep(_IDLE_S)
            return
        told.users_at_work += 1
        for _ in range(_AT_ONCE):
            number = next(active.next_application)
            told.is_through = told.is_through or number > self._applications
            if told.is_through:
                break
            _apply(active, told, number)
        told.users_at_work -= 1
        if told.is_through and not told.users_at_work:
            told.finish()


def _apply(active: ActiveRun, told: _Told, number: int) -> None:
    with active.applicants.lease() as group:
        application = active.target.draw_application(f"A{active.prefix}{number}", group, active.random)
        answers = [Answer(document=_documents[application.applicant])]
        if number % _FAIL_EVERY == 1:
            answers.insert(0, Answer(error="no image"))
        for attempt, answer in enumerate(answers, 1):
            application = msgspec.structs.replace(application, attempt=attempt)
            active.recorder.segment.issued += 1
            sent_ns = active.now_ns()
            if number % _YIELD_EVERY == 0:
                gevent.sleep(0)
            active.recorder.record(application, sent_ns, active.now_ns(), answer)
            told.add(application.nonce, application.applicant)


class _Documents(dict[str, bytes]):
    """Person -> the right document."""

    def __missing__(self, person: str) -> bytes:
        self[person] = made = document(person)
        return made


_documents = _Documents()


class Load(PlanShape):
    """As shipped."""

    plugin = plugin
