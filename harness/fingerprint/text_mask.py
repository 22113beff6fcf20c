"""Parts of a text that vary by themselves, by pattern."""

import re
from typing import ClassVar

import msgspec

from harness.fingerprint.base import UnreadableError

_VARIES = "varies"
_FIXED = "*"


class TextMask(msgspec.Struct, frozen=True):
    """What matches the pattern, or its group `varies` if it has one, counts as one fixed text.

    Bytes that are no UTF-8 match nothing but negated classes and the dot, and are kept as they are.

    Args:
        pattern: regular expression on characters.

    Raises:
        re.error: when it is none.
    """

    pattern: str
    is_slow: ClassVar[bool] = False

    def __post_init__(self) -> None:
        re.compile(self.pattern)

    @property
    def name(self) -> str:
        """See `Mask`."""
        return f"text {self.pattern!r}"

    def apply(self, content: bytes) -> bytes:
        """See `Mask`; everything can be read."""
        pattern = re.compile(self.pattern)  # which the module keeps
        group = _VARIES if _VARIES in pattern.groupindex else 0
        text = content.decode("utf-8", "surrogateescape")
        kept: list[str] = []
        end = 0
        for match in pattern.finditer(text):
            if match.start(group) >= 0:
                kept += text[end : match.start(group)], _FIXED
                end = match.end(group)
        kept.append(text[end:])
        return "".join(kept).encode("utf-8", "surrogateescape")


class Utf8(msgspec.Struct, frozen=True):
    """The document as it is, if it is UTF-8."""

    is_slow: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """See `Mask`."""
        return "utf-8"

    def apply(self, content: bytes) -> bytes:
        """See `Mask`.

        Raises:
            UnreadableError: when it is not.
        """
        try:
            content.decode()
        except UnicodeDecodeError as error:
            raise UnreadableError(f"no UTF-8 text: byte {error.start}") from error
        return content
