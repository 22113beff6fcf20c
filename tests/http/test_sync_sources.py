"""Where sync runs are told of: an endpoint, a log, a database; what cannot be asked is told by its key."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from harness.records import SyncRun
from harness.target import TargetError
from targets.http.change_models import TimedTable
from targets.http.description import Source
from targets.http.secrets import read_secrets
from targets.http.sync_sources import SourceError, SyncRuns
from targets.lifetime import PrivateDirectory
from targets.postgres import Postgres
from tests.http.conftest import describe
from tests.http.test_changes import CHANGING, ENDPOINT, LOG

FIRST = {"id": "S1", "started": 1, "applied": 2, "acknowledged": 2, "ended": 2, "changes": []}
SECOND = {**FIRST, "id": "S2", "changes": ["C1-1"]}
SQL = """
[secrets]
DSN = { env = "SYNC_DSN" }

[sync]
from = "sql"
dsn = "{secret:DSN}"
query = "select name as sync_run, begin_at, end_at, changes as applied from runs"
"""


class Told(http.server.BaseHTTPRequestHandler):
    """Answers with what a test wants."""

    status, body = 200, b"{}"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Nobody reads it."""

    def do_GET(self) -> None:
        """The sync runs."""
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a service that tells of its sync runs."""
    monkeypatch.setattr(Told, "body", b'{"runs": []}')
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def source(directory: Path, text: str) -> SyncRuns:
    """The sync runs of a description, asked the first time."""
    read = Source(describe(directory, text))
    table = read.description.sync
    assert isinstance(table, TimedTable)
    return SyncRuns(
        read.description,
        table,
        secrets=read_secrets(read.description.secrets, directory, read.tell),
        directory=directory,
        version_of={"C1-1": ("G1", 2)}.get,
        tell=read.tell,
    )


def tell(*runs: dict[str, object]) -> None:
    """What the service tells from now on."""
    Told.body = json.dumps({"runs": runs}).encode()


def test_an_endpoint_with_a_secret_in_its_path(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told of it is as it is described: it goes into the ledger."""
    monkeypatch.setenv("KEY", "s3cret")
    text = CHANGING.replace("http://127.0.0.1:8080", url) + ENDPOINT.replace("/sync-runs", "/{secret:KEY}/sync-runs")
    monkeypatch.setattr(Told, "status", 500)
    for address, said in ((url, "answered with status 500"), ("http://127.0.0.1:1", "does not answer")):
        described = text.replace(url, address) + '\n[secrets]\nKEY = { env = "KEY" }\n'
        with pytest.raises(TargetError, match=said) as raised:
            source(tmp_path, described)
        assert "/{secret:KEY}/sync-runs" in str(raised.value)
        assert "s3cret" not in str(raised.value)


def test_endpoint(tmp_path: Path, url: str) -> None:
    """A list of sync runs; what was in it before the run is none of it, and each is told once."""
    tell(FIRST)
    told = source(tmp_path, CHANGING.replace("http://127.0.0.1:8080", url) + ENDPOINT)
    assert told.tells_applied
    tell(FIRST, SECOND, {**SECOND, "id": "S3", "ended": None})
    (run,) = told.new(rest=False)
    assert (run.sync_run, run.applied) == ("S2", (("G1", 2),))
    assert [run.sync_run for run in told.new(rest=True)] == ["S3"]
    told.close()


def test_endpoint_that_fails(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again; only what it does not tell the last time is unknown, and that is a fault."""
    told = source(tmp_path, CHANGING.replace("http://127.0.0.1:8080", url) + ENDPOINT)
    monkeypatch.setattr(Told, "status", 500)
    assert list(told.new(rest=False)) == []
    with pytest.raises(SourceError, match=r"/sync-runs answered with status 500 and no list at runs; right is 200"):
        list(told.new(rest=True))


@pytest.mark.parametrize("body", [b"[]", b'{"runs": {}}', b"?"])
def test_no_list(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """What is no list is told before the run, with its line."""
    monkeypatch.setattr(Told, "body", body)
    with pytest.raises(TargetError, match=r"target\.toml:\d+: sync\.path: .* no list at runs"):
        source(tmp_path, CHANGING.replace("http://127.0.0.1:8080", url) + ENDPOINT)


def test_nobody_there(tmp_path: Path) -> None:
    """Nor is there a run without an answer."""
    with pytest.raises(TargetError, match=r"sync\.path: http://127.0.0.1:1/sync-runs does not answer"):
        source(tmp_path, CHANGING.replace("127.0.0.1:8080", "127.0.0.1:1") + ENDPOINT)


def test_log(tmp_path: Path) -> None:
    """Lines that come after the beginning, several for one sync run; all others say nothing."""
    log = tmp_path / "sync.log"
    log.write_text("2026-01-31T12:00:00.0Z S1 begins\n")
    told = source(tmp_path, CHANGING + LOG)
    with log.open("a") as file:
        file.write("2026-01-31T12:00:00.1Z S1 ends, applied \n")
        file.write("2026-01-31T12:00:00.2Z S2 begins\nsomething else\n")
    assert list(told.new(rest=False)) == []
    with log.open("ab") as lines:
        lines.write(b"\xff\n2026-01-31T12:00:00.5Z S2 ends, applied C1-1\n2026-01-31T12:00:01.0Z S3 begins\n")
    (run,) = told.new(rest=False)
    assert (run.sync_run, run.applied) == ("S2", (("G1", 2),))
    assert [run.sync_run for run in told.new(rest=True)] == ["S3"]


def test_no_log(tmp_path: Path) -> None:
    """A log that is not there is most likely called otherwise."""
    with pytest.raises(TargetError, match=r"sync\.file: .*sync\.log cannot be read: No such file"):
        source(tmp_path, CHANGING + LOG)


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """Of a database in which a service keeps its sync runs."""
    with PrivateDirectory() as directory, Postgres(directory / "pg", databases=["service"]) as server:
        address = server.dsn("service")
        execute(address, "create table runs (name text, begin_at timestamptz, end_at timestamptz, changes text[])")
        yield address


def execute(dsn: str, statement: str) -> None:
    """As the service does."""

    async def once() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(once())


def test_sql(tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a query, whose columns have the names of the fields."""
    monkeypatch.setenv("SYNC_DSN", dsn)
    execute(dsn, "insert into runs values ('S1', now(), now(), '{}')")
    told = source(tmp_path, CHANGING + SQL)
    assert told.tells_applied
    execute(dsn, "insert into runs values ('S2', now(), now() + interval '1 second', '{C1-1,C9}')")
    execute(dsn, "insert into runs values ('S3', now(), null, null)")
    (run,) = told.new(rest=False)
    assert (run.sync_run, run.applied) == ("S2", (("G1", 2),))
    assert run.end_ns is not None
    assert 990_000_000 < run.end_ns - run.begin_ns <= 1_000_000_000
    assert [run.sync_run for run in told.new(rest=True)] == ["S3"]
    told.close()
    told.close()
    with pytest.raises(SourceError, match="the process that asks the database is gone"):
        list[SyncRun](told.new(rest=True))


WRONG_SQL = [
    ("select 1 as one", "sync.query: found the columns one; right are sync_run, begin_at, and end_at or applied_at"),
    ("select nothing from nowhere", 'sync.query: UndefinedTableError: relation "nowhere" does not exist'),
    ("delete from runs returning name as sync_run, begin_at, end_at", "sync.query: ReadOnlySQLTransactionError"),
]


@pytest.mark.parametrize(("query", "said"), WRONG_SQL, ids=["columns", "table", "writing"])
def test_wrong_sql(tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch, query: str, said: str) -> None:
    """What the database does not answer is told with the key, and nothing can be written by it."""
    monkeypatch.setenv("SYNC_DSN", dsn)
    text = SQL[: SQL.index("query")] + f'query = "{query}"\n'
    with pytest.raises(TargetError) as raised:
        source(tmp_path, CHANGING + text)
    assert said in str(raised.value)


def test_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever cannot be reached is told without the secrets that lead there."""
    monkeypatch.setenv("SYNC_DSN", "postgresql://me:hidden-word@127.0.0.1:1/service")
    with pytest.raises(TargetError, match=r"target\.toml:\d+: sync\.query: ") as raised:
        source(tmp_path, CHANGING + SQL)
    assert "hidden-word" not in str(raised.value)
