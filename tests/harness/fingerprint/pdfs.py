"""PDF files for tests: by hand, so that every part stands where a test wants it, and by a library."""

import io
import zlib
from collections.abc import Sequence

from reportlab.pdfgen.canvas import Canvas

CREATED, CHANGED = "D:20260401120000+09'00'", "D:20260401120001+09'00'"
IDS = b"<00112233445566778899AABBCCDDEEFF><FFEEDDCCBBAA99887766554433221100>"
XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<rdf:Description xmp:CreateDate="2026-04-01T12:00:00Z" dc:format='application/pdf'>
<xmp:ModifyDate>2026-04-01T12:00:01Z</xmp:ModifyDate><xmpMM:DocumentID>uuid:1</xmpMM:DocumentID>
<dc:title>Payslip of E001</dc:title></rdf:Description>"""


def pdf(
    *,
    created: str = CREATED,
    changed: str = CHANGED,
    ids: bytes = IDS,
    xmp: str = XMP,
    page: bytes = b"BT (Payslip) Tj ET",
    packed_table: bool = False,
    ids_elsewhere: bool = False,
) -> bytes:
    """One page, with every place that a mask of metadata knows; and, in the page, texts that look like them.

    Args:
        ids_elsewhere: in an object of their own, which stands before the page.
    """
    pages = b"BT (/CreationDate \\(D:1999\\) /ID [<00>]) Tj ET trailer << /ID [<AA> <BB>] /Info 5 0 R >> " + page
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R >>",
        b"<< /Length %d >> stream\n%b\nendstream" % (len(pages), pages),
        f"<< /Title (a \\) /CreationDate \\(x) /CreationDate ({created}) /ModDate ({changed}) /Author (me) >>".encode(),
        b"<< /Type /Metadata /Subtype /XML /Length 7 0 R >> stream\n%b\nendstream" % xmp.encode(),
        b"%d" % len(xmp.encode()),
    ]
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    ids = b"[%b]" % ids
    elsewhere = [_add(out, len(objects) + 1, ids)] if ids_elsewhere else []
    offsets = [*(_add(out, number, body) for number, body in enumerate(objects, 1)), *elsewhere]
    if ids_elsewhere:
        ids = b"%d 0 R" % len(offsets)
    return bytes(out + (_packed_table if packed_table else _table)(offsets, len(out), ids))


def _add(out: bytearray, number: int, body: bytes) -> int:
    offset = len(out)
    out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    return offset


def _table(offsets: Sequence[int], place: int, ids: bytes) -> bytes:
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(offsets) + 1
    return (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R /Info 5 0 R /ID %b >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (size, rows, size, ids, place)
    )


def _packed_table(offsets: Sequence[int], place: int, ids: bytes) -> bytes:
    """As a stream with a PNG predictor, as PDF 1.5 has it."""
    rows, above = bytearray(), bytes(4)
    for kind, offset in [(0, 0), *((1, offset) for offset in [*offsets, place])]:
        row = bytes([kind]) + offset.to_bytes(3, "big")
        rows += b"\2" + bytes((one - other) & 255 for one, other in zip(row, above, strict=True))
        above = row
    data = zlib.compress(bytes(rows))
    number = len(offsets) + 1
    return (
        b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 3 0] /Root 1 0 R /Info 5 0 R /ID %b /Length %d\n"
        b"/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 4 >> >>\nstream\n%b\nendstream\nendobj\n"
        b"startxref\n%d\n%%%%EOF\n" % (number, number + 1, ids, len(data), data, place)
    )


def drawn(*pages: str, at: tuple[float, float] = (100, 700)) -> bytes:
    """A PDF of A4 pages with a line of text on each; it says another time and other ids whenever it is made."""
    file = io.BytesIO()
    canvas = Canvas(file)
    for text in pages:
        canvas.drawString(*at, text)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def filled(text: str, *, is_drawn: bool = True) -> bytes:
    """A PDF of one page that is the same for everybody, with a form into which the text is filled.

    Args:
        is_drawn: the field brings its picture, as most do; else whoever shows the page makes one.
    """
    file = io.BytesIO()
    canvas = Canvas(file, invariant=1)
    canvas.drawString(100, 700, "Certificate of E001")
    canvas.acroForm.textfield(name="field", value=text, x=100, y=600, width=300, height=20)
    canvas.save()
    return file.getvalue() if is_drawn else file.getvalue().replace(b"/AP <<", b"/XX <<")
