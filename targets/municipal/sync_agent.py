"""Sync agent (随時連携処理): brings the registry's changes into the issuer's resident copy.

Method `v1` is a periodic batch: everything that waits in the outbox is applied in one transaction, with no holds.
Method `v2` works as changes come, one by one: it holds the prints of the people concerned by rows in `print_wait`,
applies the change, and releases. The agent knows its method and its build; where the prints queue it does not know.

It serves GET /metrics only: see `targets.municipal.metrics`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from aiohttp import web

from targets.defects import spurious_release
from targets.metrics import add_metrics
from targets.municipal.database import ISSUER_SCHEMA, LOST_LINK, encode_persons, put_persons
from targets.municipal.metrics import SyncMetrics
from targets.municipal.people import Person
from targets.municipal.points import Points
from targets.municipal.registry import connect_when_up
from targets.process import OptionParser, run_server, start_site

BUILDS: Mapping[str, str] = {
    "fixed": "UPDATE print_wait SET released = true WHERE NOT released AND owner = $1",
    "seed": spurious_release.RELEASE,
}
"""build -> the statement by which a sync run releases; $1, where it is used, is the run."""

METHODS = ("v1", "v2")
_BACKLOG = (
    "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(entered)), 0)::float8"
    " FROM outbox WHERE NOT synchronised"
)
_RETRY_PAUSE_S = 0.02
_LISTEN_AGAIN_S = 0.5  # a lost notification costs no more than this


class OutboxEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the registry: all members of the household as they are after it."""

    seq: int
    household: str
    version: int
    rows: list[Person]


async def _after_deadlocks(work: Callable[[], Awaitable[Any]]) -> Any:
    """The result of `work`, begun again as often as the database chose it as the victim of a deadlock."""
    while True:
        try:
            return await work()
        except asyncpg.DeadlockDetectedError:
            await asyncio.sleep(_RETRY_PAUSE_S)


class SyncAgent:
    """The agent over a connection to each database."""

    def __init__(self, registry: asyncpg.Connection, issuer: asyncpg.Connection, points: Points, *, build: str) -> None:
        self._registry = registry
        self._issuer = issuer
        self._points = points
        self._release = BUILDS[build]
        self.metrics = SyncMetrics()

    async def load(self) -> None:
        """Create the issuer's tables in its empty database and copy every resident (初期連携)."""
        rows = None
        while rows is None:
            try:
                rows = await self._registry.fetchval("SELECT json_agg(r)::text FROM resident r")
            except asyncpg.UndefinedTableError:
                await asyncio.sleep(_RETRY_PAUSE_S)
        async with self._issuer.transaction():
            await self._issuer.execute(ISSUER_SCHEMA)
            await self._issuer.execute(put_persons("resident_copy"), rows)

    async def outstanding(self) -> list[OutboxEntry]:
        """What the registry has and the copy has not, oldest first."""
        entries = await self._registry.fetchval(
            "SELECT json_agg(json_build_object('seq', seq, 'household', household, 'version', version, 'rows', rows)"
            " ORDER BY seq)::text FROM outbox WHERE NOT synchronised"
        )
        return msgspec.json.decode(entries, type=list[OutboxEntry]) if entries else []

    async def run_batch(self, entries: Sequence[OutboxEntry]) -> None:
        """One sync run of method v1."""
        run = f"S{entries[-1].seq}"
        await self._points.reach(run, "sync.begin", applied=tuple((e.household, e.version) for e in entries))

        async def apply() -> None:
            async with self._issuer.transaction():
                for entry in entries:
                    await self._issuer.execute(put_persons("resident_copy"), encode_persons(entry.rows))

        await _after_deadlocks(apply)
        await self._points.reach(run, "sync.applied")
        await self._acknowledge(run, entries)

    async def run_change(self, entry: OutboxEntry) -> None:
        """One sync run of method v2."""
        run = f"S{entry.seq}"
        await self._points.reach(run, "sync.begin", applied=((entry.household, entry.version),))
        concerned = [person.person for person in entry.rows]
        await self._issuer.execute(
            "INSERT INTO print_wait (owner, person) SELECT $1, unnest($2::text[])", run, concerned
        )
        await self._issuer.execute(put_persons("resident_copy"), encode_persons(entry.rows))
        await self._points.reach(run, "sync.applied")
        await _after_deadlocks(lambda: self._issuer.execute(self._release, *([run] if "$1" in self._release else [])))
        await self._points.reach(run, "sync.released")
        await self._issuer.execute("DELETE FROM print_wait WHERE owner = $1", run)
        await self._acknowledge(run, [entry])

    async def _acknowledge(self, run: str, entries: Sequence[OutboxEntry]) -> None:
        await self._registry.execute(
            "UPDATE outbox SET synchronised = true WHERE seq = ANY($1)", [entry.seq for entry in entries]
        )
        await self._points.reach(run, "sync.acknowledged")
        self._points.leave(run)


async def _synchronise(agent: SyncAgent, method: str, period_s: float, notified: asyncio.Event) -> None:
    while True:
        if method == "v1":
            await asyncio.sleep(period_s)
            if entries := await agent.outstanding():
                with agent.metrics.run():
                    await agent.run_batch(entries)
            continue
        notified.clear()
        entries = await agent.outstanding()
        for entry in entries:
            with agent.metrics.run():
                await agent.run_change(entry)
        if not entries:
            try:
                await asyncio.wait_for(notified.wait(), _LISTEN_AGAIN_S)
            except TimeoutError:
                continue


@asynccontextmanager
async def run_sync_agent(
    registry: str,
    issuer: str,
    *,
    method: str,
    build: str,
    period_s: float = 0.05,
    log: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Mapping[str, object]]:
    """Load the issuer's empty database, then keep its resident copy up to date while the context lasts.

    Yields host and port.

    Args:
        registry, issuer: the two databases.
        period_s: of the batch of method v1.
    """
    registry_pool, issuer_pool = await connect_when_up(registry), await connect_when_up(issuer)
    notified = asyncio.Event()
    async with Points(log) as points, registry_pool.acquire() as of_registry, issuer_pool.acquire() as of_issuer:
        agent = SyncAgent(of_registry, of_issuer, points, build=build)

        async def read_backlog() -> None:
            # Of the database and on another connection, so that an agent that is stuck in a run tells of it, too.
            pending, lag_s = await registry_pool.fetchrow(_BACKLOG)
            agent.metrics.pending.set(pending)
            agent.metrics.lag.set(lag_s)

        app = web.Application()
        add_metrics(app, agent.metrics.registry, read_backlog)
        await agent.load()
        await of_registry.add_listener("outbox", lambda *_: notified.set())
        task = asyncio.create_task(_synchronise(agent, method, period_s, notified))
        task.add_done_callback(_end_process_on_failure)
        try:
            async with start_site(app, host, port) as actual_port:
                yield {"host": host, "port": actual_port}
        finally:
            task.cancel()
            await asyncio.wait([task])
            registry_pool.terminate()
            issuer_pool.terminate()


def _end_process_on_failure(task: asyncio.Task[None]) -> None:
    """An agent that cannot go on must not look alive: whoever watches the process has to see it end."""
    if not task.cancelled() and (error := task.exception()) is not None:
        if not isinstance(error, LOST_LINK):
            asyncio.get_running_loop().call_exception_handler({"message": "sync agent failed", "exception": error})
        sys.exit(f"sync-agent: cannot go on: {error}")


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m targets.municipal.sync_agent`."""
    parser = OptionParser(prog="sync-agent", description="Synchronises registry and issuer")
    parser.add_argument("--registry", required=True, help="the registry's database")
    parser.add_argument("--issuer", required=True, help="the issuer's database, empty")
    parser.add_argument("--method", choices=METHODS, required=True)
    parser.add_argument("--build", choices=sorted(BUILDS), required=True)
    parser.add_argument("--period-s", type=float, default=0.05, help="of the batch of method v1")
    parser.add_argument("--log", type=Path, help="event log")
    options = parser.parse_args(argv)
    return asyncio.run(
        run_server(
            "sync-agent",
            run_sync_agent(
                options.registry,
                options.issuer,
                method=options.method,
                build=options.build,
                period_s=options.period_s,
                log=options.log,
            ),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
