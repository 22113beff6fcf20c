"""The ledger: append-only evidence in a run directory, one segment file a process (see `harness.evidence.segment`).

`run.json` beside the segments says what was run and which segments there have to be.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from harness.criteria import Criteria
from harness.fingerprint import CHECKSUM_NAME
from harness.records import Nanoseconds, Record

SCHEMA = 2
RUN_FILE = "run.json"
VERDICT_FILE = "verdict.json"
SEGMENT_DIRECTORY = "segments"
INCIDENT_DIRECTORY = "incidents"
LOAD_PREFIX = "load-"
"""Segments of this name and a number are those of load processes."""
TARGET_SEGMENT = "target"

Name = Annotated[str, msgspec.Meta(pattern=r"\A[\w-]+\Z")]
"""Of a run or a segment. A run without one would take any run's segments for its own."""
Ended = Literal["complete", "interrupted", "stopped"]


class LedgerError(Exception):
    """Raised when a run directory cannot be written, or is none."""


class Report(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What a load process last told the owner of the run on another way than through its segment."""

    batch: int
    issued: int


class RunDescription(Record, frozen=True, kw_only=True, omit_defaults=False):
    """run.json: everything needed to repeat the run and to know whether its evidence is all there.

    Args:
        run: id of the run; every segment of it carries it.
        clock: by which the owner of the run and its target tell the time.
        started: local wall time, ISO 8601; started_ns: the same moment on the run's clock.
        checksum: name of the checksums of the documents (see `harness.fingerprint`), the same in all segments.
        segments: every one that there has to be; reports: the last word of those whose process told the owner of any.
        planned_s: length of the plan, seconds; 0 where nobody knew it beforehand.
        planned_prints: applications that the plan of arrivals holds; None when users apply as soon as they are free.
        planned_changes: changes that the plan holds.
        shows_points: exposures are counted by the target's named points; else by what is in flight, seen from outside.
        synchronises: the service has sync runs, which exposures are counted in; else pairs of prints in flight are.
        elapsed_s: from the beginning of the plan until the load had ended; None while the run goes on or when it was
            killed.
        ended: None while the run goes on or when it was killed; "stopped" at the first misissuance, as was asked for.
        faults: what went wrong inside the harness or on the way, one sentence each.
        died: why the target or the harness died in mid-run; empty when neither did.
    """

    schema: int = SCHEMA
    run: Name
    clock: str
    profile: str
    target: str
    seed: int
    started: str
    started_ns: Nanoseconds = 0
    command: tuple[str, ...]
    parameters: Mapping[str, object]
    versions: Mapping[str, str]
    checksum: str = CHECKSUM_NAME
    segments: tuple[Name, ...]
    reports: Mapping[str, Report] = {}
    criteria: Criteria = Criteria()
    planned_s: float = 0.0
    planned_prints: int | None = None
    planned_changes: int = 0
    shows_points: bool
    synchronises: bool = True
    elapsed_s: float | None = None
    ended: Ended | None = None
    faults: tuple[str, ...] = ()
    died: str = ""

    @property
    def is_seen_by_flights(self) -> bool:
        """Whether exposures are told by what is in flight, and not by points inside the service."""
        return not (self.synchronises and self.shows_points)


def segment_path(directory: Path, segment: str) -> Path:
    """Where a segment of the run directory lies."""
    return directory / SEGMENT_DIRECTORY / f"{segment}.jsonl"


def segments_in(directory: Path) -> list[Path]:
    """The segments that lie in a run directory, by name."""
    return sorted((directory / SEGMENT_DIRECTORY).glob("*.jsonl"))


def create_run_directory(directory: Path) -> None:
    """Make the directory of a new run, readable by its owner alone, for it holds personal data.

    Raises:
        LedgerError: when it cannot be made or holds a run already.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (directory / RUN_FILE).exists():
            message = f"{directory} holds a run already; name another directory with --out"
            raise LedgerError(message)
        (directory / SEGMENT_DIRECTORY).mkdir(exist_ok=True, mode=0o700)
        (directory / INCIDENT_DIRECTORY).mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        message = f"cannot write the run directory {directory}: {error.strerror}; name another with --out"
        raise LedgerError(message) from error


def write_json(path: Path, value: object) -> None:
    """Write pretty JSON, see `write_private`.

    Raises:
        LedgerError: when the disk takes no more.
    """
    write_private(path, pretty_json(value))


def pretty_json(value: object) -> bytes:
    """As files for people and programs have it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner's eyes alone; a reader sees the old one or the new one, never half of one.

    Raises:
        LedgerError: when the disk takes no more.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.touch(mode=0o600)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        raise LedgerError(message) from error


def read_run(directory: Path) -> RunDescription:
    """What run.json says.

    Raises:
        LedgerError: when the directory is no run directory, or of a version that this one does not read.
    """
    path = directory / RUN_FILE
    try:
        run = msgspec.json.decode(path.read_bytes(), type=RunDescription)
        datetime.fromisoformat(run.started)
    except OSError as error:
        message = (
            f"{directory} is no run directory ({RUN_FILE}: {error.strerror}); name one that `misissue verify` made"
        )
        raise LedgerError(message) from error
    except ValueError as error:  # of the JSON, of a field, or of `started`
        message = f"{path} is not what `misissue verify` writes: {error}"
        raise LedgerError(message) from error
    if run.schema != SCHEMA:
        message = f"{path} has schema {run.schema}; this version reads schema {SCHEMA}"
        raise LedgerError(message)
    return run


def default_directory(profile: str) -> Path:
    """runs/<time>-<profile> below the working directory."""
    return Path("runs") / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{profile}"


def free_directory(wanted: Path) -> Path:
    """That directory, or the first of NAME-2, NAME-3 and so on that does not exist."""
    number = 1
    found = wanted
    while found.exists():
        number += 1
        found = wanted.with_name(f"{wanted.name}-{number}")
    return found
