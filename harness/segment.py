"""One segment of the ledger: a file of JSON lines that one process writes, and that shows what is missing from it.

A header, records (see `harness.records`), and a footer with the number of records and the checksum of everything before
it; every batch in between ends with its sequence number and running counts. It is greppable, survives a crash up to the
last batch, and a cut is seen.
"""

import os
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
import xxhash
from numpy.typing import NDArray

from harness.fingerprint import CHECKSUM_NAME
from harness.ledger import SCHEMA, LedgerError, segment_path
from harness.records import (
    Attempt,
    Batch,
    Change,
    ClockReading,
    Document,
    ErrorNotice,
    Evidence,
    Fault,
    Group,
    Nanoseconds,
    Print,
    Record,
    SelfTest,
    SyncRun,
)

_BATCH_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024  # what is read at once stays in the processor's cache until it has been looked at


class Header(Record, frozen=True, kw_only=True, omit_defaults=False, tag="header"):
    """First line of a segment. `run` is the id of its run, `clock` names the clock of all times in it."""

    run: str
    segment: str
    clock: str
    schema: int = SCHEMA
    checksum: str = CHECKSUM_NAME


class Footer(Record, frozen=True, kw_only=True, tag="footer"):
    """Last line of a closed segment: number of records between header and footer, checksum of all bytes before it."""

    records: int
    digest: str


_encoder = msgspec.json.Encoder()


class SegmentWriter:
    """Writes one segment. Not thread-safe; greenlets of one process may share it, because no method yields in between.

    Attributes:
        issued: attempts that this process has sent so far; whoever sends one counts it first.
        batch: sequence number of the last batch.

    Raises:
        LedgerError: when the file exists already or cannot be written.
    """

    def __init__(self, directory: Path, segment: str, *, run: str, clock: str) -> None:
        self.path = segment_path(directory, segment)
        self.segment = segment
        self.records = 0
        self.issued = 0
        self.batch = 0
        self._ended = 0, 0
        self._batch = bytearray()
        self._digest = xxhash.xxh3_128()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except OSError as error:
            message = f"cannot write the ledger segment {self.path}: {error.strerror}; choose another --out"
            raise LedgerError(message) from error
        self._append(Header(run=run, segment=segment, clock=clock))
        self.flush()

    def write(self, record: Evidence) -> None:
        """Add one record to the batch; the batch is written when it is large, or by `flush`."""
        self.records += 1
        self._append(record)
        if len(self._batch) >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the batch with one append, and behind it, where there is anything new, what it completes.

        Raises:
            LedgerError: when the disk takes no more; what was not written stays in the batch.
        """
        if self._ended != (self.records, self.issued):
            self.batch += 1
            self._append(Batch(batch=self.batch, issued=self.issued, records=self.records))
            self.records += 1
            self._ended = self.records, self.issued
        self._write_out()

    def close(self) -> None:
        """Write what is left and the footer; safe to call twice."""
        if self._descriptor < 0:
            return
        try:
            self.flush()
            self._append(Footer(records=self.records, digest=self._digest.hexdigest()))
            self._write_out()
        finally:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write_out(self) -> None:
        batch = self._batch
        try:
            while batch:
                written = os.write(self._descriptor, batch)
                self._digest.update(batch[:written])
                del batch[:written]
        except OSError as error:
            message = f"cannot write the ledger segment {self.path}: {error.strerror}"
            raise LedgerError(message) from error

    def _append(self, record: Record) -> None:
        batch = self._batch
        _encoder.encode_into(record, batch, len(batch))
        batch += b"\n"


class PrintLine(Record, frozen=True, kw_only=True, tag="print", gc=False):
    """The part of a print that differs from one to the next; see `Print`."""

    application: str
    attempt: Attempt = 1
    sent_ns: Nanoseconds
    answered_ns: Nanoseconds
    intended_ns: Nanoseconds | None = None


class EventLine(Record, frozen=True, kw_only=True, tag="event", gc=False):
    """An event whose nonce is only compared; see `PrintEvent`."""

    nonce: msgspec.Raw
    point: str
    at_ns: Nanoseconds
    slot: str = ""


Line = (
    PrintLine | EventLine | Group | Document | Change | SyncRun | ErrorNotice | Batch | SelfTest | ClockReading | Fault
)
"""A record as it is read by the million: of prints and events only what has to be told of each."""

_Decoded = TypeVar("_Decoded")
_decoder = msgspec.json.Decoder(Header | Footer | Evidence)
_line_decoder = msgspec.json.Decoder(Header | Footer | Line)
_print_decoder = msgspec.json.Decoder(Print)

read_print_line = msgspec.json.Decoder(PrintLine).decode
"""Line of a print -> `PrintLine`."""


class Chunk(NamedTuple):
    """Some lines of a segment that could be read.

    Args:
        kinds: type of each record.
        lines: each without its end; offset: where the first begins in the file, bytes.
        skipped: how many bytes lie between the end of each line and the next; empty where none do.
    """

    records: list[Line]
    kinds: list[type]
    lines: list[bytes]
    offset: int
    skipped: Sequence[int] = ()

    def offsets(self) -> NDArray[np.int64]:
        """Where each of its lines begins in the file."""
        lengths = np.fromiter(map(len, self.lines), np.int64, len(self.lines)) + 1
        offsets = self.offset + lengths.cumsum() - lengths
        return offsets + np.cumsum(self.skipped) if self.skipped else offsets


class SegmentReader:
    """Reads one segment; `faults` says, once it was read to its end, what is missing or wrong in it."""

    def __init__(self, path: Path, run: str = "") -> None:
        self.path = path
        self.faults: list[str] = []
        self.clock = ""
        self.records = 0
        self.closed = False
        self._run = run
        self._lines = 0
        self._digest = xxhash.xxh3_128()

    def __iter__(self) -> Iterator[Evidence]:
        """Every record whole."""
        for chunk in self.chunks():
            for line, record in zip(chunk.lines, chunk.records, strict=True):
                if not isinstance(record, PrintLine | EventLine):
                    yield record
                elif (whole := _decode_line(_decoder, line)) is not None:
                    yield whole
                else:
                    self.faults.append(f"segment {self.path.stem} holds a line that is none of this version")

    def chunks(self) -> Iterator[Chunk]:
        """The records in their order, some hundred at once."""
        name = self.path.stem
        try:
            file = self.path.open("rb")
        except OSError as error:
            self.faults.append(f"segment {name} cannot be read: {error.strerror}")
            return
        with file:
            offset = 0
            while data := file.read(_CHUNK_BYTES):
                data += b"" if data.endswith(b"\n") else file.readline()
                chunk = self._decode(data, offset)
                self.records += len(chunk.records)
                yield chunk
                offset += len(data)
        if self._lines and not self.clock:
            self.faults.append(f"segment {name} has no header: nothing says of which run it is")
        if not self.closed:
            self.faults.append(f"segment {name} was never closed")

    def _decode(self, data: bytes, offset: int) -> Chunk:
        *lines, rest = data.split(b"\n")
        try:
            records = [] if rest else _line_decoder.decode_lines(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            records = []
        kinds = [*map(type, records)]
        # Whatever is damaged, and what a header or a footer is about, is told line by line.
        if len(records) != len(lines) or self.closed or not self._lines or Header in kinds or Footer in kinds:
            return self._decode_lines(data, offset)
        self._digest.update(data)
        self._lines += len(records)
        return Chunk(records, kinds, lines, offset)

    def _decode_lines(self, data: bytes, offset: int) -> Chunk:
        name = self.path.stem
        records: list[Line] = []
        kept: list[bytes] = []
        skipped: list[int] = []
        between = 0
        for line in BytesIO(data):  # splitlines would also split at a carriage return
            self._lines += 1
            record = _decode_line(_line_decoder, line)
            if record is None:
                self.faults.append(f"segment {name} is cut off or unreadable at line {self._lines}")
            elif not line.endswith(b"\n"):
                self.faults.append(f"segment {name} is cut off at the end of line {self._lines}")
            if self.closed and record is not None:
                self.faults.append(f"segment {name} goes on after its footer at line {self._lines}")
            if isinstance(record, Header):
                self._check_header(record)
            elif isinstance(record, Footer):
                self.closed = True
                if (record.records, record.digest) != (self.records + len(records), self._digest.hexdigest()):
                    self.faults.append(f"segment {name} does not match its footer")
            elif record is not None:
                records.append(record)
                kept.append(line.rstrip(b"\n"))
                skipped.append(between)
                between = -len(line)
            self._digest.update(line)
            between += len(line)
        return Chunk(records, [*map(type, records)], kept, offset, skipped)

    def _check_header(self, header: Header) -> None:
        name = self.path.stem
        self.clock = header.clock
        if self._lines != 1 or header.segment != name:
            self.faults.append(f"segment {name} has the header of {header.segment} at line {self._lines}")
        if self._run and header.run != self._run:
            self.faults.append(f"segment {name} belongs to run {header.run}, not to {self._run}")
        if (header.schema, header.checksum) != (SCHEMA, CHECKSUM_NAME):
            self.faults.append(
                f"segment {name} has schema {header.schema} with {header.checksum}; "
                f"this version reads schema {SCHEMA} with {CHECKSUM_NAME}"
            )


def _decode_line(decoder: "msgspec.json.Decoder[_Decoded]", line: bytes) -> _Decoded | None:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def read_print(line: bytes) -> Print:
    """The print of a line, whole.

    Raises:
        ValueError: when it is none, or its fields stand in another order than that in which they are written: sorts of
            prints are told by what comes behind the times.
    """
    print_ = _print_decoder.decode(line)
    if _encoder.encode(print_) != line.rstrip(b"\n"):
        message = "its fields are not as this version writes them"
        raise ValueError(message)
    return print_
