"""A city in the event loop of a test: the servers of the deployment as context managers over one real PostgreSQL."""

import asyncio
import inspect
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec
import pytest

from harness.fingerprint import checksum
from harness.records import Application, Print
from harness.target import Request
from targets.lifetime import PrivateDirectory
from targets.link import Link
from targets.municipal.ap_server import run_ap_server
from targets.municipal.certificates import read_marks
from targets.municipal.changes import Relocate, ResidentChange
from targets.municipal.forms import LOCAL_STORE, DocumentQuery
from targets.municipal.people import Person, population
from targets.municipal.points import PointReached, Points, read_points
from targets.municipal.registry import run_registry
from targets.municipal.sync_agent import run_sync_agent
from targets.municipal.target import Municipal
from targets.municipal.truth import Truth
from targets.postgres import HOST, Postgres
from tests.scraping import Scrape

SEED = 20230430
HOUSEHOLDS = 40
ISSUED = "2023-04-30"
LIMIT_S = 30.0
SMALL = {"households": "12", "seed": "5"}
"""Settings of a deployment that starts soon."""

_IN_LINE = "SELECT true FROM print_wait WHERE split_part(owner, '#', 1) = $1"

Databases = Mapping[str, str]
"""Name (registry, issuer) -> address."""


async def until(condition: Callable[[], object]) -> None:
    """Ask again and again, with or without await, until the answer is true."""
    deadline_s = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline_s:
        answer = condition()
        if await answer if inspect.isawaitable(answer) else answer:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"never true within {LIMIT_S:.0f} s: {inspect.getsource(condition).strip()}")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back from the AP server or the center."""

    status: int
    body: bytes
    sent_ns: int
    answered_ns: int

    @property
    def reason(self) -> str:
        """Of a refusal or an error."""
        told = msgspec.json.decode(self.body, type=dict[str, str])
        return told.get("refused") or told["error"]

    @property
    def persons(self) -> tuple[str, ...]:
        """Everybody who is on the paper."""
        return tuple(dict.fromkeys(person for mark in read_marks(self.body) for person in mark.persons))

    @property
    def versions(self) -> set[int]:
        """Of the record, as the pages of the paper say."""
        return {mark.version for mark in read_marks(self.body)}


class Gates:
    """Holds prints and sync runs on the threshold of a named point: what lies behind it has not begun."""

    def __init__(self) -> None:
        self._closed: dict[tuple[str, str], tuple[asyncio.Event, asyncio.Event]] = {}

    def close(self, subject: str, point: str) -> None:
        """From now on `subject` comes no further than to `point`."""
        self._closed[subject, point] = (asyncio.Event(), asyncio.Event())

    def open(self, subject: str, point: str) -> None:
        """Let it go on."""
        self._closed[subject, point][1].set()

    async def arrival(self, subject: str, point: str) -> None:
        """Return once it stands there."""
        await asyncio.wait_for(self._closed[subject, point][0].wait(), LIMIT_S)

    async def pass_through(self, subject: str, point: str) -> None:
        """Called by whoever comes along."""
        if gate := self._closed.get((subject, point)):
            arrived, opened = gate
            arrived.set()
            await opened.wait()


class City:
    """A running deployment; prints go to the AP server itself."""

    def __init__(self, http: aiohttp.ClientSession, truth: Truth, directory: Path) -> None:
        self.http = http
        self.truth = truth
        self.spool = directory / "spool"
        self.ap_log = directory / "ap-server.jsonl"
        self.sync_log = directory / "sync-agent.jsonl"
        self.registry = self.ap = self.sync_agent = ""
        self.link: Link | None = None
        self.of_registry: asyncpg.Connection
        self.of_issuer: asyncpg.Connection
        self.residents = population(SEED, HOUSEHOLDS)
        sealed = (one for one in self.residents if one.seal and not one.protected)
        self.people = list({one.household: one for one in sealed}.values())
        """Applicants who may have every certificate, each of a household of their own."""

    async def post(self, url: str, body: bytes) -> Answer:
        """Send and wait for the whole answer."""
        sent_ns = time.monotonic_ns()
        async with self.http.post(url, data=body) as response:
            document = await response.read()
        return Answer(status=response.status, body=document, sent_ns=sent_ns, answered_ns=time.monotonic_ns())

    def form(self, nonce: str, applicant: str, kind: str = "juminhyo", options: tuple[str, ...] = ()) -> bytes:
        """An application."""
        return msgspec.json.encode({"nonce": nonce, "applicant": applicant, "kind": kind, "options": options})

    def begin(
        self, nonce: str, applicant: str, kind: str = "juminhyo", options: tuple[str, ...] = ()
    ) -> asyncio.Task[Answer]:
        """Send an application, without waiting for its answer."""
        return asyncio.create_task(self.post(f"{self.ap}/prints", self.form(nonce, applicant, kind, options)))

    async def begin_in_line(self, nonce: str, applicant: str, *, waiting: int = 1) -> asyncio.Task[Answer]:
        """Send an application and return once it has its place in the line, in which so many are then waiting."""
        print_ = self.begin(nonce, applicant)
        await self.points(waiting=waiting)
        if self.link is not None:
            await until(lambda: self.of_issuer.fetchval(_IN_LINE, nonce))
        return print_

    async def points(self, **wanted: int) -> Mapping[str, Mapping[str, int]]:
        """The prints under way by slot and point, once a slot has the wanted ones."""
        async with asyncio.timeout(LIMIT_S), self.http.get(f"{self.ap}/points", params=wanted) as response:
            counts: Mapping[str, Mapping[str, int]] = await response.json()
            return counts

    async def scrape(self, server: str) -> Scrape:
        """A server's /metrics."""
        async with self.http.get(f"{server}/metrics") as response:
            assert response.status == 200
            return Scrape(await response.text())

    async def enter(self, change: ResidentChange) -> Answer:
        """Send a change to the registry."""
        return await self.post(f"{self.registry}/changes", msgspec.json.encode(change))

    async def synchronise(self, change: ResidentChange) -> int:
        """Send a change and wait until the registry knows that the copy has it; returns its version."""
        answer = await self.enter(change)
        assert answer.status == 200
        sql = "SELECT synchronised FROM outbox WHERE change = $1"
        await until(lambda: self.of_registry.fetchval(sql, change.change))
        return int(msgspec.json.decode(answer.body)["version"])

    def relocation(self, change: str, person: Person) -> Relocate:
        """A change of the person's household."""
        return Relocate(change=change, household=person.household, address="見本県見本市本町1丁目1番1号")

    async def waits_are(self, *expected: tuple[str, bool]) -> bool:
        """Whether the table `print_wait` holds these prints in this order, as (nonce, released)."""
        rows = await self.of_issuer.fetch("SELECT owner, released FROM print_wait WHERE slot IS NOT NULL ORDER BY id")
        return [(row["owner"].partition("#")[0], row["released"]) for row in rows] == list(expected)

    async def nothing_is_left(self) -> bool:
        """No wait, no print image, and no print under way: that one is through comes after its answer and its wait."""
        return await self.waits_are() and not list(self.spool.iterdir()) and not await self.points()

    def is_right(
        self, answer: Answer, person: Person, *, kind: str = "juminhyo", options: tuple[str, ...] = (), version: int = 1
    ) -> bool:
        """Whether the answer is, byte for byte, the person's own paper."""
        query = DocumentQuery(persons=(person.person,), kind=kind, options=options, version=version)
        document = self.truth.document(query)
        return answer.status == 200 and document is not None and checksum(answer.body) == document.checksum

    def events(self) -> list[PointReached]:
        """What the prints have passed so far."""
        return read_points(self.ap_log)

    def times(self) -> dict[tuple[str, str], int]:
        """(subject, point) -> when, in nanoseconds, of prints and sync runs."""
        return {(one.subject, one.point): one.at_ns for one in (*self.events(), *read_points(self.sync_log))}


StartCity = Callable[..., Awaitable[City]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One database server for all tests of the deployment that run in an event loop."""
    with PrivateDirectory() as directory, Postgres(directory / "pg", databases=["registry", "issuer"]) as server:
        yield server


@pytest.fixture
async def databases(postgres: Postgres) -> Databases:
    """Both databases, emptied; making them anew for each test would take ten times as long."""
    addresses = {name: postgres.dsn(name) for name in ("registry", "issuer")}
    for address in addresses.values():
        connection = await asyncpg.connect(address)
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.close()
    return addresses


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Gates:
    """Gates at the named points of all servers in this process."""
    gates, reach = Gates(), Points.reach

    async def held(self: Points, subject: str, point: Any, **facts: Any) -> None:
        await gates.pass_through(subject, point)
        await reach(self, subject, point, **facts)

    monkeypatch.setattr(Points, "reach", held)
    return gates


@pytest.fixture
async def start_city(databases: Databases, postgres: Postgres, tmp_path: Path) -> AsyncIterator[StartCity]:
    """Starts the deployment of a build, a topology and a method, with one slot and no stage time."""
    async with AsyncExitStack() as stack:

        async def start(
            *, build: str = "fixed", topology: str = "split", sync: str = "v2", slots: int = 1, ap: bool = True
        ) -> City:
            enter = stack.enter_async_context
            # A connection for each request: on a kept one it would wait for the print that was answered there before.
            http = await enter(aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)))
            city = City(http, Truth(SEED, HOUSEHOLDS, ISSUED), tmp_path)
            facts = await enter(run_registry(databases["registry"], seed=SEED, households=HOUSEHOLDS))
            city.registry = f"http://{facts['host']}:{facts['port']}"
            agent = run_sync_agent(*databases.values(), method=sync, build=build, period_s=0.01, log=city.sync_log)
            facts = await enter(agent)
            city.sync_agent = f"http://{facts['host']}:{facts['port']}"
            city.of_registry, city.of_issuer = [
                await enter(await asyncpg.create_pool(address, min_size=1, max_size=1))
                for address in databases.values()
            ]
            if ap:
                await start_ap(city, topology, slots)
            return city

        async def start_ap(city: City, topology: str, slots: int) -> None:
            address, store = databases["issuer"], LOCAL_STORE
            if topology == "split":
                city.link = await stack.enter_async_context(Link(HOST, postgres.port))
                address = store = address.replace(f":{postgres.port}/", f":{city.link.port}/")
            server = run_ap_server(address, store, spool=city.spool, slots=slots, stage_s=0, log=city.ap_log)
            facts = await stack.enter_async_context(server)
            city.ap = f"http://{facts['host']}:{facts['port']}"

        yield start


async def stage_and_wait(city: City, gates: Gates, held_at: str) -> list[asyncio.Task[Answer]]:
    """A is on the stage, on the threshold of a point; B waits behind it and will not come to read before it may."""
    gates.close("A", held_at)
    gates.close("B", "read")
    first = city.begin("A", city.people[0].person)
    await gates.arrival("A", held_at)
    return [first, await city.begin_in_line("B", city.people[1].person)]


def as_print(application: Application, document: bytes, sent_ns: int, answered_ns: int) -> Print:
    """The record of a document that was answered, with all that could be asked about it."""
    return Print(
        application=application.application,
        applicant=application.applicant,
        group=application.group,
        kind=application.kind,
        options=application.options,
        sent_ns=sent_ns,
        answered_ns=answered_ns,
        checksum=checksum(document),
        size_bytes=len(document),
        marks=read_marks(document),
    )


def send(request: Request) -> bytes:
    """The body of the answer, which is neither a refusal nor an error."""
    sent = urllib.request.Request(request.url, request.body, dict(request.headers), method=request.method)  # noqa: S310 - our own server
    with urllib.request.urlopen(sent, timeout=LIMIT_S) as response:  # noqa: S310 - our own server
        body: bytes = response.read()
        return body


def print_one(target: Municipal, application: Application) -> Print:
    """Apply as a kiosk does."""
    sent_ns = time.monotonic_ns()
    document = send(target.print_request(application))
    return as_print(application, document, sent_ns, time.monotonic_ns())
