"""One segment of the ledger: a file of JSON lines that one process writes, and that shows what is missing from it.

A header, records (see `harness.records`), and a footer with the number of records and the checksum of everything before
it; every batch in between ends with its sequence number and running counts. It is greppable, survives a crash up to the
last batch, and a cut is seen.
"""

import os
from collections.abc import Iterator
from io import BytesIO
from mmap import ACCESS_READ, MADV_DONTNEED, PAGESIZE, mmap
from pathlib import Path
from typing import TypeVar

import msgspec
import xxhash

from harness.evidence.ledger import SCHEMA, LedgerError, segment_path
from harness.evidence.lines import Chunk, EventColumns, Line, Other, PrintColumns, PrintLine, read_lines
from harness.evidence.sorts import Sorts
from harness.evidence.texts import Buffer
from harness.fingerprint import CHECKSUM_NAME
from harness.records import (
    Batch,
    Evidence,
    PrintEvent,
    Record,
)

_BATCH_BYTES = 64 * 1024
_CHUNK_BYTES = 1024 * 1024  # so much that columns pay, and little enough for the processor's cache


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


_Decoded = TypeVar("_Decoded")
_encoder = msgspec.json.Encoder()


class SegmentWriter:
    """Writes one segment. Not thread-safe; greenlets of one process may share it, because no method yields in between.

    Args:
        checksum: name of the checksums of the documents in it.

    Attributes:
        issued: attempts that this process has sent so far; whoever sends one counts it first.
        batch: sequence number of the last batch.

    Raises:
        LedgerError: when the file exists already or cannot be written.
    """

    def __init__(self, directory: Path, segment: str, *, run: str, clock: str, checksum: str = CHECKSUM_NAME) -> None:
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
        self._append(Header(run=run, segment=segment, clock=clock, checksum=checksum))
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


_line_decoder = msgspec.json.Decoder(Header | Footer | Line)
_whole_decoder = msgspec.json.Decoder(Header | Footer | Evidence)


class SegmentReader:
    """Reads one segment, once; `faults` says, when it was read to its end, what is missing or wrong in it.

    Args:
        run: the id of the run to which it has to belong, where that is known.
        checksum: the name that the checksums of its documents have to have.
        sorts: of the prints of the run, shared by all of its segments.
    """

    def __init__(self, path: Path, run: str = "", sorts: Sorts | None = None, checksum: str = CHECKSUM_NAME) -> None:
        self.path = path
        self.faults: list[str] = []
        self.clock = ""
        self.records = 0
        self.closed = False
        self._run = run
        self._checksum = checksum
        self._sorts = Sorts() if sorts is None else sorts
        self._lines = 0
        self._digest = xxhash.xxh3_128()

    def __iter__(self) -> Iterator[Evidence]:
        """Every record whole."""
        for buffer, offset in self._buffers():
            for record, _, _ in self._one_by_one(_whole_decoder, buffer.data[: buffer.size], offset):
                yield record

    def chunks(self) -> Iterator[Chunk]:
        """The records in their order, some thousand at once."""
        for buffer, offset in self._buffers():
            read = 0
            if self._lines and not self.closed:
                chunk, read = read_lines(buffer, offset, self._sorts)
                self._digest.update(memoryview(buffer.data)[:read])
                self._lines += chunk.records
                self.records += chunk.records
                yield chunk
            # What a header or a footer is about, and whatever is damaged, is told line by line.
            if read < buffer.size:
                yield self._chunk(buffer.data[read : buffer.size], offset + read)

    def _buffers(self) -> Iterator[tuple[Buffer, int]]:
        """The first line, and then many at once, each time with the place where they begin."""
        name = self.path.stem
        try:
            file = self.path.open("rb")
        except OSError as error:
            self.faults.append(f"segment {name} cannot be read: {error.strerror}")
            return
        with file:
            size = os.fstat(file.fileno()).st_size
            if size:
                # Not closed by hand: Ctrl-C in the midst of a copy leaves a view of it, with which it cannot be closed.
                data = mmap(file.fileno(), size, access=ACCESS_READ)
                view = memoryview(data)
                begin, end = 0, data.find(b"\n") + 1 or size
                while begin < size:
                    yield Buffer(view[begin:end]), begin
                    # It is copied: nobody shall take what was read for memory that the process needs.
                    page = begin // PAGESIZE * PAGESIZE
                    data.madvise(MADV_DONTNEED, page, end - page)
                    begin = end
                    end = data.rfind(b"\n", begin, begin + _CHUNK_BYTES) + 1
                    end = end or data.find(b"\n", begin) + 1 or size
        if self._lines and not self.clock:
            self.faults.append(f"segment {name} has no header: nothing says of which run it is")
        if not self.closed:
            self.faults.append(f"segment {name} was never closed")

    def _chunk(self, data: bytes, offset: int) -> Chunk:
        prints: list[tuple[PrintLine, int, int]] = []
        events: list[PrintEvent] = []
        others: list[tuple[int, Other]] = []
        records = no_prints = 0
        for record, line, place in self._one_by_one(_line_decoder, data, offset):
            if isinstance(record, PrintLine):
                try:
                    prints.append((record, self._sorts.number(line), place))
                except ValueError as error:
                    self.faults.append(f"segment {self.path.stem} holds a print that is none: {error}")
                    no_prints += 1
            elif isinstance(record, PrintEvent):
                events.append(record)
            else:
                others.append((records, record))
            records += 1
        return Chunk(PrintColumns.of(prints), EventColumns.of(events), others, records, no_prints)

    def _one_by_one(
        self, decoder: "msgspec.json.Decoder[Header | Footer | _Decoded]", data: bytes, offset: int
    ) -> Iterator[tuple[_Decoded, bytes, int]]:
        """Each record with its line, without the end, and with the place where that begins."""
        name = self.path.stem
        for line in BytesIO(data):  # splitlines would also split at a carriage return
            self._lines += 1
            try:
                record = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                record = None
                self.faults.append(f"segment {name} is cut off or unreadable at line {self._lines}")
            else:
                if not line.endswith(b"\n"):
                    self.faults.append(f"segment {name} is cut off at the end of line {self._lines}")
                if self.closed:
                    self.faults.append(f"segment {name} goes on after its footer at line {self._lines}")
            if isinstance(record, Header):
                self._check_header(record)
            elif isinstance(record, Footer):
                self.closed = True
                if (record.records, record.digest) != (self.records, self._digest.hexdigest()):
                    self.faults.append(f"segment {name} does not match its footer")
            elif record is not None:
                self.records += 1
                yield record, line.removesuffix(b"\n"), offset
            self._digest.update(line)
            offset += len(line)

    def _check_header(self, header: Header) -> None:
        name = self.path.stem
        self.clock = header.clock
        if self._lines != 1 or header.segment != name:
            self.faults.append(f"segment {name} has the header of {header.segment} at line {self._lines}")
        if self._run and header.run != self._run:
            self.faults.append(f"segment {name} belongs to run {header.run}, not to {self._run}")
        if (header.schema, header.checksum) != (SCHEMA, self._checksum):
            self.faults.append(
                f"segment {name} has schema {header.schema} with {header.checksum}; "
                f"this version reads schema {SCHEMA}, and the run is one with {self._checksum}"
            )
