"""Laboratory reports as text: whose, what was found, and the line that every print has for itself."""

import re
from typing import NamedTuple

from targets.examples.lab_results.clinic import Patient


class Finding(NamedTuple):
    """A line of a report: which value of the patient, in which unit."""

    label: str
    field: str
    unit: str


TITLES = {"blood_count": "Blood count", "metabolism": "Metabolism"}
_FINDINGS = {
    "blood_count": (Finding("Haemoglobin", "haemoglobin", "g/dL"), Finding("Leukocytes", "leukocytes", "10^9/L")),
    "metabolism": (Finding("Cholesterol", "cholesterol", "mg/dL"), Finding("Glucose", "glucose", "mg/dL")),
}
_KINDS = {title: kind for kind, title in TITLES.items()}
_SUBJECT = re.compile(r"Laboratory report: (.+)\nPatient +(\S+)")


def render(patient: Patient, kind: str, stamp: str) -> bytes:
    """The document.

    Args:
        kind: one of TITLES.
        stamp: the last line.
    """
    lines = (
        f"Laboratory report: {TITLES[kind]}",
        f"Patient      {patient.number}  {patient.name}",
        f"Born         {patient.birthday}",
        *(f"{one.label:<12} {getattr(patient, one.field):>6} {one.unit}" for one in _FINDINGS[kind]),
        stamp,
    )
    return "".join(f"{line}\n" for line in lines).encode()


def subject(document: bytes) -> tuple[str, str]:
    """The number of the patient whose results these are, and of which kind they are."""
    found = _SUBJECT.match(document.decode())
    if found is None:
        message = "this should never happen, because every report begins with its title and its patient"
        raise AssertionError(message)
    title, number = found.groups()
    return number, _KINDS[title]
