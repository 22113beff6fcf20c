"""The clinic's patients and what the laboratory found of each: test persons, read from people.csv."""

import csv
from pathlib import Path
from typing import NamedTuple

PEOPLE = Path(__file__).with_name("people.csv")
ALL = "*"
_SEPARATOR = ";"


class Patient(NamedTuple):
    """One row.

    Args:
        birthday: ISO date.
        haemoglobin, leukocytes, cholesterol, glucose: as the laboratory wrote them; `report` has the units.
        held: kinds of results that a doctor has to tell first, or ALL of them.
    """

    number: str
    name: str
    birthday: str
    haemoglobin: str
    leukocytes: str
    cholesterol: str
    glucose: str
    held: tuple[str, ...]


def read_patients() -> dict[str, Patient]:
    """Number -> patient."""
    with PEOPLE.open(encoding="utf-8", newline="") as file:
        return {
            row["person"]: Patient(
                row["person"],
                row["name"],
                row["birthday"],
                row["haemoglobin"],
                row["leukocytes"],
                row["cholesterol"],
                row["glucose"],
                tuple(filter(None, row["refused"].split(_SEPARATOR))),
            )
            for row in csv.DictReader(file)
        }
