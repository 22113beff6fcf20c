"""What a PDF says of its own making: dates and ids, which are new each time it is made."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import ClassVar

import msgspec

from harness.fingerprint.base import UnreadableError
from harness.fingerprint.pdf_objects import DamagedError, PdfObjects, Span, dictionary_at, tokens

_WITHIN = 1024  # bytes, in which readers look for the header
_XMP = re.compile(rb"/Subtype\s*/XML\b")
_TAG = re.compile(rb"<([\w:.-]+)([^<>]*)>([^<]*)")
_NAMES = rb"[\w.-]+:(?:CreateDate|ModifyDate|MetadataDate|when|(?:Original)?DocumentID|[Ii]nstanceID|documentID)"
_NAME = re.compile(_NAMES)
_ATTRIBUTE = re.compile(rb"(?<=\s)" + _NAMES + rb"\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_CHARACTER = re.compile(rb"\\[0-7]{1,3}|\\\r\n|\\.|\r\n|.", re.DOTALL)
_LINE_ENDS = b"\\\r\n", b"\\\n", b"\\\r"


class PdfMetadata(msgspec.Struct, frozen=True):
    """The PDF with zeros for `/CreationDate`, `/ModDate`, `/ID`, and for dates and ids of its XMP, and nothing else.

    Replaced in place, so that the file stays whole. What lies in compressed objects is not reached and stays.
    """

    is_slow: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """See `Mask`."""
        return "pdf metadata"

    def apply(self, content: bytes) -> bytes:
        """See `Mask`. A file that is damaged is left as it is: it is like none that is whole.

        Raises:
            UnreadableError: when it is no PDF.
        """
        if b"%PDF-" not in content[:_WITHIN]:
            raise UnreadableError("no PDF")
        try:
            objects = PdfObjects(content)
            places = sorted({*_trailer_ids(objects, content), *_info_dates(objects, content), *_xmp(objects, content)})
        except DamagedError:
            return content
        kept: list[bytes] = []
        end = 0
        for begin, past in places:
            kept += content[end:begin], _zeros(content, begin, past)
            end = past
        return b"".join((*kept, content[end:]))


def _zeros(content: bytes, begin: int, end: int) -> bytes:
    """As many as there are characters: a string in brackets may write one of them in several ways."""
    if content[begin - 1 : begin] != b"(":
        return b"0" * (end - begin)
    characters = (one[0] for one in _CHARACTER.finditer(content, begin, end))
    return b"0" * sum(one not in _LINE_ENDS for one in characters)


def _trailer_ids(objects: PdfObjects, content: bytes) -> Iterator[Span]:
    for trailer in objects.trailers:
        if b"/ID" in trailer.values:
            array = tokens(content, objects.resolve(trailer.values[b"/ID"]).begin)
            if objects.text(next(array)) != b"[":
                continue
            for token in array:
                places = list(_inside(content, token))
                if not places:
                    break  # the array's end, behind which all other objects may follow
                yield from places


def _info_dates(objects: PdfObjects, content: bytes) -> Iterator[Span]:
    for trailer in objects.trailers:
        number = objects.referred(trailer.values[b"/Info"]) if b"/Info" in trailer.values else None
        if number is None:
            continue
        for offset in objects.offsets[number]:
            info = dictionary_at(content, objects.begin(number, offset)).values
            for key in (b"/CreationDate", b"/ModDate"):
                if key in info:
                    yield from _inside(content, objects.resolve(info[key]))


def _inside(content: bytes, token: Span) -> Iterator[Span]:
    """What is between the brackets of a string."""
    if content[token.begin : token.begin + 1] in {b"(", b"<"} and content[token.begin : token.end] != b"<<":
        yield Span(token.begin + 1, token.end - 1)


def _xmp(objects: PdfObjects, content: bytes) -> Iterator[Span]:
    """Dates and ids in the metadata streams that are not packed."""
    numbers = {offset: number for number, offsets in objects.offsets.items() for offset in offsets}
    offsets = sorted(numbers)
    for hint in _XMP.finditer(content):
        place = bisect_right(offsets, hint.start())
        if not place:
            continue
        dictionary = dictionary_at(content, objects.begin(numbers[offsets[place - 1]], offsets[place - 1]))
        values = dictionary.values
        if objects.text(values.get(b"/Type", Span(0, 0))) != b"/Metadata" or b"/Filter" in values:
            continue
        stream = objects.stream(dictionary)
        for tag in _TAG.finditer(content, *stream):
            for attribute in _ATTRIBUTE.finditer(content, *tag.span(2)):
                yield Span(*attribute.span(1 if attribute[1] is not None else 2))
            if _NAME.fullmatch(tag[1]) and not tag[2].endswith(b"/"):
                yield Span(*tag.span(3))
