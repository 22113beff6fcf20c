"""Where in a PDF file its objects, trailers and strings stand, as ISO 32000-1 has them (7.2, 7.3, 7.5). Pure.

Followed from the file's end, as a reader does, and never searched for: what lies in the pages can look like anything.
"""

import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

_SPACE = rb"(?:[\0\t\n\f\r ]|%[^\r\n]*)*"
_REGULAR = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
_TOKEN = re.compile(
    _SPACE + rb"(<<|>>|[\[\]{}()]|<[0-9A-Fa-f\0\t\n\f\r ]*>|/" + _REGULAR + rb"*|" + _REGULAR + rb"+)", re.DOTALL
)
_IN_STRING = re.compile(rb"[()\\]")
_START = re.compile(rb"startxref\s+(\d{1,12})\s")
_TABLE = re.compile(_SPACE + rb"xref\s+")
_SECTION = re.compile(rb"\s*(\d{1,10})\s+(\d{1,10})\s")
_ENTRY = re.compile(rb"\s*(\d{10}) \d{5} ([nf])")
_TRAILER = re.compile(_SPACE + rb"trailer")
_OBJECT = re.compile(_SPACE + rb"(\d{1,10})\s+\d{1,5}\s+obj")
_REFERENCE = re.compile(rb"(\d{1,10})\s+\d{1,5}\s+R")
_STREAM = re.compile(_SPACE + rb"stream\r?\n")
_STREAM_END = re.compile(rb"\r?\n?endstream")
_MOST_BYTES = 64_000_000  # of a table of objects


class DamagedError(ValueError):
    """Raised when a file is not built as it should be."""


class Span(NamedTuple):
    """A part of the file, in bytes: [begin, end)."""

    begin: int
    end: int


class Dictionary(NamedTuple):
    """Where the values stand, by key with its slash, and where the dictionary itself ends."""

    values: dict[bytes, Span]
    end: int


class PdfObjects:
    """The objects of a file.

    Attributes:
        trailers: of the newest part of the file first; those of its older parts follow.
        offsets: number of an object -> where it begins, and where it began in older parts; those in compressed streams
            are missing.

    Raises:
        DamagedError: when there is no way from the end of the file to its objects.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.trailers: list[Dictionary] = []
        self.offsets: defaultdict[int, list[int]] = defaultdict(list)
        starts = list(_START.finditer(content, max(0, content.rfind(b"startxref"))))
        places = [int(starts[-1][1])] if starts else []
        if not places:
            raise DamagedError("does not say where its objects are")
        seen = set()
        while places:
            place = places.pop()
            if place not in seen:
                seen.add(place)
                trailer = self._read_table(place) if _TABLE.match(content, place) else self._read_stream(place)
                self.trailers.append(trailer)
                places += (self.number(trailer.values[key]) for key in (b"/Prev", b"/XRefStm") if key in trailer.values)

    def text(self, span: Span) -> bytes:
        """What stands there."""
        return self._content[span.begin : span.end]

    def number(self, span: Span) -> int:
        """A whole number, there or in the object that is named there."""
        text = self.text(self.resolve(span))
        if not text.isdigit() or len(text) > 12:
            raise DamagedError(f"has {text[:20]!r} for a number")
        return int(text)

    def resolve(self, span: Span) -> Span:
        """The value, there or in the object that is named there."""
        reference = _REFERENCE.fullmatch(self.text(span))
        if reference is None:
            return span
        found = next(tokens(self._content, self.begin(int(reference[1]))), None)
        if found is None:
            raise DamagedError(f"has an object {int(reference[1])} without a value")
        return found

    def begin(self, number: int, offset: int | None = None) -> int:
        """Where the value of an object begins: of its newest form, or of that at the offset."""
        if offset is None:
            offset = next(iter(self.offsets.get(number, ())), len(self._content))
        found = _OBJECT.match(self._content, offset)
        if found is None or int(found[1]) != number:
            raise DamagedError(f"has no object {number} where it should be")
        return found.end()

    def referred(self, span: Span) -> int | None:
        """The number of the object that is named there; None when none is, or none that can be found."""
        reference = _REFERENCE.fullmatch(self.text(span))
        number = int(reference[1]) if reference is not None else None
        return number if number is not None and number in self.offsets else None

    def stream(self, dictionary: Dictionary) -> Span:
        """The bytes of the stream that follows its dictionary."""
        found = _STREAM.match(self._content, dictionary.end)
        if found is None or b"/Length" not in dictionary.values:
            raise DamagedError("has a stream without a beginning")
        end = found.end() + self.number(dictionary.values[b"/Length"])
        if _STREAM_END.match(self._content, end) is None:
            raise DamagedError("has a stream without an end")
        return Span(found.end(), end)

    def _read_table(self, place: int) -> Dictionary:
        found = _TABLE.match(self._content, place)
        place = found.end() if found else place
        while section := _SECTION.match(self._content, place):
            place = section.end()
            first = int(section[1])
            for number in range(first, first + int(section[2])):
                entry = _ENTRY.match(self._content, place)
                if entry is None:
                    raise DamagedError("has a table of objects that is cut off")
                place = entry.end()
                if entry[2] == b"n":
                    self.offsets[number].append(int(entry[1]))
        trailer = _TRAILER.match(self._content, place)
        if trailer is None:
            raise DamagedError("has no trailer")
        return dictionary_at(self._content, trailer.end())

    def _read_stream(self, place: int) -> Dictionary:
        found = _OBJECT.match(self._content, place)
        if found is None:
            raise DamagedError("has no table of objects where it should be")
        dictionary = dictionary_at(self._content, found.end())
        values = dictionary.values
        if not {b"/W", b"/Size"} <= values.keys():
            raise DamagedError("has no table of objects where it should be")
        widths = self._numbers(values[b"/W"])
        index = self._numbers(values[b"/Index"]) if b"/Index" in values else [0, self.number(values[b"/Size"])]
        if len(widths) != 3 or len(index) % 2 or sum(widths) == 0:
            raise DamagedError("has a table of objects of another form")
        rows = self._rows(dictionary, sum(widths))
        kind, where = widths[0], widths[0] + widths[1]
        for first, count in zip(index[::2], index[1::2], strict=True):
            for number, row in zip(range(first, first + count), rows, strict=False):
                if (row[:kind] or b"\1").lstrip(b"\0") == b"\1":
                    self.offsets[number].append(int.from_bytes(row[kind:where], "big"))
        return dictionary

    def _rows(self, dictionary: Dictionary, width: int) -> Iterator[bytes]:
        values = dictionary.values
        data = self.text(self.stream(dictionary))
        if b"/Filter" in values:
            if self.text(values[b"/Filter"]).strip(b"[] \r\n") != b"/FlateDecode":
                raise DamagedError("has a table of objects that is packed in another way")
            try:
                data = zlib.decompressobj().decompress(data, _MOST_BYTES)
            except zlib.error as error:
                raise DamagedError(f"has a table of objects that cannot be unpacked: {error}") from error
        if b"/DecodeParms" not in values:
            return iter([data[begin : begin + width] for begin in range(0, len(data), width)])
        parameters = dictionary_at(self._content, values[b"/DecodeParms"].begin).values
        predictor = self.number(parameters[b"/Predictor"]) if b"/Predictor" in parameters else 1
        columns = self.number(parameters[b"/Columns"]) if b"/Columns" in parameters else 1
        if predictor < 10 or columns != width:
            raise DamagedError("has a table of objects that is predicted in another way")
        return iter(_unpredict(data, width))

    def _numbers(self, span: Span) -> list[int]:
        numbers = self.text(span).strip(b"[]").split()
        if not all(number.isdigit() and len(number) <= 10 for number in numbers):
            raise DamagedError("has something else in a list of numbers")
        return [int(number) for number in numbers]


def tokens(content: bytes, place: int) -> Iterator[Span]:
    """From a place on, whatever is not white space or a comment; a string is one token.

    Raises:
        DamagedError: when a string does not end.
    """
    while found := _TOKEN.match(content, place):
        begin, place = found.span(1)
        if content[begin:place] == b"(":
            place = _end_of_string(content, place)
        yield Span(begin, place)


def dictionary_at(content: bytes, place: int) -> Dictionary:
    """The dictionary that begins there.

    Raises:
        DamagedError: when none does, or it does not end.
    """
    values: dict[bytes, Span] = {}
    depth = 0
    key, begin, end = b"", -1, -1
    for span in tokens(content, place):
        token = content[span.begin : span.end]
        if depth == 0 and token != b"<<":
            break
        is_end = token == b">>" and depth == 1
        if is_end or (depth == 1 and token.startswith(b"/") and (not key or begin >= 0)):
            if key and begin >= 0:
                values.setdefault(key, Span(begin, end))
            if is_end:
                return Dictionary(values, span.end)
            key, begin = token, -1
            continue
        if depth >= 1:
            begin, end = span.begin if begin < 0 else begin, span.end
        depth += (token in {b"<<", b"["}) - (token in {b">>", b"]"})
    raise DamagedError("has no dictionary where one should be")


def _end_of_string(content: bytes, place: int) -> int:
    depth = 1
    while found := _IN_STRING.search(content, place):
        place = found.end()
        if found[0] == b"\\":
            place += 1
        else:
            depth += 1 if found[0] == b"(" else -1
            if depth == 0:
                return place
    raise DamagedError("has a string without an end")


def _unpredict(data: bytes, width: int) -> list[bytes]:
    """Rows of a PNG predictor (RFC 2083, 6): as they are, by what is left of it, or by what is above."""
    rows = []
    above = bytes(width)
    for begin in range(0, len(data), width + 1):
        how, row = data[begin], bytearray(data[begin + 1 : begin + 1 + width])
        if len(row) != width or how > 2:
            raise DamagedError("has a table of objects that is predicted in another way")
        for place in range(width):
            before = above[place] if how == 2 else row[place - 1] if how == 1 and place else 0
            row[place] = (row[place] + before) & 0xFF
        above = bytes(row)
        rows.append(above)
    return rows
