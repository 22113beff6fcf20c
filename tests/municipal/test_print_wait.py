"""The print wait in both topologies: first come, first served, and nobody is freed but by who may."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from targets.link import Link
from targets.municipal.database import ISSUER_SCHEMA, Database, DatabaseClosedError
from targets.municipal.print_wait import LocalPrintWait, PrintWait, SharedPrintWait
from targets.postgres import HOST, Postgres
from tests.municipal.conftest import LIMIT_S, Databases, until

ROWS = "SELECT array_agg(owner ORDER BY id) FROM print_wait WHERE slot IS NOT NULL"
HOLD = "INSERT INTO print_wait (owner, person) VALUES ('S1', 'held')"
END_HOLD = "UPDATE print_wait SET released = true WHERE owner = 'S1'"


class Counting(Database):
    """Counts the answers, by which a test knows that a look at the holds is over."""

    answers = 0

    async def value(self, sql: str, *arguments: object) -> object:
        """As ever."""
        value = await super().value(sql, *arguments)
        self.answers += 1
        return value


class Stage:
    """Jobs that come, stay on the stage until they are sent away, and leave."""

    def __init__(self, print_wait: PrintWait, database: Counting, issuer: asyncpg.Connection, link: Link) -> None:
        self.issuer = issuer
        self.link = link
        self.staged: list[str] = []
        self.began_ns: list[int] = []
        self.is_shared = isinstance(print_wait, SharedPrintWait)
        self._print_wait = print_wait
        self._database = database
        self._jobs: dict[str, tuple[asyncio.Event, asyncio.Task[None]]] = {}

    async def come(self, job: str, *, slot: str = "1", person: str = "free") -> None:
        """Return once the job has its place in the line, or its answer that it is to wait outside."""
        sent_away, answers = asyncio.Event(), self._database.answers

        async def run() -> None:
            async with self._print_wait.turn(job, slot, person, self._note_began):
                self.staged.append(job)
                await sent_away.wait()

        self._jobs[job] = sent_away, asyncio.create_task(run())
        await until(lambda: self._database.answers > answers)

    async def _note_began(self, began_ns: int) -> None:
        self.began_ns.append(began_ns)

    async def leave(self, job: str) -> None:
        """Send a job away and see it out."""
        sent_away, task = self._jobs.pop(job)
        sent_away.set()
        await task

    async def give_up(self, job: str) -> None:
        """Cancel a job, as a server does that is stopped, and see it out."""
        _, task = self._jobs.pop(job)
        task.cancel()
        await asyncio.wait([task])

    async def shows(self, *jobs: str) -> None:
        """Return once these have come onto the stage, in this order."""
        await until(lambda: len(self.staged) >= len(jobs))
        assert self.staged == list(jobs)

    async def close(self) -> None:
        """Send everybody away."""
        for job in list(self._jobs):
            await self.give_up(job)

    async def lose_connections(self) -> None:
        """Abort all connections of the print wait and let none come back."""
        self.link.reset()
        await self.link.cut()


OpenStage = Callable[[str], Awaitable[Stage]]


@pytest.fixture
async def open_stage(databases: Databases, postgres: Postgres) -> AsyncIterator[OpenStage]:
    """Opens the print wait of a topology, with the link between it and the database."""
    async with AsyncExitStack() as stack:

        async def open_(topology: str) -> Stage:
            enter = stack.enter_async_context
            issuer = await enter(await asyncpg.create_pool(databases["issuer"], min_size=1, max_size=1))
            await issuer.execute(ISSUER_SCHEMA)
            link = await enter(Link(HOST, postgres.port))
            address = databases["issuer"].replace(f":{postgres.port}/", f":{link.port}/")
            database = await enter(Counting(address))
            made = SharedPrintWait(address, database) if topology == "split" else LocalPrintWait(address, database)
            print_wait: PrintWait = await enter(made)
            stage = Stage(print_wait, database, issuer, link)
            stack.push_async_callback(stage.close)
            return stage

        yield open_


both = pytest.mark.parametrize("topology", ["split", "joined"])


@both
@pytest.mark.parametrize("set_by_s", [0, -3600, 3600])
async def test_when_a_wait_began(
    open_stage: OpenStage, monkeypatch: pytest.MonkeyPatch, topology: str, set_by_s: int
) -> None:
    """It is told once, and lies between coming and being on the stage, also where the clock on the wall was set."""
    stage, time_ns = await open_stage(topology), time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: time_ns() + set_by_s * 10**9)
    before_ns = time.monotonic_ns()
    await stage.come("A")
    await stage.shows("A")
    (began_ns,) = stage.began_ns
    assert before_ns <= began_ns <= time.monotonic_ns()


@both
async def test_first_come_first_served(open_stage: OpenStage, topology: str) -> None:
    """The prints of a slot come onto the stage one at a time, in the order in which they began to wait."""
    stage = await open_stage(topology)
    jobs = [f"J{number}" for number in range(8)]
    for job in jobs:
        await stage.come(job)
    for number, job in enumerate(jobs, start=1):
        await stage.shows(*jobs[:number])
        await stage.leave(job)


@both
async def test_slots_are_apart(open_stage: OpenStage, topology: str) -> None:
    """A print waits for those of its own slot only."""
    stage = await open_stage(topology)
    for job, slot in (("A1", "1"), ("B1", "1"), ("A2", "2")):
        await stage.come(job, slot=slot)
    await stage.shows("A1", "A2")
    await stage.leave("A1")
    await stage.shows("A1", "A2", "B1")


@both
async def test_who_gives_up_frees_nobody_else(open_stage: OpenStage, topology: str) -> None:
    """A cancelled print leaves no row, and lets the next in line in only when it was on the stage itself."""
    stage = await open_stage(topology)
    for job in ("A", "B", "C"):
        await stage.come(job)
    await stage.shows("A")
    await stage.give_up("B")
    assert await stage.issuer.fetchval(ROWS) == (["A", "C"] if stage.is_shared else None)
    assert stage.staged == ["A"]
    await stage.give_up("A")
    await stage.shows("A", "C")
    await stage.leave("C")
    assert await stage.issuer.fetchval(ROWS) is None


@both
@pytest.mark.parametrize("connected", [True, False])
async def test_held_person_waits(open_stage: OpenStage, topology: str, connected: bool) -> None:
    """A held person's print lets others pass until the hold ends, even when nobody was there to hear the end."""
    stage = await open_stage(topology)
    await stage.issuer.execute(HOLD)
    await stage.come("H", person="held")
    await stage.come("A")
    await stage.shows("A")
    await stage.leave("A")
    if not connected:
        await stage.lose_connections()
    await stage.issuer.execute(END_HOLD)
    stage.link.restore()
    await stage.shows("A", "H")


async def test_missed_release_is_read(open_stage: OpenStage) -> None:
    """A release that happens while the connection for notifications is down is seen after reconnecting."""
    stage = await open_stage("split")
    await stage.come("A")
    await stage.come("B")
    await stage.shows("A")
    await stage.lose_connections()
    await stage.issuer.execute("SELECT print_wait_leave('A', '1')")
    assert stage.staged == ["A"]
    stage.link.restore()
    await stage.shows("A", "B")


@pytest.mark.parametrize("first", ["A", "B"])
async def test_freed_print_gives_back_only_its_own(open_stage: OpenStage, first: str) -> None:
    """When a release that was none of its owner's has let B in beside A, C waits until both have left."""
    stage = await open_stage("split")
    for job in ("A", "B"):
        await stage.come(job)
    await stage.issuer.execute("UPDATE print_wait SET released = true WHERE NOT released")
    await stage.shows("A", "B")
    await stage.come("C")
    await stage.leave(first)
    assert await stage.issuer.fetchval("SELECT released FROM print_wait WHERE owner = 'C'") is False
    assert stage.staged == ["A", "B"]
    await stage.leave("B" if first == "A" else "A")
    await stage.shows("A", "B", "C")


async def test_wait_survives_its_connection(open_stage: OpenStage) -> None:
    """A wait is a committed row: after all connections were lost it is there as before, and nobody was let in."""
    stage = await open_stage("split")
    await stage.come("A")
    await stage.come("B")
    await stage.shows("A")
    rows = await stage.issuer.fetch("SELECT * FROM print_wait")
    await stage.lose_connections()
    assert await stage.issuer.fetch("SELECT * FROM print_wait") == rows
    stage.link.restore()
    await stage.come("C")
    assert stage.staged == ["A"]
    await stage.leave("A")
    await stage.shows("A", "B")


async def test_closing_ends_what_is_asked(databases: Databases) -> None:
    """A statement without an answer ends with its database connection, instead of being repeated for ever."""
    running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"
    async with Database(databases["issuer"]) as database:
        asked = asyncio.create_task(database.value("SELECT pg_sleep(600)"))
        await until(lambda: database.value(running))
    with pytest.raises(DatabaseClosedError):
        await asyncio.wait_for(asked, LIMIT_S)
