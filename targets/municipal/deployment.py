"""Starts the whole deployment as processes of the operating system, watches them and stops them.

    kiosk -> center -> AP server -> link -> DB server (PostgreSQL) <- sync agent <- registry <- counter

In the topology `joined` there is no link. Whatever ends this process ends them all: the kernel kills each child with
its parent, and a janitor removes the private directory.
"""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from harness.target import TargetError
from targets.lifetime import PrivateDirectory, die_with_parent
from targets.municipal.forms import LOCAL_STORE
from targets.municipal.settings import Settings
from targets.postgres import USER as POSTGRES_USER
from targets.postgres import Postgres, PostgresError

_STOP_LIMIT_S = 5.0
_LOOK_S = 0.1
EVENT_LOGS = ("ap-server", "sync-agent")
NOTICE_LOG = "center"
FAULT_LOG = "link"


class Server:
    """One server process: started with its ready line awaited, stopped with SIGTERM, then SIGKILL."""

    def __init__(self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = module.rpartition(".")[2].replace("_", "-")
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **environment},
                start_new_session=True,  # Ctrl-C is for the parent, which stops its servers in order
                preexec_fn=die_with_parent(),
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def command_line(self) -> Sequence[str]:
        """What the process was started with: all that it knows."""
        return self._process.args  # type: ignore[return-value] # we gave it a list of str

    def wait_ready(self, failure: Callable[[], str] = lambda: "") -> Mapping[str, object]:
        """The facts of the ready line.

        Args:
            failure: which process ended that it may look for again and again, or an empty text.

        Raises:
            TargetError: with the server's own reason when it ended instead, or with that failure.
        """
        if self._process.stdout is None:
            message = "this should never happen, because the process was started with a pipe as its stdout"
            raise AssertionError(message)
        while not select.select([self._process.stdout], [], [], _LOOK_S)[0]:
            if message := failure():
                raise TargetError(message)
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            reason = self._log.read_text(errors="replace").strip().splitlines() or ["no reason given"]
            raise TargetError(reason[-1] if reason[-1].startswith(self.name) else f"{self.name}: {reason[-1]}")
        facts: Mapping[str, object] = json.loads(line)
        return facts

    def failure(self) -> str:
        """How it ended, or an empty text while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        return f"{self.name} was killed by signal {-code}" if code < 0 else f"{self.name} ended with exit code {code}"

    def stop(self) -> None:
        """End it and wait."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Deployment:
    """The running deployment. After `start`, `center`, `registry`, `ap` and `sync_agent` are base URLs."""

    center: str
    registry: str
    ap: str
    sync_agent: str

    def __init__(self, settings: Settings, logs: Path) -> None:
        self.settings = settings
        self.servers: dict[str, Server] = {}
        self.postgres: Postgres | None = None
        self._logs = logs
        self._stack = ExitStack()

    def start(self) -> None:
        """Start everything and return when it can be used.

        Raises:
            TargetError: with a sentence that says what was found and what would be right; nothing is left running.
        """
        try:
            self._start()
        except PostgresError as error:
            self.stop()
            raise TargetError(str(error)) from error
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        settings = self.settings
        _check_host(settings.host)
        self._logs.mkdir(parents=True, exist_ok=True)
        private = self._stack.enter_context(PrivateDirectory())
        self.postgres = self._stack.enter_context(Postgres(private / "pg", databases=("registry", "issuer")))
        registry = _database_address(self.postgres.host, self.postgres.port, "registry")
        issuer = _database_address(self.postgres.host, self.postgres.port, "issuer")
        population = ["--seed", str(settings.seed), "--households", str(settings.households)]
        self._serve("registry", "--database", registry, "--host", settings.host, *population)
        self._serve(
            "sync_agent",
            *("--registry", registry, "--issuer", issuer),
            *("--method", settings.sync, "--build", settings.build),
            *("--period-s", str(settings.batch_ms / 1000), "--log", str(self.event_log("sync-agent"))),
        )
        through_link = issuer
        if settings.topology == "split":
            link = self._serve(
                "targets.link",
                *("--upstream", f"{self.postgres.host}:{self.postgres.port}", "--seed", str(settings.seed)),
                *("--latency-s", str(settings.link_latency_ms / 1000)),
                *("--jitter-s", str(settings.link_jitter_ms / 1000), "--control", "127.0.0.1:0"),
                *("--fault-pause-s", str(settings.link_fault_pause_s), "--cut-s", str(settings.link_cut_s)),
                *("--fault-log", str(self.event_log(FAULT_LOG))),
            ).wait_ready(self._failure_beneath)
            through_link = _database_address(link["host"], link["port"], "issuer")
        ap = self._serve(
            "ap_server",
            *("--database", through_link),
            *("--store", through_link if settings.topology == "split" else LOCAL_STORE),
            *("--spool", str(private / "spool"), "--slots", str(settings.slots)),
            *("--stage-s", str(settings.stage_ms / 1000), "--log", str(self.event_log("ap-server"))),
        )
        self.registry = url(self.servers["registry"].wait_ready(self._failure_beneath))
        self.sync_agent = url(self.servers["sync-agent"].wait_ready(self._failure_beneath))
        self.ap = url(ap.wait_ready(self._failure_beneath))
        center = self._serve(
            "center",
            *("--ap", self.ap, "--timeout-s", str(settings.center_timeout_s / settings.time_scale)),
            *("--host", settings.host, "--port", str(settings.port)),
            *("--notices", str(self.event_log(NOTICE_LOG))),
        )
        self.center = url(center.wait_ready())

    def _serve(self, module: str, *arguments: str) -> Server:
        dotted = module if "." in module else f"targets.municipal.{module}"
        if self.postgres is None:
            message = "this should never happen, because the database server is started first"
            raise AssertionError(message)
        # In the environment, because the process list shows command lines to everybody.
        environment = {"PGPASSWORD": self.postgres.password}
        server = Server(
            dotted, arguments, environment, self._logs / f"{module.rpartition('.')[2].replace('_', '-')}.err"
        )
        self.servers[server.name] = server
        self._stack.callback(server.stop)
        return server

    def event_log(self, server: str) -> Path:
        """Where a server tells its named points, the center its error notices, the link its faults."""
        return self._logs / f"{server}.jsonl"

    def failure(self) -> str:
        """Which process ended, or an empty text."""
        # First, because others that cannot go on without it end soon after it.
        if self.postgres is not None and not self.postgres.running:
            return "postgres ended"
        return next(filter(None, (server.failure() for server in self.servers.values())), "")

    def _failure_beneath(self) -> str:
        """The same of those that the others look for until they find them."""
        if self.postgres is not None and not self.postgres.running:
            return "postgres ended"
        return self.servers["link"].failure() if "link" in self.servers else ""

    def stop(self) -> None:
        """Stop everything; safe to call twice."""
        self._stack.close()
        self.servers.clear()
        self.postgres = None


def _database_address(host: object, port: object, database: str) -> str:
    return f"postgresql://{POSTGRES_USER}@{host}:{port}/{database}"


def _check_host(host: str) -> None:
    try:
        family, *_, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.bind(address)
    except OSError as error:
        message = f"host: found {host!r} ({error.strerror}), right would be an IP address of this machine"
        raise TargetError(message) from error


def url(facts: Mapping[str, object]) -> str:
    """Where a server is, by the facts of its ready line."""
    host = f"[{facts['host']}]" if ":" in str(facts["host"]) else facts["host"]
    return f"http://{host}:{facts['port']}"
