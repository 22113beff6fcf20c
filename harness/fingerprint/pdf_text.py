"""The words of a PDF."""

from contextlib import closing
from typing import ClassVar

import msgspec

from harness.fingerprint.base import UnreadableError
from harness.fingerprint.pdfium import open_pages

_PAGE = "\f"


class PdfText(msgspec.Struct, frozen=True):
    """The text of all pages and their forms, in the order of the document: pictures, lines and fonts do not count."""

    is_slow: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """See `Mask`."""
        return "pdf text with forms"

    def apply(self, content: bytes) -> bytes:
        """The text in UTF-8, a form feed after each page.

        Raises:
            UnreadableError: when it is no PDF, or one without any text, which anybody's could be.
        """
        texts = self.texts(content)
        if not any(text.strip() for text in texts):
            raise UnreadableError("a PDF without any text")
        return "".join(f"{text}{_PAGE}" for text in texts).encode("utf-8", "surrogatepass")

    def texts(self, document: bytes) -> tuple[str, ...]:
        """See `Texts`."""
        found = []
        with open_pages(document) as pages:
            for page in pages:
                with closing(page), closing(page.get_textpage()) as text_page:
                    found.append(str(text_page.get_text_range()))
        return tuple(found)
