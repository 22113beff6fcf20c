"""Reads what somebody else appends to a file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

_Told = TypeVar("_Told")


class GrowingLog(Generic[_Told]):
    """A log that somebody else appends lines to, read as far as it has grown.

    Args:
        decode: what a line tells.
        offset: bytes that were there before and tell nothing.
    """

    def __init__(self, path: Path, decode: Callable[[bytes], _Told], offset: int = 0) -> None:
        self._path = path
        self._decode = decode
        self._offset = offset

    def new(self) -> Iterator[_Told]:
        """What was not told before; a last line that is not finished yet is kept for the next time.

        Raises:
            Exception: what decoding a line raises, which is not read again.
        """
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                # Before it is handed out, because whoever takes it may stop here and ask again.
                self._offset += len(line)
                yield self._decode(line)
