"""The lines of a segment in columns: prints and events by the million, everything else one by one. Pure."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.evidence.sorts import SORT_BEGINS, Sorts
from harness.evidence.texts import Buffer, Cursor, Flags, Places, Texts
from harness.records import (
    Attempt,
    Batch,
    Change,
    ClockReading,
    Document,
    ErrorNotice,
    Fault,
    Group,
    Nanoseconds,
    PrintEvent,
    Record,
    SelfTest,
    SyncRun,
)

Times = NDArray[np.int64]


class PrintLine(Record, frozen=True, kw_only=True, tag="print", gc=False):
    """The part of a print that differs from one to the next; see `Print`."""

    application: str
    attempt: Attempt = 1
    sent_ns: Nanoseconds
    answered_ns: Nanoseconds
    intended_ns: Nanoseconds | None = None


Other = Group | Document | Change | SyncRun | ErrorNotice | Batch | SelfTest | ClockReading | Fault
"""A record that is neither a print nor an event."""
Line = PrintLine | PrintEvent | Other
"""A record as it is read by the million: of a print only what has to be told of each."""

read_print_line = msgspec.json.Decoder(PrintLine).decode
"""Line of a print -> `PrintLine`."""
_decode_other = msgspec.json.Decoder(Other).decode

_TYPE = b'{"type":'
_PRINT, _EVENT = b'"print",', b'"event",'
_PRINT_WORD, _EVENT_WORD = (int.from_bytes(word, "little") for word in (_PRINT, _EVENT))
_LEAST_ATTEMPT, _MOST_ATTEMPTS = 2, 2**31 - 1  # the first one is left out
_PRINT_AT, _EVENT_AT = len(_TYPE + _PRINT), len(_TYPE + _EVENT)
_NAME = b'"application":"'
NAME_AT = _PRINT_AT + len(_NAME)


class PrintColumns(NamedTuple):
    """One row a print.

    Args:
        sort: number of its sort.
        late_ns: how long after its intended start it was sent; 0 where it had none.
        offset: where its line begins in the segment, bytes.
        name_bytes: length of the name of its application, which stands as it is `NAME_AT` bytes behind; 0 where it may
            not.
    """

    sort: NDArray[np.int32]
    application: Texts
    attempt: NDArray[np.int32]
    sent_ns: Times
    answered_ns: Times
    late_ns: Times
    offset: Times
    name_bytes: NDArray[np.int16]

    @classmethod
    def of(cls, found: Sequence[tuple[PrintLine, int, int]]) -> Self:
        """Of prints with the numbers of their sorts and the places where their lines begin."""
        prints = [print_ for print_, _, _ in found]
        sent_ns = np.array([print_.sent_ns for print_ in prints], dtype=np.int64)
        intended_ns = [print_.sent_ns if print_.intended_ns is None else print_.intended_ns for print_ in prints]
        return cls(
            np.array([sort for _, sort, _ in found], dtype=np.int32),
            Texts.of(print_.application for print_ in prints),
            np.array([print_.attempt for print_ in prints], dtype=np.int32),
            sent_ns,
            np.array([print_.answered_ns for print_ in prints], dtype=np.int64),
            sent_ns - np.array(intended_ns, dtype=np.int64),
            np.array([offset for _, _, offset in found], dtype=np.int64),
            np.zeros(len(found), dtype=np.int16),
        )

    def first(self, number: int) -> "PrintColumns":
        """So many rows from the top."""
        return PrintColumns(
            self.sort[:number],
            self.application.first(number),
            self.attempt[:number],
            self.sent_ns[:number],
            self.answered_ns[:number],
            self.late_ns[:number],
            self.offset[:number],
            self.name_bytes[:number],
        )


class EventColumns(NamedTuple):
    """One row an event; see `PrintEvent`."""

    nonce: Texts
    point: Texts
    slot: Texts
    at_ns: Times

    @classmethod
    def of(cls, events: Sequence[PrintEvent]) -> Self:
        """Of these events."""
        return cls(
            Texts.of(event.nonce for event in events),
            Texts.of(event.point for event in events),
            Texts.of(event.slot for event in events),
            np.array([event.at_ns for event in events], dtype=np.int64),
        )

    def first(self, number: int) -> "EventColumns":
        """So many rows from the top."""
        return EventColumns(
            self.nonce.first(number), self.point.first(number), self.slot.first(number), self.at_ns[:number]
        )


# Most chunks of a segment hold either prints or events.
_NO_PRINTS, _NO_EVENTS, _NO_FLAGS = PrintColumns.of([]), EventColumns.of([]), np.zeros(0, dtype=np.bool_)


class Chunk(NamedTuple):
    """Some lines of a segment that could be read.

    Args:
        others: each with the number of records before it in the chunk.
        records: how many there are of all kinds; no_prints: how many of them call themselves prints and are none.
    """

    prints: PrintColumns
    events: EventColumns
    others: Sequence[tuple[int, Other]]
    records: int
    no_prints: int = 0


def read_lines(buffer: Buffer, offset: int, sorts: Sorts) -> tuple[Chunk, int]:
    """The lines at the beginning of the buffer up to the first that is not exactly as this version writes it.

    Args:
        buffer: begins with a line; offset: where that is in the segment.

    Returns:
        The records, and how many bytes they fill.
    """
    data, ends = buffer.data, _line_ends(buffer)
    begins = np.append(0, ends + 1)[:-1]
    good = np.zeros(len(ends), dtype=np.bool_)
    is_typed, types = buffer.starts_with(_TYPE, begins), buffer.words[begins + len(_TYPE)]
    is_print, is_event = is_typed & (types == _PRINT_WORD), is_typed & (types == _EVENT_WORD)
    prints, good[is_print] = _read_prints(buffer, begins[is_print], ends[is_print], offset, sorts)
    events, good[is_event] = _read_events(buffer, begins[is_event], ends[is_event])
    places = np.flatnonzero(~(is_print | is_event))
    limits = zip(begins[places].tolist(), ends[places].tolist(), strict=True)
    others = list(zip(places.tolist(), _decode_others([data[begin:end] for begin, end in limits]), strict=False))
    good[places[: len(others)]] = True
    if good.all():
        return Chunk(prints, events, others, len(good)), len(good) and int(ends[-1]) + 1
    records = int(good.argmin())
    chunk = Chunk(
        prints.first(int(is_print[:records].sum())),
        events.first(int(is_event[:records].sum())),
        [other for other in others if other[0] < records],
        records,
    )
    return chunk, int(begins[records])


def _decode_others(lines: Sequence[bytes]) -> list[Other]:
    """Of the lines up to the first that is none."""
    found: list[Other] = []
    with suppress(ValueError):
        found.extend(map(_decode_other, lines))
    return found


def _line_ends(buffer: Buffer) -> Places:
    """Where the lines end before the first byte that has no place in one."""
    size = buffer.size
    if not buffer.data.isascii():
        try:
            buffer.data.decode()
        except UnicodeDecodeError as error:
            size = min(size, error.start)
    codes = np.frombuffer(buffer.data, dtype=np.uint8, count=size)
    ends = np.flatnonzero(codes < ord(" "))
    strange = np.flatnonzero(codes[ends] != ord("\n"))
    return ends[: strange[0]] if len(strange) else ends


def _read_prints(buffer: Buffer, begins: Places, ends: Places, offset: int, sorts: Sorts) -> tuple[PrintColumns, Flags]:
    """The prints of these lines, and which of them are as this version writes them."""
    if not len(begins):
        return _NO_PRINTS, _NO_FLAGS
    cursor = Cursor(buffer, begins + _PRINT_AT)
    cursor.expect(_NAME)
    application = cursor.read_text()
    attempt = np.ones(len(begins), dtype=np.int64)
    rows, further = cursor.where(b',"attempt":')
    if len(rows):
        attempt[rows] = further.read_number()
        further.ok &= (attempt[rows] > 1) & (attempt[rows] <= _MOST_ATTEMPTS)
        cursor.rejoin(rows, further)
    cursor.expect(b',"sent_ns":')
    sent_ns = cursor.read_number()
    cursor.expect(b',"answered_ns":')
    answered_ns = cursor.read_number()
    late_ns = np.zeros(len(begins), dtype=np.int64)
    rows, further = cursor.where(b',"intended_ns":')
    if len(rows):
        late_ns[rows] = sent_ns[rows] - further.read_number()
        cursor.rejoin(rows, further)
    cursor.expect(b",")
    cursor.ok &= buffer.starts_with(SORT_BEGINS, cursor.at) & (cursor.at < ends)
    data, count = buffer.data, len(begins) if cursor.ok.all() else int(cursor.ok.argmin())
    places = zip(cursor.at[:count].tolist(), ends[:count].tolist(), strict=True)
    sort = np.full(len(begins), -1, dtype=np.int32)
    sort[:count] = sorts.numbers([data[begin:end] for begin, end in places])
    name_bytes = (application.ends - application.begins).astype(np.int16)
    columns = PrintColumns(
        sort, application, attempt.astype(np.int32), sent_ns, answered_ns, late_ns, offset + begins, name_bytes
    )
    return columns, sort >= 0


def _read_events(buffer: Buffer, begins: Places, ends: Places) -> tuple[EventColumns, Flags]:
    """The events of these lines, and which of them are as this version writes them."""
    if not len(begins):
        return _NO_EVENTS, _NO_FLAGS
    cursor = Cursor(buffer, begins + _EVENT_AT)
    cursor.expect(b'"nonce":"')
    nonce = cursor.read_text()
    cursor.expect(b',"point":"')
    point = cursor.read_text()
    cursor.expect(b',"at_ns":')
    at_ns = cursor.read_number()
    slot = Texts(buffer, begins.copy(), begins.copy())  # empty
    rows, further = cursor.where(b',"slot":"')
    if len(rows):
        text = further.read_text()
        slot.begins[rows], slot.ends[rows] = text.begins, text.ends
        cursor.rejoin(rows, further)
    cursor.expect(b"}")
    return EventColumns(nonce, point, slot, at_ns), cursor.ok & (cursor.at == ends)
