"""The ledger: append-only evidence in a run directory, one segment file a process.

A segment is a file of JSON lines: a header, records (see `harness.records`), and a footer with the number of records
and the checksum of everything before it. It is greppable, survives a crash up to the last batch, and a cut is seen.
`run.json` beside the segments says what was run and which segments there have to be.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec
import xxhash

from harness.fingerprint import CHECKSUM_NAME
from harness.records import Evidence, Record

SCHEMA = 1
RUN_FILE = "run.json"
VERDICT_FILE = "verdict.json"
SEGMENT_DIRECTORY = "segments"
INCIDENT_DIRECTORY = "incidents"

_BATCH_BYTES = 64 * 1024


class LedgerError(Exception):
    """Raised when a run directory cannot be written, or is none."""


class Header(Record, frozen=True, kw_only=True, omit_defaults=False, tag="header"):
    """First line of a segment. `clock` names the clock of all times in it."""

    segment: str
    clock: str
    schema: int = SCHEMA
    checksum: str = CHECKSUM_NAME


class Footer(Record, frozen=True, kw_only=True, tag="footer"):
    """Last line of a closed segment: number of records between header and footer, checksum of all bytes before it."""

    records: int
    digest: str


class Criteria(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What the gate asks of the run.

    Args:
        confidence: of the bound.
        max_error_share: largest allowed share of applications that met an error; None for no limit.
    """

    confidence: float = 0.95
    max_error_share: float | None = None


class RunDescription(Record, frozen=True, kw_only=True, omit_defaults=False):
    """run.json: everything needed to repeat the run and to know whether its evidence is all there.

    Args:
        started: local wall time, ISO 8601.
        planned_s: length of the plan, seconds.
        shows_points: exposures are counted by the target's named points; else by what is in flight, seen from outside.
        ended: None while the run goes on or when it was killed.
        faults: what went wrong inside the harness or on the way, one sentence each.
        died: why the target or the harness died in mid-run; empty when neither did.
    """

    schema: int = SCHEMA
    profile: str
    target: str
    seed: int
    started: str
    command: tuple[str, ...]
    parameters: Mapping[str, object]
    versions: Mapping[str, str]
    segments: tuple[str, ...]
    criteria: Criteria = Criteria()
    planned_s: float = 0.0
    shows_points: bool
    ended: Literal["complete", "interrupted"] | None = None
    faults: tuple[str, ...] = ()
    died: str = ""


_encoder = msgspec.json.Encoder()


class SegmentWriter:
    """Writes one segment. Not thread-safe; greenlets of one process may share it, because no method yields in between.

    Raises:
        LedgerError: when the file exists already or cannot be written.
    """

    def __init__(self, directory: Path, segment: str, clock: str) -> None:
        self.path = segment_path(directory, segment)
        self.records = 0
        self._batch = bytearray()
        self._digest = xxhash.xxh3_128()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except OSError as error:
            message = f"cannot write the ledger segment {self.path}: {error.strerror}; choose another --out"
            raise LedgerError(message) from error
        self._append(Header(segment=segment, clock=clock))
        self.flush()

    def write(self, record: Evidence) -> None:
        """Add one record to the batch; the batch is written when it is large, or by `flush`."""
        self.records += 1
        self._append(record)

    def flush(self) -> None:
        """Write the batch with one append.

        Raises:
            LedgerError: when the disk takes no more; what was not written stays in the batch.
        """
        batch = self._batch
        try:
            while batch:
                written = os.write(self._descriptor, batch)
                self._digest.update(batch[:written])
                del batch[:written]
        except OSError as error:
            message = f"cannot write the ledger segment {self.path}: {error.strerror}"
            raise LedgerError(message) from error

    def close(self) -> None:
        """Write what is left and the footer; safe to call twice."""
        if self._descriptor < 0:
            return
        try:
            self.flush()
            self._append(Footer(records=self.records, digest=self._digest.hexdigest()))
            self.flush()
        finally:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, record: Record) -> None:
        batch = self._batch
        _encoder.encode_into(record, batch, len(batch))
        batch += b"\n"
        if len(batch) >= _BATCH_BYTES:
            self.flush()


_decoder = msgspec.json.Decoder(Header | Footer | Evidence)


class SegmentReader:
    """Reads one segment; `faults` says, once it was read to its end, what is missing or wrong in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[str] = []
        self.clock = ""

    def __iter__(self) -> Iterator[Evidence]:
        name = self.path.stem
        digest, count, closed = xxhash.xxh3_128(), 0, False
        try:
            file = self.path.open("rb")
        except OSError as error:
            self.faults.append(f"segment {name} cannot be read: {error.strerror}")
            return
        with file:
            for number, line in enumerate(file, 1):
                try:
                    record = _decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    self.faults.append(f"segment {name} is cut off or unreadable at line {number}")
                    digest.update(line)
                    continue
                if not line.endswith(b"\n"):
                    self.faults.append(f"segment {name} is cut off at the end of line {number}")
                if closed:
                    self.faults.append(f"segment {name} goes on after its footer at line {number}")
                if isinstance(record, Header):
                    self._check_header(record, number)
                elif isinstance(record, Footer):
                    closed = True
                    if (record.records, record.digest) != (count, digest.hexdigest()):
                        self.faults.append(f"segment {name} does not match its footer")
                else:
                    count += 1
                    yield record
                digest.update(line)
        if not closed:
            self.faults.append(f"segment {name} was never closed")

    def _check_header(self, header: Header, line: int) -> None:
        self.clock = header.clock
        if line != 1 or header.segment != self.path.stem:
            self.faults.append(f"segment {self.path.stem} has the header of {header.segment} at line {line}")
        if (header.schema, header.checksum) != (SCHEMA, CHECKSUM_NAME):
            self.faults.append(
                f"segment {self.path.stem} has schema {header.schema} with {header.checksum}; "
                f"this version reads schema {SCHEMA} with {CHECKSUM_NAME}"
            )


def segment_path(directory: Path, segment: str) -> Path:
    """Where a segment of the run directory lies."""
    return directory / SEGMENT_DIRECTORY / f"{segment}.jsonl"


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
    """Write pretty JSON for its owner's eyes alone; a reader sees the old file or the new one, never half of one.

    Raises:
        LedgerError: when the disk takes no more.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.touch(mode=0o600)
        temporary.write_bytes(msgspec.json.format(_encoder.encode(value), indent=2) + b"\n")
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
    except OSError as error:
        message = (
            f"{directory} is no run directory ({RUN_FILE}: {error.strerror}); name one that `misissue verify` made"
        )
        raise LedgerError(message) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not what `misissue verify` writes: {error}"
        raise LedgerError(message) from error
    if run.schema != SCHEMA:
        message = f"{path} has schema {run.schema}; this version reads schema {SCHEMA}"
        raise LedgerError(message)
    return run
