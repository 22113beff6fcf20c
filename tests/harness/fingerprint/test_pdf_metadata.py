"""Dates and ids of a PDF do not count, and everything else does, above all what is on its pages."""

from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fingerprint import UnreadableError
from harness.fingerprint.pdf_metadata import PdfMetadata
from tests.harness.fingerprint.pdfs import CHANGED, CREATED, IDS, XMP, drawn, pdf

MASK = PdfMetadata()
ELSEWHERE = pytest.mark.parametrize("ids_elsewhere", [False, True], ids=["ids there", "ids elsewhere"])
PACKED = pytest.mark.parametrize("packed_table", [False, True], ids=["table", "packed table"])
DIGITS = st.text("0123456789", min_size=14, max_size=14)
HEX = st.text("0123456789abcdefABCDEF", min_size=32, max_size=32).map(str.encode)
XMP_VALUE = st.text("0123456789abcdef:-TZ", min_size=20, max_size=20)


@ELSEWHERE
@PACKED
@given(created=DIGITS, changed=DIGITS, id_=HEX, made=XMP_VALUE, uuid=st.text("0123456789", min_size=1, max_size=1))
def test_inside(
    created: str, changed: str, id_: bytes, made: str, uuid: str, *, packed_table: bool, ids_elsewhere: bool
) -> None:
    """A change of any of them changes nothing."""
    plain = pdf(packed_table=packed_table, ids_elsewhere=ids_elsewhere)
    other = pdf(
        created=f"D:{created}+09'00'",
        changed=f"D:{changed}+09'00'",
        ids=b"<%b><%b>" % (id_, id_[::-1]),
        xmp=XMP.replace("2026-04-01T12:00:00Z", made)
        .replace("2026-04-01T12:00:01Z", made[::-1])
        .replace("uuid:1", f"uuid:{uuid}"),
        packed_table=packed_table,
        ids_elsewhere=ids_elsewhere,
    )
    assert MASK.apply(plain) == MASK.apply(other)


def _spans(document: bytes) -> list[tuple[int, int]]:
    """Where they stand: found by what stands there, for a test wrote it."""
    found = []
    parts = [CREATED.encode(), CHANGED.encode(), IDS[1:33], IDS[35:67]]
    for part in [*parts, b"2026-04-01T12:00:00Z", b"2026-04-01T12:00:01Z", b"uuid:1"]:
        begin = document.rindex(part)
        found.append((begin, begin + len(part)))
    return found


@ELSEWHERE
@PACKED
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_outside(place: int, byte: int, *, packed_table: bool, ids_elsewhere: bool) -> None:
    """A change of any other byte changes what is left."""
    document = pdf(packed_table=packed_table, ids_elsewhere=ids_elsewhere)
    place %= len(document)
    if document[place] == byte or any(begin <= place < end for begin, end in _spans(document)):
        return
    changed = document[:place] + bytes([byte]) + document[place + 1 :]
    try:
        assert MASK.apply(changed) != MASK.apply(document)
    except UnreadableError:
        assert place < 5, "only the header says that it is a PDF"


@ELSEWHERE
@PACKED
def test_only_there(*, packed_table: bool, ids_elsewhere: bool) -> None:
    """What is replaced is as long as what takes its place, and nothing else is replaced, least of all on the page."""
    document = pdf(packed_table=packed_table, ids_elsewhere=ids_elsewhere)
    expected = bytearray(document)
    for begin, end in _spans(document):
        expected[begin:end] = b"0" * (end - begin)
    assert MASK.apply(document) == bytes(expected)


@PACKED
def test_stays_whole(*, packed_table: bool) -> None:
    """What is left is a PDF that readers take, with the same page."""
    whole = pypdfium2.PdfDocument(MASK.apply(pdf(packed_table=packed_table)))
    assert len(whole) == 1
    assert whole.get_metadata_value("Author") == "me"
    assert whole.get_metadata_value("CreationDate") == "0" * len(CREATED)
    whole.close()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"ids": rb"(\000\)ab)(cd)"}, {"ids": b"(7xyz)(ef)"}),
        ({"ids": b"(a(b)c)<00>"}, {"ids": rb"(\(\)12\
3)<11>"}),
        ({"ids": rb"[<00> <11>]"[1:-1]}, {"ids": b"<22> <33>"}),
    ],
)  # fmt: skip
def test_literal_ids(one: dict[str, Any], other: dict[str, Any]) -> None:
    """A string in brackets counts by its characters, however they are written."""
    assert MASK.apply(pdf(**one)) == MASK.apply(pdf(**other))


def test_length_counts() -> None:
    """An id of another length, or none, is another document."""
    assert len({MASK.apply(pdf(ids=ids)) for ids in (b"<0011><2233>", b"<00><2233>", b"(abc)(abc)", b"<00>", b"")}) == 5


def appended(year: str, author: bytes = b"me") -> bytes:
    """A file to which something was appended, made as a whole in that year."""
    first = pdf(created=f"D:{year}", ids=b"<00%b>" % year.encode())
    info = b"5 0 obj\n<< /Author (%b) /ModDate (D:%b) >>\nendobj\n" % (author, year.encode())
    table = b"xref\n5 1\n%010d 00000 n \ntrailer\n<< /Size 8 /Root 1 0 R /Info 5 0 R /Prev %d /ID [<11%b>] >>\n" % (
        len(first),
        first.rindex(b"xref\n0 8"),
        year.encode(),
    )
    return first + info + table + b"startxref\n%d\n%%%%EOF\n" % (len(first) + len(info))


def test_appended() -> None:
    """Of a file to which something was appended, the older part is masked as well."""
    assert MASK.apply(appended("2026")) == MASK.apply(appended("2027")) != appended("2026")
    assert MASK.apply(appended("2026")) != MASK.apply(appended("2026", b"ME"))


def moved_to_the_end(document: bytes, begin: bytes) -> bytes:
    """Its table says of an object that it begins where nothing follows any more."""
    entry = b"%010d 00000 n"
    return document.replace(entry % document.index(begin), entry % len(document)) + begin


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document[: len(document) // 2],
        lambda document: document[:-30],
        lambda document: document.replace(b"xref\n0", b"xrfe\n0"),
        lambda document: document.replace(b"trailer\n<<", b"trailer\n<"),
        lambda document: document.replace(b"/Info 5 0 R /ID", b"/Info 9 0 R /ID"),
        lambda document: document + b"startxref\n999999999999\n%%EOF\n",
        lambda document: document.replace(b"/Length 7 0 R", b"/Length 4 0 R"),
        lambda document: document.replace(b"(D:2026", b"((:2026"),
        lambda document: moved_to_the_end(document, b"7 0 obj"),
        lambda document: document[:5],
    ],
)
def test_damaged(damage: Callable[[bytes], bytes]) -> None:
    """A damaged file is like no other: it is read without an error, and not taken for the whole one."""
    damaged = damage(pdf())
    assert damaged != pdf()
    assert MASK.apply(damaged) != MASK.apply(pdf())


@given(st.binary(max_size=300))
def test_anything(content: bytes) -> None:
    """Nothing that a file may hold gives anything but its bytes."""
    assert MASK.apply(b"%PDF-1.5\n" + content) == b"%PDF-1.5\n" + content


@PACKED
@given(cut=st.integers(0, 5000), place=st.integers(0, 5000), noise=st.binary(max_size=8))
def test_torn(cut: int, place: int, noise: bytes, *, packed_table: bool) -> None:
    """Nor does a file that is torn, or has something else in it."""
    document = pdf(packed_table=packed_table)
    place %= len(document)
    MASK.apply(b"%PDF-" + document[5 : cut % len(document)])
    MASK.apply(b"%PDF-" + document[5 : max(5, place)] + noise + document[place + len(noise) :])


def test_no_pdf() -> None:
    """What is no PDF cannot be read."""
    with pytest.raises(UnreadableError, match="no PDF"):
        MASK.apply(b"<html>an error page</html>")


def test_of_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files that were made at two times are the same, and with another text they are not."""
    made = []
    for now, text in ((1e9, "E001"), (1.1e9, "E001"), (1e9, "E002")):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(now)))
        made.append(drawn(text, "page two"))
    assert made[0] != made[1]
    assert MASK.apply(made[0]) == MASK.apply(made[1]) != MASK.apply(made[2])
