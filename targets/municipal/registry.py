"""Resident registry (住民記録システム): its own database; the counter's clerks enter changes through its API.

POST /changes takes a `ResidentChange`, answers {"version": N} once the change and its outbox entry are committed, and
answers a repeated change with the version that it made the first time. GET /metrics: see `targets.municipal.metrics`.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg
import msgspec
from aiohttp import web

from targets.metrics import add_metrics
from targets.municipal.changes import (
    AbolishSeal,
    ChangeHouseholder,
    Death,
    MoveIn,
    MoveOut,
    Protect,
    RegisterSeal,
    Relocate,
    Rename,
    ResidentChange,
)
from targets.municipal.database import LOST_LINK, REGISTRY_SCHEMA, decode_persons, encode_persons, put_persons
from targets.municipal.metrics import RegistryMetrics
from targets.municipal.people import Person, population
from targets.process import OptionParser, run_server, start_site

_START_PAUSE_S = 0.02


class ChangeError(Exception):
    """Raised when a change does not fit the people on record."""


def apply_change(change: ResidentChange, members: Sequence[Person]) -> list[Person]:
    """The household's members after the change, all with the next version.

    Raises:
        ChangeError: when the change names a person who is not a member, or brings in a member of another household.
    """
    by_person = {member.person: member for member in members}
    version = max((member.version for member in members), default=0) + 1

    def update(person: str, **fields: object) -> None:
        if person not in by_person:
            message = f"{person} is not a member of household {change.household}"
            raise ChangeError(message)
        by_person[person] = msgspec.structs.replace(by_person[person], **fields)

    match change:
        case Relocate():
            for person in by_person:
                update(person, address=change.address)
        case Rename():
            before = by_person.get(change.person)
            update(change.person, name=change.name, kana=change.kana)
            if before is not None and before.householder == before.name:
                for person in by_person:
                    update(person, householder=change.name)
        case ChangeHouseholder():
            for person, relation in change.relations.items():
                update(person, relation=relation)
            update(change.householder, relation="世帯主")
            for person in by_person:
                update(person, householder=by_person[change.householder].name)
        case MoveIn():
            if any(person.household != change.household for person in change.persons):
                message = f"somebody moves into another household than {change.household}"
                raise ChangeError(message)
            by_person |= {person.person: person for person in change.persons}
        case MoveOut():
            for person in change.persons:
                update(person, status="moved_out", seal=None)
        case Death():
            update(change.person, status="dead", seal=None)
        case RegisterSeal():
            update(change.person, seal=change.seal)
        case AbolishSeal():
            update(change.person, seal=None)
        case Protect():
            update(change.person, protected=change.protected)
    if not by_person:
        message = f"household {change.household} is not on record"
        raise ChangeError(message)
    return [msgspec.structs.replace(by_person[person], version=version) for person in sorted(by_person)]


class Registry:
    """The registry's rules over its database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.metrics = RegistryMetrics()

    async def change(self, change: ResidentChange) -> int:
        """Commit a change and its outbox entry; returns the version that it made.

        Raises:
            ChangeError: when the change does not fit the people on record.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            # By household, so that a household which does not exist yet is locked as well.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", change.household)
            done = await connection.fetchval("SELECT version FROM outbox WHERE change = $1", change.change)
            if done is not None:
                return int(done)
            members = decode_persons(
                await connection.fetchval(
                    "SELECT json_agg(r)::text FROM resident r WHERE household = $1", change.household
                )
            )
            after = apply_change(change, members)
            rows, version = encode_persons(after), after[0].version
            elsewhere = await connection.fetchval(
                "SELECT min(person) FROM resident WHERE person = ANY($1) AND household <> $2",
                [person.person for person in after],
                change.household,
            )
            if elsewhere is not None:
                message = f"{elsewhere} is on record in another household than {change.household}"
                raise ChangeError(message)
            await connection.execute(put_persons("resident"), rows)
            await connection.execute(
                "INSERT INTO outbox (change, household, version, rows) VALUES ($1, $2, $3, $4)",
                change.change,
                change.household,
                version,
                rows,
            )
            await connection.execute("NOTIFY outbox")
        self.metrics.changes.labels(type(change).__struct_config__.tag).inc()
        return version


async def connect_when_up(dsn: str) -> asyncpg.Pool:
    """A pool of connections to a database server that may still be starting."""
    while True:
        try:
            return await asyncpg.create_pool(dsn, min_size=1, max_size=4)
        except (*LOST_LINK, asyncpg.InvalidCatalogNameError):
            await asyncio.sleep(_START_PAUSE_S)


@asynccontextmanager
async def run_registry(
    database: str, *, seed: int, households: int, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Mapping[str, object]]:
    """Create the registry's tables in the empty `database`, load the population and serve; yields host and port."""
    pool = await connect_when_up(database)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(REGISTRY_SCHEMA)
        await connection.execute(put_persons("resident"), encode_persons(population(seed, households)))
    registry = Registry(pool)

    async def post_change(request: web.Request) -> web.Response:
        try:
            change = msgspec.json.decode(await request.read(), type=ResidentChange)
            return web.json_response({"version": await registry.change(change)})
        # The last two are for a text that is not UTF-8, and for the one character that the database does not take.
        except (msgspec.DecodeError, ChangeError, UnicodeDecodeError, asyncpg.DataError) as error:
            return web.json_response({"error": str(error)}, status=400)

    app = web.Application()
    app.router.add_post("/changes", post_change)
    add_metrics(app, registry.metrics.registry)
    try:
        async with start_site(app, host, port) as actual_port:
            yield {"host": host, "port": actual_port}
    finally:
        pool.terminate()


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m targets.municipal.registry`."""
    parser = OptionParser(prog="registry", description="Resident registry")
    parser.add_argument("--database", required=True, help="its own database, empty")
    parser.add_argument("--seed", type=int, required=True, help="of the population")
    parser.add_argument("--households", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    options: argparse.Namespace = parser.parse_args(argv)
    return asyncio.run(
        run_server(
            "registry",
            run_registry(options.database, seed=options.seed, households=options.households, host=options.host),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
