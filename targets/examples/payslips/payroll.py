"""The payroll: who works here, for how much, and what is paid out. A database in memory, filled with test persons."""

import csv
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Self

PEOPLE = Path(__file__).with_name("people.csv")
_COLUMNS = "number, name, department, monthly_yen, left_on"
_STATEMENTS = (("payslip", "Payslip, March 2026", 1), ("annual", "Annual statement of pay, 2025", 12))


class Employee(NamedTuple):
    """One row; `left_on` is an ISO date, empty for whoever still works here."""

    number: str
    name: str
    department: str
    monthly_yen: int
    left_on: str


class Statement(NamedTuple):
    """What a kind of document is about."""

    title: str
    months: int


class Payroll:
    """The database, which lasts as long as the context."""

    def __init__(self) -> None:
        self._uri = f"file:payroll-{id(self)}?mode=memory&cache=shared"

    def __enter__(self) -> Self:
        # A database in memory is there for as long as somebody is connected.
        self._kept = self._connect()
        with PEOPLE.open(encoding="utf-8", newline="") as file, self._kept:
            self._kept.execute("CREATE TABLE statement (kind, title, months)")
            self._kept.executemany("INSERT INTO statement VALUES (?, ?, ?)", _STATEMENTS)
            self._kept.execute(f"CREATE TABLE employee ({_COLUMNS})")
            self._kept.executemany(
                f"INSERT INTO employee ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - constant names
                (
                    (row["person"], row["name"], row["department"], int(row["monthly_yen"]), row["left_on"])
                    for row in csv.DictReader(file)
                ),
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def statement(self, kind: str) -> Statement | None:
        """None for a kind that there is not."""
        with closing(self._connect()) as connection:
            query = "SELECT title, months FROM statement WHERE kind = ?"
            row = connection.execute(query, (kind,)).fetchone()
        return row and Statement(*row)

    def employee(self, number: str) -> Employee | None:
        """None for somebody who does not work here."""
        with closing(self._connect()) as connection:
            query = f"SELECT {_COLUMNS} FROM employee WHERE number = ? AND left_on = ''"  # noqa: S608 - constant names
            row = connection.execute(query, (number,)).fetchone()
        return row and Employee(*row)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._uri, uri=True)
