"""What the QR codes and bar codes of a document say. Takes the extra `barcode`."""

from contextlib import closing
from importlib.util import find_spec
from io import BytesIO
from typing import Any, ClassVar

import msgspec

from harness.fingerprint.base import UnreadableError
from harness.fingerprint.pdfium import open_pages

_DPI = 150
_POINTS_PER_INCH = 72
_PDF_WITHIN = 1024
_MOST_PIXELS = 100_000_000
HOW_TO_GET = "takes zxing-cpp, which is not installed; right is: pip install 'misissue[barcode]'"


def is_installed() -> bool:
    """Whether the extra is."""
    return find_spec("zxingcpp") is not None


class Barcodes(msgspec.Struct, frozen=True):
    """The codes of each page of a PDF, or of a picture; each of them on a line of its own."""

    is_slow: ClassVar[bool] = True

    def texts(self, document: bytes) -> tuple[str, ...]:
        """See `Texts`."""
        if not is_installed():
            raise RuntimeError(f"a bar code {HOW_TO_GET}")
        import zxingcpp

        return tuple(
            "\n".join(code.text for code in zxingcpp.read_barcodes(picture)) for picture in _pictures(document)
        )


def _pictures(document: bytes) -> list[Any]:
    """Each page in grey."""
    if b"%PDF-" in document[:_PDF_WITHIN]:
        with open_pages(document) as pages:
            return [_draw(page) for page in pages]
    from PIL import Image

    try:
        with Image.open(BytesIO(document)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise UnreadableError(f"a picture of {image.width} times {image.height} pixels")
            return [image.convert("L")]
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableError(f"neither PDF nor picture: {error}") from error


def _draw(page: Any) -> Any:
    with closing(page), closing(page.render(scale=_DPI / _POINTS_PER_INCH, grayscale=True)) as bitmap:
        return bitmap.to_numpy().copy()
