"""Reads what somebody else appends to a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

_Told = TypeVar("_Told")


class GrowingLog(Generic[_Told]):
    """A log of JSON lines that somebody else appends to, read as far as it has grown."""

    def __init__(self, path: Path, kind: type[_Told]) -> None:
        self._path = path
        self._decoder = msgspec.json.Decoder(kind)
        self._offset = 0

    def new(self) -> Iterator[_Told]:
        """What was not told before; a last line that is not finished yet is kept for the next time.

        Raises:
            msgspec.DecodeError: for a line that is none of its kind, which is not read again.
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
                yield self._decoder.decode(line)
