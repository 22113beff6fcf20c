"""The published schema is that of the verdicts that are written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError

from harness.criteria import Criteria, Limit
from harness.evidence.ledger import VERDICT_FILE
from harness.gate import decide
from harness.outcome import Outcome
from harness.records import Evidence
from harness.report.schema import read_descriptions, schema_text, verdict_schema
from harness.verdict import write_verdict
from tests.harness.builders import (
    HOME,
    INNOCENT,
    OTHER,
    delivery,
    entry,
    failed,
    paper,
    planted,
    sync_run,
    write_run,
)

PUBLISHED = Path(__file__).parents[2] / "docs" / "verdict.schema.json"
LIMITS = (Limit(metric="error_share", value=0.5), Limit(metric="p95_s", kind="inkan", value=1.0))
RUNS: dict[str, tuple[tuple[Evidence, ...], dict[str, Any]]] = {
    "PASS": ((*INNOCENT, *planted("A", paper("X"))), {"criteria": Criteria()}),
    "PASS of planned arrivals, seen from inside": (
        INNOCENT,
        {"planned_prints": 2, "parameters": {"settings": {"a": [1]}}},
    ),
    "FAIL": (
        (
            *INNOCENT,
            OTHER,
            entry("X", options=("my_number",)),
            delivery("A3", "B", paper("X", options=("my_number",)), at=(210, 250)),
            failed("A4", "X", at=(220, 240)),
            delivery("A4", "X", paper("X"), attempt=2, at=(300, 310)),
        ),
        {},
    ),
    "INCONCLUSIVE": (
        INNOCENT,
        {"criteria": Criteria(self_test=False, maximum=LIMITS), "ended": "interrupted", "faults": ("it threw",)},
    ),
    "INCONCLUSIVE, nobody applied": ((HOME,), {"target": ()}),
}


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """Of the schema as it is published."""
    schema = msgspec.json.decode(PUBLISHED.read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def written(directory: Path, name: str) -> Any:
    """verdict.json of a run."""
    load, fields = RUNS[name]
    fields = {"target": [sync_run("S1", 120, 230)], **fields}
    write_run(directory, load, **fields)
    write_verdict(directory, decide(directory))
    return msgspec.json.decode((directory / VERDICT_FILE).read_bytes())


def test_the_published_schema_is_up_to_date() -> None:
    """docs/verdict.schema.json is what `make schema` writes."""
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("name", RUNS)
def test_verdicts_are_valid(tmp_path: Path, validator: Draft202012Validator, name: str) -> None:
    """Every verdict that is written keeps to the schema."""
    told = written(tmp_path, name)
    assert told["verdict"] == name.split()[0].rstrip(",")
    validator.validate(told)


def _drop(told: dict[str, Any]) -> None:
    del told["bound"]


def _rename(told: dict[str, Any]) -> None:
    told["verdict"] = "OK"


def _sentence(told: dict[str, Any]) -> None:
    told["reasons"] = ["it failed"]


def _version(told: dict[str, Any]) -> None:
    told["schema"] = 2


def _outcome(told: dict[str, Any]) -> None:
    told["incidents"][0]["outcome"] = "stolen"


def _default(told: dict[str, Any]) -> None:
    del told["incidents"][0]["sync_run"]


@pytest.mark.parametrize("damage", [_drop, _rename, _sentence, _version, _outcome, _default])
def test_what_is_no_verdict_is_not_valid(
    tmp_path: Path, validator: Draft202012Validator, damage: Callable[[dict[str, Any]], None]
) -> None:
    """A field that is missing, of another type or of another meaning is seen."""
    told = written(tmp_path, "FAIL")
    validator.validate(told)
    damage(told)
    with pytest.raises(ValidationError):
        validator.validate(told)


def test_a_later_field_is_no_damage(tmp_path: Path, validator: Draft202012Validator) -> None:
    """Fields may be added within a version."""
    validator.validate({**written(tmp_path, "FAIL"), "weather": "fine"})


def test_every_field_is_described_and_none_is_made_up() -> None:
    """Each record and each field of it has its sentence, and there is no sentence on anything else."""
    parts = verdict_schema()["$defs"]
    told = read_descriptions()
    assert {name: {"_", *part.get("properties", {})} for name, part in parts.items()} == {
        name: set(fields) for name, fields in told.items()
    }
    assert all(text.endswith(".") for fields in told.values() for text in fields.values())


def test_outcomes() -> None:
    """The schema knows the sixteen outcomes."""
    assert set(verdict_schema()["$defs"]["Outcome"]["enum"]) == {outcome.value for outcome in Outcome}


def test_version() -> None:
    """The version in the name of the schema is that of the file."""
    schema = verdict_schema()
    assert schema["$id"] == "urn:misissue:verdict:1"
    assert schema["$defs"]["Verdict"]["properties"]["schema"]["enum"] == [1]
