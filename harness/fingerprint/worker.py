"""`python -m harness.fingerprint.worker PARENT`: makes checksums and marks for the process that started it.

It reads a pickled `Fingerprint` and then documents, and writes a line for each, in their order. It ends when its input
ends, and the kernel ends it with its parent, in the middle of a document, too.
"""

import ctypes
import os
import pickle
import signal
import struct
import sys
from typing import BinaryIO

import msgspec

from harness.fingerprint.chain import Fingerprint
from harness.records import Mark, Record

FRAME = struct.Struct("<cQ")
"""What is wanted of the bytes that follow, and how many they are."""
MAKE, CHECKSUM, MARKS = b"f", b"c", b"m"
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Made(Record, frozen=True, kw_only=True):
    """An answer: see `Fingerprint.checksum_on_record` and `Fingerprint.marks`."""

    checksum: str = ""
    marks: tuple[Mark, ...] = ()


def main() -> None:
    """Work until the input ends."""
    _end_with(int(sys.argv[1]))
    # Nothing but the end of this process closes them: whoever sees that then reads what was said last.
    answers = os.fdopen(os.dup(1), "wb", buffering=0, closefd=False)
    os.dup2(2, 1)  # whatever else is said is no answer
    _work(sys.stdin.buffer, answers)


def _work(asked: BinaryIO, answers: BinaryIO) -> None:
    fingerprint = Fingerprint()
    while len(head := asked.read(FRAME.size)) == FRAME.size:
        wanted, size = FRAME.unpack(head)
        data = asked.read(size)
        if len(data) < size:
            return
        if wanted == MAKE:
            fingerprint = pickle.loads(data)  # noqa: S301 - of our parent
            continue
        made = (
            Made(checksum=fingerprint.checksum_on_record(data))
            if wanted == CHECKSUM
            else Made(marks=fingerprint.marks(data))
        )
        answers.write(msgspec.json.encode(made) + b"\n")


def _end_with(parent: int) -> None:
    libc = ctypes.CDLL(None)
    # The second half: a parent that died before the call sends no signal any more.
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0 or os.getppid() != parent:
        sys.exit("its parent is gone")


if __name__ == "__main__":
    main()
