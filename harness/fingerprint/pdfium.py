"""PDF documents through PDFium, which is not thread-safe, not even for two documents: one is open at a time."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any

from harness.fingerprint.base import UnreadableError

PDFIUM = Lock()
"""Guards PDFium, for everybody in the process."""


@contextmanager
def open_pages(document: bytes) -> Iterator[Iterator[Any]]:
    """Every page as a `pypdfium2.PdfPage`, of which there is one at least; whoever takes it closes it.

    Forms and notes are a part of their page, as people see it.

    Raises:
        UnreadableError: when it is no PDF, is damaged, is locked or has no page.
    """
    import pypdfium2  # takes long to load, and most targets have no need of it

    with PDFIUM:
        try:
            with closing(pypdfium2.PdfDocument(document)) as pdf:
                pdf.init_forms()  # draws fields that bring no picture of their own
                if not len(pdf):
                    raise UnreadableError("a PDF without a page")
                yield _pages(pdf)
        except pypdfium2.PdfiumError as error:
            raise UnreadableError(f"no PDF that can be read: {error}") from error


def _pages(pdf: Any) -> Iterator[Any]:
    import pypdfium2.raw as pdfium

    for number in range(len(pdf)):
        page = pdf[number]
        if pdfium.FPDFPage_GetAnnotCount(page):
            done = pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
            page.close()
            if done == pdfium.FLATTEN_FAIL:
                raise UnreadableError(f"a PDF with forms or notes on page {number + 1} that cannot be drawn")
            page = pdf[number]
        yield page
