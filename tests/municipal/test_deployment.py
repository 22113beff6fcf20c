"""The deployment as processes of the operating system, and the target that is made of it."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random

import pytest

from harness.oracle import judge
from harness.outcome import Outcome
from harness.records import Application
from harness.register import Register
from harness.target import Answer, TargetError
from targets.municipal.deployment import Deployment, Server
from targets.municipal.settings import read_settings
from targets.municipal.target import Municipal
from tests.municipal.conftest import LIMIT_S, SMALL, print_one, send, until

LAST_TO_FIRST = (
    *("municipal.truth", "municipal.center", "municipal.ap_server", "link"),
    *("municipal.sync_agent", "municipal.registry"),
)
"""The servers in the order in which each death is told before that of those behind it."""

# Tells who it is and where its private files are, then stops in order at the end of its input.
OWNER = """
import json, sys
from pathlib import Path
from targets.municipal.target import Municipal
target = Municipal({"households": "12"})
target.open(Path(sys.argv[1]))
arguments = list(target.running.servers["ap-server"].command_line)
print(json.dumps(arguments[arguments.index("--spool") + 1]), flush=True)
sys.stdin.read()
target.close()
"""


@pytest.fixture(scope="module", params=["split", "joined"])
def municipal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Municipal]:
    """A running deployment of each topology."""
    target = Municipal({**SMALL, "topology": request.param, "build": "seed", "sync": "v2"})
    try:
        target.open(tmp_path_factory.mktemp("logs"))
        yield target
    finally:
        target.close()


def descendants(pid: int) -> dict[int, str]:
    """Every process that comes from this one, with its command line."""
    found: dict[int, str] = {}
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            found |= descendants(child)
    return found


def test_everybody_knows_no_more_than_needed(municipal: Municipal) -> None:
    """The agent is told its method and build, the AP server the address of its store, and nobody the topology."""
    running = municipal.running
    words = {
        name: [word for word in server.command_line if not word.startswith("/")]  # paths are made of chance
        for name, server in running.servers.items()
    }
    text = {name: " ".join(given) for name, given in words.items()}
    assert "--method v2" in text["sync-agent"]
    assert "--build seed" in text["sync-agent"]
    for unknown in ("split", "joined", "memory:", "slot", "link", running.ap.removeprefix("http://"), running.ap[-6:]):
        assert unknown not in text["sync-agent"]
    store = words["ap-server"][words["ap-server"].index("--store") + 1]
    database = words["ap-server"][words["ap-server"].index("--database") + 1]
    assert store == (database if municipal.settings.topology == "split" else "memory:")
    for unknown in ("split", "joined", "v1", "v2", "seed", "fixed", "build", "method"):
        assert unknown not in text["ap-server"]
    assert running.postgres is not None
    assert running.postgres.password not in " ".join(descendants(os.getpid()).values())


def test_prints_come_out_right(municipal: Municipal) -> None:
    """Papers of every kind, drawn and printed through the target, are judged ok."""
    random, register = Random(1), Register()
    for group in municipal.groups():
        register.add_group(group)
    kinds = set()
    for number in range(25):
        application = municipal.draw_application(f"A{number}", random.choice(municipal.groups()), random)
        print_ = print_one(municipal, application)
        for document in municipal.expected(print_):
            register.add(document)
        assert judge(print_, register).outcome is Outcome.OK
        kinds.add(print_.kind)
    assert kinds == {"juminhyo", "inkan", "koseki", "zei"}
    assert {event.nonce for event in municipal.new_print_events()} >= {f"A{number}.1" for number in range(25)}
    assert list(municipal.new_error_notices()) == []
    assert municipal.failure() == ""


def test_every_arrival_is_told(municipal: Municipal) -> None:
    """An application that a client sends a second time shows as two arrivals under one nonce."""
    application = municipal.draw_application("TWICE", municipal.groups()[0], Random(1))
    documents = [send(municipal.print_request(application)) for _ in range(2)]
    assert documents[0] == documents[1]
    arrivals = [event for event in municipal.new_print_events() if event.point == "applied"]
    assert [event.nonce for event in arrivals].count(application.nonce) == 2


async def test_change_is_printed_after_its_sync_run(municipal: Municipal) -> None:
    """A change that the truth draws reaches the copy through the registry, and the next paper is of its version."""
    group = municipal.groups()[0]
    change, request = municipal.draw_change("C1", group, ["relocate"], Random(1))
    assert json.loads(send(request)) == {"version": change.version}
    applied = ((group.group, change.version),)
    await until(lambda: [run for run in municipal.new_sync_runs() if run.applied == applied and run.acknowledged_ns])
    application = Application(application="B1", applicant=group.persons[0], group=group.group, kind="juminhyo")
    print_ = print_one(municipal, application)
    assert {mark.version for mark in print_.marks} == {change.version}
    assert [document.checksum for document in municipal.expected(print_)] == [print_.checksum]


def _fails_with(target: Municipal, failure: str) -> bool:
    return target.failure() == failure


async def test_whoever_dies_is_named(tmp_path: Path) -> None:
    """When a process of the deployment is killed the failure names it, and the database before those it takes along."""
    others, target = descendants(os.getpid()), Municipal(SMALL)
    try:
        target.open(tmp_path)
        assert target.failure() == ""
        running = target.running
        family = {pid: command for pid, command in descendants(os.getpid()).items() if pid not in others}
        for module in LAST_TO_FIRST:
            (pid,) = (pid for pid, command in family.items() if f" targets.{module} " in command)
            os.kill(pid, signal.SIGKILL)
            named = f"{module.rpartition('.')[2].replace('_', '-')} was killed by signal 9"
            await until(partial(_fails_with, target, named))
        assert running.postgres is not None
        os.kill(running.postgres.pid, signal.SIGKILL)
        await until(partial(_fails_with, target, "postgres ended"))
    finally:
        target.close()
    assert target.failure() == "the deployment is not running"


@pytest.mark.parametrize(
    ("killed", "before", "told"),
    [("postgres", "registry", "postgres ended"), ("link", "ap_server", "link was killed by signal 9")],
)
def test_whoever_dies_before_others_are_ready_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: str, before: str, told: str
) -> None:
    """Servers that would look for it for ever are not waited for, and nothing is left running."""
    others, serve = set(descendants(os.getpid())), Deployment._serve

    def kill_first(self: Deployment, module: str, *arguments: str) -> Server:
        if module == before and self.postgres is not None:
            pid = self.postgres.pid if killed == "postgres" else self.servers[killed].pid
            pidfd = os.pidfd_open(pid)
            os.kill(pid, signal.SIGKILL)
            select.select([pidfd], [], [], LIMIT_S)
            os.close(pidfd)
        return serve(self, module, *arguments)

    monkeypatch.setattr(Deployment, "_serve", kill_first)
    with pytest.raises(TargetError, match=f"^{told}$"):
        Municipal(SMALL).open(tmp_path)
    assert set(descendants(os.getpid())) == others


@pytest.mark.parametrize("end", ["close", "kill"])
def test_nothing_is_left(tmp_path: Path, end: str) -> None:
    """When the target is closed, or the process that opened it is killed, no process and no private file stays."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with owner, ExitStack() as stack:
        stack.callback(owner.kill)
        assert owner.stdout is not None
        assert owner.stdin is not None
        private = Path(json.loads(owner.stdout.readline())).parent
        family = descendants(owner.pid)
        assert len([command for command in family.values() if " targets." in command]) == 6
        pidfds = [os.pidfd_open(pid) for pid in family]
        for pidfd in pidfds:
            stack.callback(os.close, pidfd)
        assert private.is_dir()
        if end == "close":
            owner.stdin.close()
        else:
            owner.kill()
        assert owner.wait(LIMIT_S) == (0 if end == "close" else -signal.SIGKILL)
        assert all(select.select([pidfd], [], [], LIMIT_S)[0] for pidfd in pidfds)
        assert not private.exists()  # what removes it is one of the processes that have ended


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (200, b"%PDF", Answer(document=b"%PDF")),
        (200, b"", Answer(document=b"")),
        (202, b"", Answer(nothing="accepted, no document")),
        (204, b"", Answer(nothing="accepted, no document")),
        (409, b'{"refused":"dead"}', Answer(refused="dead")),
        (409, b"", Answer(refused="refused")),
        (502, b'{"error":"image_missing"}', Answer(error="502 image_missing")),
        (500, b"<h1>Oops</h1>", Answer(error="500 unknown")),
        (500, b'{"error":"\xff"}', Answer(error="500 unknown")),
    ],
)
def test_what_answers_mean(status: int, body: bytes, answer: Answer) -> None:
    """200 is a document, however short, 202 and 204 nothing, 409 a refusal and the rest errors, whatever the body."""
    assert Municipal(SMALL).read_answer(status, {}, body) == answer


@pytest.mark.parametrize("alone", [True, False])
def test_port_in_use(tmp_path: Path, alone: bool) -> None:
    """When the center's port is taken the error names it, and nothing is left running, with the truth or without."""
    before = set(descendants(os.getpid()))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = {**SMALL, "port": str(port)}
        whole = partial(Municipal(settings).open, tmp_path)
        start = Deployment(read_settings(settings), tmp_path).start if alone else whole
        with pytest.raises(TargetError, match=f"^center: port {port} on 127.0.0.1 is already in use"):
            start()
    assert set(descendants(os.getpid())) == before


def test_host_of_another_machine(tmp_path: Path) -> None:
    """When the host is no address of this machine the error names the setting, and nothing is left running."""
    before = set(descendants(os.getpid()))
    with pytest.raises(
        TargetError, match=r"^host: found '192\.0\.2\.1' .*right would be an IP address of this machine"
    ):
        Municipal({**SMALL, "host": "192.0.2.1"}).open(tmp_path)
    assert set(descendants(os.getpid())) == before
