"""PDF documents through PDFium, which is not thread-safe, not even for two documents: one is open at a time."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any

from harness.fingerprint.base import UnreadableError

PDFIUM = Lock()
"""Guards PDFium, for everybody in the process."""


@contextmanager
def open_pages(document: bytes) -> Iterator[Any]:
    """A `pypdfium2.PdfDocument` of one page at least.

    Raises:
        UnreadableError: when it is none, is damaged, is locked or has no page.
    """
    import pypdfium2  # takes long to load, and most targets have no need of it

    with PDFIUM:
        try:
            with closing(pypdfium2.PdfDocument(document)) as pdf:
                if not len(pdf):
                    raise UnreadableError("a PDF without a page")
                yield pdf
        except pypdfium2.PdfiumError as error:
            raise UnreadableError(f"no PDF that can be read: {error}") from error
