"""Follows a file of lines as it grows, also when it is rotated or truncated."""

import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Literal

_CHUNK_BYTES = 1 << 20
_LONGEST_LINE_BYTES = 16 << 20
_HEAD_BYTES = 256
"""By its beginning a file that was truncated is known although it has grown again meanwhile."""


class Follower:
    """Reads what has been added to a file since it was last asked.

    Attributes:
        restarts: how often there was another file under the name, or the same one began anew.
    """

    def __init__(self, path: Path) -> None:
        self.restarts = 0
        self._path = path
        self._file: BufferedReader | None = None
        self._head = b""
        self._rest = b""

    def lines(self) -> Iterator[bytes]:
        """Every line that is whole by now, without its end, and none twice; none as long as there is no file.

        Raises:
            OSError: when it is there and cannot be read.
        """
        if self._file is not None:
            change = self._change(self._file)
            if change is None:
                yield from self._read(self._file)
                return
            if change == "replaced":  # to its end, for it was written to until it was renamed
                yield from self._read(self._file)
                if self._rest:
                    yield self._rest
            self.close()
            self.restarts += 1
        try:
            self._file = self._path.open("rb")
        except FileNotFoundError:
            return
        yield from self._read(self._file)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._head, self._rest = None, b"", b""

    def _read(self, file: BufferedReader) -> Iterator[bytes]:
        if len(self._head) < _HEAD_BYTES:
            self._head = os.pread(file.fileno(), _HEAD_BYTES, 0)
        while data := file.read(_CHUNK_BYTES):
            *lines, self._rest = (self._rest + data).split(b"\n")
            yield from lines
            if len(self._rest) > _LONGEST_LINE_BYTES:  # whatever that is, it is no line of a log
                yield self._rest
                self._rest = b""

    def _change(self, file: BufferedReader) -> Literal["replaced", "truncated"] | None:
        mine = os.fstat(file.fileno())
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return None  # renamed, and its successor not there yet
        if (now.st_dev, now.st_ino) != (mine.st_dev, mine.st_ino):
            return "replaced"
        if now.st_size < file.tell() or os.pread(file.fileno(), len(self._head), 0) != self._head:
            return "truncated"
        return None
