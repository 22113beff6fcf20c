"""A fingerprint: masks one after the other, then a checksum of what they leave; and a reader of identity marks."""

from collections.abc import Callable, Sequence

from harness.fingerprint.base import Mask, Reader, UnreadableError
from harness.fingerprint.exact import CHECKSUM_NAME, checksum, unreadable_checksum
from harness.records import Mark


class Fingerprint:
    """How the documents of a target are told apart; without any masks by all of their bytes. Not to be changed.

    Attributes:
        masks, reader: what it is made of.
        name: of its checksums; those of equal names can be compared.
        is_slow: its checksums are to be made outside of what makes the load.
        reads_slowly: so are its marks.
        checksum: document -> 32 hex digits. Raises `UnreadableError`.
        checksum_on_record: the same, and of an unreadable document one that is like no other's.
    """

    checksum: Callable[[bytes], str]
    checksum_on_record: Callable[[bytes], str]

    def __init__(self, masks: Sequence[Mask] = (), reader: Reader | None = None) -> None:
        self.masks = tuple(masks)
        self.reader = reader
        self.name = ", ".join(mask.name for mask in self.masks)
        self.name = f"{CHECKSUM_NAME} of {self.name}" if self.masks else CHECKSUM_NAME
        self.is_slow = any(mask.is_slow for mask in self.masks)
        self.reads_slowly = reader is not None and reader.is_slow
        # Every print passes here: the exact one is the very function, without anything around it.
        self.checksum = self._of_masked if self.masks else checksum
        self.checksum_on_record = self._of_masked_or_unreadable if self.masks else checksum

    def __reduce__(self) -> tuple[type["Fingerprint"], tuple[tuple[Mask, ...], Reader | None]]:
        return Fingerprint, (self.masks, self.reader)

    def marks(self, document: bytes) -> tuple[Mark, ...]:
        """The identity marks that the document shows; none without a reader, or when it cannot be read."""
        if self.reader is None:
            return ()
        try:
            return self.reader.read(document)
        except UnreadableError:
            return ()

    def masked(self, document: bytes) -> bytes:
        """What the masks leave.

        Raises:
            UnreadableError: when it is nothing that they can read.
        """
        for mask in self.masks:
            document = mask.apply(document)
        return document

    def _of_masked(self, document: bytes) -> str:
        return checksum(self.masked(document))

    def _of_masked_or_unreadable(self, document: bytes) -> str:
        try:
            return self._of_masked(document)
        except UnreadableError:
            return unreadable_checksum(document)
