"""The fingerprint that a description and its people make."""

from collections import defaultdict
from collections.abc import Iterator

from harness.fingerprint import Fingerprint, Mask, Texts
from harness.fingerprint.barcode import HOW_TO_GET, Barcodes, is_installed
from harness.fingerprint.json_mask import JsonMask, JsonValues
from harness.fingerprint.marks import PERSON, MarkReader, PlainText
from harness.fingerprint.pdf_metadata import PdfMetadata
from harness.fingerprint.pdf_text import PdfText
from harness.fingerprint.pixels import Pixels
from harness.fingerprint.text_mask import TextMask, Utf8
from targets.http.fingerprint_models import FingerprintTable, MarksTable
from targets.http.people import People

_EVERYTHING = rf"(?s)(?P<{PERSON}>.+)"


def make_fingerprint(table: FingerprintTable, people: People) -> Fingerprint:
    """How documents are told apart."""
    return Fingerprint(tuple(_masks(table)), _reader(table.marks, people) if table.marks else None)


def complaints(table: FingerprintTable, people: People) -> Iterator[tuple[tuple[str, ...], str]]:
    """(place, text) of what is wrong with it beside the people that there are, and on this machine."""
    marks = table.marks
    if marks is None:
        return
    if marks.within == "barcode" and not is_installed():
        yield ("fingerprint", "marks", "in"), f"found barcode, which {HOW_TO_GET}"
    if marks.by is None:
        return
    where = "fingerprint", "marks", "by"
    if marks.by not in people.columns | {PERSON}:
        yield where, f"found {marks.by}, right is a column of the people: {', '.join(sorted(people.columns)) or PERSON}"
        return
    shown = defaultdict(list)
    for person, one in people.individuals.items():
        shown[one.columns.get(marks.by, "")].append(person)
    if "" in shown:
        yield where, f"{shown[''][0]} has no {marks.by}; right is one for each person"
    for value, persons in shown.items():
        if value and len(persons) > 1:
            yield where, f"{persons[0]} and {persons[1]} have the same {marks.by}; right is one that tells them apart"
            return


def _masks(table: FingerprintTable) -> Iterator[Mask]:
    """First what the document is taken for, then all JSON paths at once, then the others in their order."""
    match table.of:
        case "pdf_text":
            yield PdfText()
        case "pixels":
            rectangles = [
                (mask.page, x, y, width, height)
                for mask in table.masks
                if mask.page is not None and mask.rectangle_mm is not None
                for x, y, width, height in (mask.rectangle_mm,)
            ]
            yield Pixels(dpi=table.dpi, rectangles_mm=rectangles) if table.dpi else Pixels(rectangles_mm=rectangles)
        case "text":
            yield Utf8()
    paths = [mask.json_field for mask in table.masks if mask.json_field is not None]
    if table.of == "json" or paths:
        yield JsonMask(*paths)
    for mask in table.masks:
        if mask.text is not None:
            yield TextMask(mask.text)
        elif mask.pdf is not None:
            yield PdfMetadata()


def _reader(table: MarksTable, people: People) -> MarkReader:
    within: Texts = PlainText()
    match table.within:
        case "pdf_text":
            within = PdfText()
        case "barcode":
            within = Barcodes()
        case "json":
            within = JsonValues(table.person)
    by = table.by
    persons = {one.columns[by]: person for person, one in people.individuals.items()} if by is not None else None
    return MarkReader(_EVERYTHING if table.within == "json" else table.person, within, persons)
