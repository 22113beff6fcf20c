"""Work that takes seconds, such as reading a ledger or drawing a document: done by processes of their own.

The greenlets that make the load go on meanwhile. A process is spawned and not forked: forking holds up all of them for
as long as it takes to copy the page tables, which was measured as 8 ms where spawning took 1 ms.
"""

import os
import signal
import sys
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import gevent
from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore

_AT_MOST_S = 300.0
_KEPT = 32
_ERROR_BYTES = 4096


class SlowError(Exception):
    """Raised when the process ended without a result; says what it said last."""


class _Job(NamedTuple):
    """What will not change is not made of what was there before that was so."""

    module: str
    arguments: tuple[str, ...]
    keep: bool


class SlowWork:
    """Runs one process at a time, and keeps what will not change.

    Whoever asks for what is being made already gets the same.
    """

    def __init__(self) -> None:
        self._turn = BoundedSemaphore(1)
        self._under_way: dict[_Job, AsyncResult[bytes]] = {}
        self._kept: OrderedDict[_Job, bytes] = OrderedDict()

    def run(self, module: str, *arguments: str, told: bytes = b"", keep: bool = False) -> bytes:
        """What `python -m module arguments` writes to its standard output.

        Args:
            told: what it reads from its standard input.
            keep: the result is the same for ever.

        Raises:
            SlowError: when it ends with another exit code than 0, or takes too long.
        """
        job = _Job(module, arguments, keep)
        if job in self._kept:
            return self._kept[job]
        under_way = self._under_way.get(job)
        if under_way is not None:
            result: bytes = under_way.get()
            return result
        mine = self._under_way[job] = AsyncResult()
        try:
            with self._turn:
                result = _run((sys.executable, "-m", module, *arguments), told)
        except BaseException as error:
            mine.set_exception(error if isinstance(error, SlowError) else SlowError("it was given up"))
            raise
        finally:
            del self._under_way[job]
        mine.set(result)
        if keep:
            self._kept[job] = result
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return result


def _run(command: Sequence[str], told: bytes) -> bytes:
    """Raises: SlowError."""
    # In memory: what comes out of it is personal data, and leaves no file.
    files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
    try:
        os.pwrite(files[0], told, 0)
        code = _wait(command, files)
        error = os.pread(files[2], _ERROR_BYTES, max(0, os.fstat(files[2]).st_size - _ERROR_BYTES)).decode(
            errors="replace"
        )
        if code != 0:
            raise SlowError(error.strip().rpartition("\n")[2] or f"it ended with {code}")
        return os.pread(files[1], os.fstat(files[1]).st_size, 0)
    finally:
        for file in files:
            os.close(file)


def _wait(command: Sequence[str], files: Sequence[int]) -> int:
    """The exit code, or minus the signal."""
    hub = gevent.get_hub()
    hub.loop.install_sigchld()
    process = os.posix_spawnp(
        "nice",  # the load comes first
        ["nice", "-n", "19", *command],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, file, number) for number, file in enumerate(files)],
    )
    watcher = hub.loop.child(process)
    try:
        with gevent.Timeout(_AT_MOST_S, SlowError(f"it took longer than {_AT_MOST_S:g} s")):
            hub.wait(watcher)
    except BaseException:
        os.kill(process, signal.SIGKILL)
        hub.wait(watcher)
        raise
    return os.waitstatus_to_exitcode(watcher.rstatus)
