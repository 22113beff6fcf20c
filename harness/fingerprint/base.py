"""What a fingerprint is made of. Everything here is pure and says the same in every process."""

from typing import Protocol

from harness.records import Mark


class UnreadableError(Exception):
    """Raised when a document is not what the mask or the reader can read: its print is undecided, never right."""


class Mask(Protocol):
    """One step: what varies by itself is replaced by something fixed, and nothing else is lost.

    It travels to another process when it is slow, so it can be pickled.
    """

    @property
    def is_slow(self) -> bool:
        """It takes more than about a millisecond, or foreign code that must not hold up the load."""

    @property
    def name(self) -> str:
        """Short, with all parameters: two masks of one name do the same."""

    def apply(self, content: bytes) -> bytes:
        """What is left of the content.

        Raises:
            UnreadableError: when it is nothing that the mask can read.
        """


class Texts(Protocol):
    """Where the words of a document stand; see `Mask` for `is_slow`."""

    @property
    def is_slow(self) -> bool: ...

    def texts(self, document: bytes) -> tuple[str, ...]:
        """The words of each page.

        Raises:
            UnreadableError: when it is nothing that can be read.
        """


class Reader(Protocol):
    """Tells whose document it is by its own words; see `Mask` for `is_slow`."""

    @property
    def is_slow(self) -> bool: ...

    def read(self, document: bytes) -> tuple[Mark, ...]:
        """The identity marks that the document shows, in order of its pages.

        Raises:
            UnreadableError: when it is nothing that can be read.
        """
