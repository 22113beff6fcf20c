"""The two databases: tables, the functions of the print wait, and a connection that survives a lost link.

Registry and issuer each keep the residents in a table of their own; both hold one row a person with the columns of
`Person`. The issuer's is the resident copy (住民票データ).
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self, get_type_hints

import asyncpg
import msgspec

from targets.municipal.people import Person

_COLUMN_TYPES = {int: "bigint", bool: "boolean"}
_COLUMNS = {name: _COLUMN_TYPES.get(hint, "text") for name, hint in get_type_hints(Person).items()}


def _person_table(name: str) -> str:
    columns = ", ".join(f"{column} {kind}" for column, kind in _COLUMNS.items())
    return f"CREATE TABLE {name} ({columns}, PRIMARY KEY (person)); CREATE INDEX ON {name} (household);"


def put_persons(table: str) -> str:
    """SQL that inserts or replaces the persons given as a JSON array in $1, never replacing a newer version."""
    updates = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS if column != "person")
    return (  # the table is a constant of ours
        f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb) "  # noqa: S608
        f"ON CONFLICT (person) DO UPDATE SET {updates} WHERE {table}.version < excluded.version"
    )


REGISTRY_SCHEMA = (
    _person_table("resident")
    + """
CREATE TABLE outbox (
    seq bigserial PRIMARY KEY,
    change text NOT NULL UNIQUE,
    household text NOT NULL,
    version bigint NOT NULL,
    rows jsonb NOT NULL,              -- the household's members as they are after the change
    entered timestamptz NOT NULL DEFAULT now(),
    synchronised boolean NOT NULL DEFAULT false
);
CREATE INDEX ON outbox (seq) WHERE NOT synchronised;
"""
)

# A wait is a committed row that belongs to its owner: a print's row has the slot for which it queues, a row without a
# slot is a hold that a sync run keeps on a person. `released` ends the wait; the row stays until its owner takes it
# away, so for a print "released" also means: this slot's stage is occupied. `admitted` says that it was the line itself
# that ended it, because the print was the next. The functions lock by slot, because two that run at once would each see
# the stage free.
ISSUER_SCHEMA = (
    _person_table("resident_copy")  # noqa: S608 - a constant of ours
    + """
CREATE TABLE print_wait (
    id bigserial PRIMARY KEY,
    owner text NOT NULL,
    slot text,
    person text NOT NULL,
    released boolean NOT NULL DEFAULT false,
    admitted boolean NOT NULL DEFAULT false,
    entered timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX ON print_wait (owner) WHERE slot IS NOT NULL;
CREATE INDEX ON print_wait (slot, id);
CREATE INDEX ON print_wait (person) WHERE slot IS NULL;

CREATE FUNCTION print_wait_end(a_wait print_wait) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN a_wait.admitted THEN 'granted' WHEN a_wait.released THEN 'released' END
$$;

CREATE FUNCTION print_wait_admit(a_slot text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext(a_slot));
    IF EXISTS (SELECT FROM print_wait WHERE slot = a_slot AND released) THEN
        RETURN;
    END IF;
    UPDATE print_wait SET released = true, admitted = true WHERE id = (
        SELECT w.id FROM print_wait w
        WHERE w.slot = a_slot AND NOT w.released AND NOT EXISTS (
            SELECT FROM print_wait hold WHERE hold.slot IS NULL AND hold.person = w.person AND NOT hold.released)
        ORDER BY w.id LIMIT 1);
END $$;

CREATE FUNCTION print_wait_enter(an_owner text, a_slot text, a_person text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext(a_slot));
    INSERT INTO print_wait (owner, slot, person) VALUES (an_owner, a_slot, a_person) ON CONFLICT DO NOTHING;
    PERFORM print_wait_admit(a_slot);
    RETURN (SELECT concat_ws(' ', (extract(epoch FROM w.entered) * 1000000)::bigint, print_wait_end(w))
        FROM print_wait w WHERE owner = an_owner AND slot IS NOT NULL);
END $$;

CREATE FUNCTION print_wait_leave(an_owner text, a_slot text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext(a_slot));
    DELETE FROM print_wait WHERE owner = an_owner;
    PERFORM print_wait_admit(a_slot);
END $$;

CREATE FUNCTION print_wait_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(
        'print_wait',
        CASE WHEN NEW.slot IS NULL THEN 'hold ' || NEW.person ELSE print_wait_end(NEW) || ' ' || NEW.owner END);
    RETURN NULL;
END $$;
CREATE TRIGGER print_wait_released AFTER UPDATE OF released ON print_wait
    FOR EACH ROW WHEN (NEW.released AND NOT OLD.released) EXECUTE FUNCTION print_wait_tell();
"""
)

LOST_LINK = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError)
_RETRY_PAUSE_S = 0.02


class DatabaseClosedError(Exception):
    """Raised when a statement has no answer yet and its database connection is closed, so that nobody repeats it."""


class Database:
    """A pool of connections that outlives lost connections: every statement is repeated until it was answered.

    So every statement given to it must be one that may run twice. A deadlock's victim is repeated as well.
    """

    def __init__(self, dsn: str, *, connections: int = 8) -> None:
        self._dsn = dsn
        self._connections = connections
        self._pool: asyncpg.Pool | None = None

    async def __aenter__(self) -> Self:
        while self._pool is None:
            try:
                self._pool = await asyncpg.create_pool(self._dsn, min_size=1, max_size=self._connections)
            except (*LOST_LINK, asyncpg.InvalidCatalogNameError):
                await asyncio.sleep(_RETRY_PAUSE_S)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def value(self, sql: str, *arguments: object) -> Any:
        """First column of the first row, or None.

        Raises:
            DatabaseClosedError: when the pool is closed before there was an answer.
        """
        while self._pool is not None:
            try:
                return await self._pool.fetchval(sql, *arguments)
            except (*LOST_LINK, asyncpg.DeadlockDetectedError):
                await asyncio.sleep(_RETRY_PAUSE_S)
        message = "the connection to the database was closed; nothing can be asked of it any more"
        raise DatabaseClosedError(message)


async def read_household(database: Database, table: str, person: str) -> list[Person]:
    """The members of a person's household by person id, all from one snapshot; empty when the person is unknown."""
    rows = await database.value(
        f"SELECT json_agg(r ORDER BY r.person)::text FROM {table} r "  # noqa: S608 - table is a constant of ours
        f"WHERE r.household = (SELECT household FROM {table} WHERE person = $1)",
        person,
    )
    return decode_persons(rows)


def decode_persons(rows: str | None) -> list[Person]:
    """A JSON array of table rows."""
    return msgspec.json.decode(rows, type=list[Person]) if rows else []


def encode_persons(persons: Sequence[Person]) -> str:
    """The reverse of `decode_persons`."""
    return msgspec.json.encode(persons).decode()
