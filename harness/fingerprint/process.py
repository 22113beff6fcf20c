"""Slow fingerprints are made by a process of its own: foreign code and long work never hold up what makes the load.

A process and not a thread, because a thread of Python's would take turns with the load. It is spawned and not forked,
see `harness.load.web.slow`.
"""

import fcntl
import os
import pickle
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from harness.fingerprint.chain import Fingerprint
from harness.fingerprint.worker import CHECKSUM, FRAME, MAKE, MARKS, Made

_PIPE_BYTES = 1024 * 1024  # so many are on the way to the process when it is asked only now and then
_CHUNK_BYTES = 64 * 1024
_LAST_WORDS_BYTES = 4096
_NICE = 19  # the load comes first
LIMIT_S = 60.0
"""For one document; the time to start is part of the first one's."""


class FingerprintProcess:
    """Answers in the order in which it is asked; nothing here waits for anything but `close`.

    Attributes:
        failure: why it will answer no more; empty while it works.
    """

    def __init__(self, fingerprint: Fingerprint, *, limit_s: float = LIMIT_S) -> None:
        self.failure = ""
        self._limit_s = limit_s
        self._to_send: deque[bytes | memoryview] = deque()
        self._received = b""
        self._unanswered = 0
        self._heard_s = time.monotonic()
        asked, self._asking = os.pipe()
        self._answers, answering = os.pipe()
        self._said = os.memfd_create("stderr")
        os.set_blocking(self._asking, False)
        os.set_blocking(self._answers, False)
        with suppress(OSError):  # a user may have so many only
            fcntl.fcntl(self._asking, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            process = os.posix_spawn(
                sys.executable,
                [sys.executable, "-m", "harness.fingerprint.worker", str(os.getpid())],
                {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, file, number) for number, file in enumerate((asked, answering, self._said))
                ],
                setpgroup=0,  # Ctrl-C is for the load, which ends in order
            )
            os.setpriority(os.PRIO_PROCESS, process, _NICE)  # at once: it imports much before it works
            self._process = process, os.pidfd_open(process)
        finally:
            os.close(asked)
            os.close(answering)
        self._ask(MAKE, pickle.dumps(fingerprint))

    def want_checksum(self, document: bytes) -> None:
        """Ask for its checksum."""
        self._ask(CHECKSUM, document)
        self._expect()

    def want_marks(self, document: bytes) -> None:
        """Ask for its identity marks."""
        self._ask(MARKS, document)
        self._expect()

    def answers(self) -> Iterator[Made]:
        """Those that have come since the last time."""
        if self.failure:
            return
        self._send()
        while True:
            try:
                data = os.read(self._answers, _CHUNK_BYTES)
            except BlockingIOError:
                break
            if not data:
                self._fail(self._last_words or "it ended")
                break
            self._received += data
            *lines, self._received = self._received.split(b"\n")
            for line in lines:
                self._unanswered -= 1
                self._heard_s = time.monotonic()
                yield msgspec.json.decode(line, type=Made)
        if self._unanswered and time.monotonic() > self._heard_s + self._limit_s:
            self._fail(f"one document took longer than {self._limit_s:g} s")

    def close(self) -> None:
        """End it; safe to call twice."""
        self._fail("it was ended")

    def _ask(self, wanted: bytes, data: bytes) -> None:
        if not self.failure:
            self._to_send += FRAME.pack(wanted, len(data)), memoryview(data)
            self._send()

    def _expect(self) -> None:
        if not self._unanswered:
            self._heard_s = time.monotonic()
        self._unanswered += 1

    def _send(self) -> None:
        while self._to_send and not self.failure:
            data = self._to_send[0]
            try:
                written = os.write(self._asking, data)
            except (BlockingIOError, BrokenPipeError):  # of a broken one the answers' end tells
                return
            if written < len(data):
                self._to_send[0] = data[written:]
            else:
                self._to_send.popleft()

    @property
    def _last_words(self) -> str:
        size = os.fstat(self._said).st_size
        said = os.pread(self._said, _LAST_WORDS_BYTES, max(0, size - _LAST_WORDS_BYTES))
        return said.decode(errors="replace").strip().rpartition("\n")[2]

    def _fail(self, why: str) -> None:
        if self.failure:
            return
        self.failure = why
        self._to_send.clear()
        process, handle = self._process
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        with suppress(ChildProcessError):  # gevent may have waited for it
            os.waitpid(process, 0)
        for file in (self._asking, self._answers, self._said, handle):
            os.close(file)
