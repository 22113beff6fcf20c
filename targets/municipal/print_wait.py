"""The print wait (処理待ち): first come, first served, one print at a time on the stage of a slot.

`SharedPrintWait` queues in the table `print_wait` of the DB server, `LocalPrintWait` in the AP server's own memory.
Both look up the holds that a sync run keeps on a person in `print_wait`.

A wait in the table is a committed row owned by its job, never a session lock or an open transaction: a lost link frees
nothing. Which rows were released is told by notifications; because those of a lost connection are lost with it, the
rows are read again after each reconnection.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Literal, Protocol, Self, get_args

import asyncpg
import msgspec

from targets.municipal.database import LOST_LINK, Database, DatabaseClosedError

WaitEnd = Literal["granted", "released"]
"""How a wait ended: the print was the next in line and the stage free, or somebody else said that it may go on."""

Began = Callable[[int], Awaitable[None]]

_ENDS: Mapping[str, WaitEnd] = {end: end for end in get_args(WaitEnd)}
_CHANNEL = "print_wait"
_RETRY_PAUSE_S = 0.02


def _on_monotonic_clock(unix_ns: int) -> int:
    """A time that has passed, told by the clock on the wall of this machine; now, where that was set back since."""
    age_ns = max(0, time.time_ns() - unix_ns)
    return time.monotonic_ns() - age_ns  # read after the other, so that a pause between them makes it later


class PrintWait(Protocol):
    """Admits prints to the stage of their slot."""

    def turn(self, job: str, slot: str, person: str, began: Began) -> AbstractAsyncContextManager[WaitEnd]:
        """Wait for the stage of `slot`; yields how that ended. Leaving gives back what the job owns, and no more.

        Args:
            began: told, as soon as that is known, when the wait began, on CLOCK_MONOTONIC.
        """


class _Notifications:
    """Listens on a connection of its own, again and again; `on_connect` runs after each connection was made."""

    def __init__(self, dsn: str, on_message: Callable[[str], None], on_connect: Callable[[], Awaitable[None]]) -> None:
        self._dsn = dsn
        self._on_message = on_message
        self._on_connect = on_connect
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._listen(ready))
        await ready.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _listen(self, ready: asyncio.Event) -> None:
        while True:
            with suppress(*LOST_LINK):
                lost = asyncio.Event()
                connection = await asyncpg.connect(self._dsn)
                try:
                    connection.add_termination_listener(lambda _, lost=lost: lost.set())
                    await connection.add_listener(_CHANNEL, self._hear)
                    await self._on_connect()
                    ready.set()
                    await lost.wait()
                finally:
                    connection.terminate()
            await asyncio.sleep(_RETRY_PAUSE_S)

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: Any) -> None:
        self._on_message(payload)


class SharedPrintWait:
    """Prints of all AP servers queue in the table `print_wait`."""

    def __init__(self, dsn: str, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, tuple[str, str, asyncio.Future[WaitEnd]]] = {}  # job -> slot, person, end
        self._admissions: set[asyncio.Task[None]] = set()
        self._notifications = _Notifications(dsn, self._hear, self._read_again)

    async def __aenter__(self) -> Self:
        await self._notifications.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._notifications.__aexit__(kind, error, traceback)
        for task in self._admissions:
            task.cancel()

    @asynccontextmanager
    async def turn(self, job: str, slot: str, person: str, began: Began) -> AsyncIterator[WaitEnd]:
        """See `PrintWait`."""
        # Known before the row is: its release may be told before the answer to the statement that made it arrives.
        released: asyncio.Future[WaitEnd] = asyncio.get_running_loop().create_future()
        self._waiting[job] = (slot, person, released)
        try:
            asked_ns = time.monotonic_ns()
            told = await self._database.value("SELECT print_wait_enter($1, $2, $3)", job, slot, person)
            entered_us, _, end = told.partition(" ")
            # By the clock on the wall, for PostgreSQL tells no other; that one may be set meanwhile.
            await began(max(asked_ns, _on_monotonic_clock(int(entered_us) * 1000)))
            ended = _ENDS.get(end) or await released
            self._waiting.pop(job)
            yield ended
        finally:
            self._waiting.pop(job, None)
            # Even a cancelled print gives its row back, else its slot would be blocked for good.
            with suppress(DatabaseClosedError):  # only a server that ends closes it
                await asyncio.shield(self._database.value("SELECT print_wait_leave($1, $2)", job, slot))

    def _hear(self, payload: str) -> None:
        subject, _, name = payload.partition(" ")
        if end := _ENDS.get(subject):
            self._end_wait(name, end)
        else:
            self._admit({slot for slot, person, _ in self._waiting.values() if person == name})

    def _end_wait(self, job: str, end: WaitEnd) -> None:
        if job in self._waiting and not (released := self._waiting[job][2]).done():
            released.set_result(end)

    def _admit(self, slots: set[str]) -> None:
        """A hold has ended: whoever it kept from the stage may now be first in line."""
        for slot in slots:
            task = asyncio.create_task(self._database.value("SELECT print_wait_admit($1)", slot))
            self._admissions.add(task)
            task.add_done_callback(self._admissions.discard)

    async def _read_again(self) -> None:
        if not self._waiting:
            return
        released = await self._database.value(
            "SELECT json_object_agg(owner, print_wait_end(w))::text FROM print_wait w"
            " WHERE owner = ANY($1) AND slot IS NOT NULL AND released",
            list(self._waiting),
        )
        for job, end in msgspec.json.decode(released or "{}", type=dict[str, WaitEnd]).items():
            self._end_wait(job, end)
        self._admit({slot for slot, _, _ in self._waiting.values()})


class LocalPrintWait:
    """Prints of one AP server queue in its memory."""

    def __init__(self, dsn: str, database: Database) -> None:
        self._database = database
        self._staged: dict[str, str] = {}  # slot -> job
        self._queues: defaultdict[str, deque[tuple[str, asyncio.Future[None]]]] = defaultdict(deque)
        self._hold_ended = asyncio.Event()
        self._notifications = _Notifications(dsn, self._hear, self._look_again)

    async def __aenter__(self) -> Self:
        await self._notifications.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._notifications.__aexit__(kind, error, traceback)

    @asynccontextmanager
    async def turn(self, job: str, slot: str, person: str, began: Began) -> AsyncIterator[WaitEnd]:
        """See `PrintWait`."""
        await began(time.monotonic_ns())
        await self._no_hold(person)
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues[slot].append((job, admitted))
        self._admit(slot)
        try:
            await admitted
            yield "granted"
        finally:
            if self._staged.get(slot) == job:
                del self._staged[slot]
            else:
                self._queues[slot] = deque(entry for entry in self._queues[slot] if entry[0] != job)
            self._admit(slot)

    def _admit(self, slot: str) -> None:
        queue = self._queues[slot]
        if queue and slot not in self._staged:
            job, admitted = queue.popleft()
            self._staged[slot] = job
            if not admitted.done():
                admitted.set_result(None)

    async def _no_hold(self, person: str) -> None:
        while True:
            # Cleared before the look, so that a hold which ends in between is not waited for.
            self._hold_ended.clear()
            if not await self._database.value(
                "SELECT EXISTS (SELECT FROM print_wait WHERE slot IS NULL AND person = $1 AND NOT released)", person
            ):
                return
            await self._hold_ended.wait()

    def _hear(self, payload: str) -> None:
        if payload.startswith("hold "):
            self._hold_ended.set()

    async def _look_again(self) -> None:
        self._hold_ended.set()
