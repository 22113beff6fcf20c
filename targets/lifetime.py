"""What keeps child processes and private files from outliving the process that made them, however that one ends."""

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

PR_SET_PDEATHSIG = 1  # linux/prctl.h

# Loaded here because between fork and exec the loader's locks may be held by a thread that does not exist any more.
_libc = ctypes.CDLL(None)

# A line means that the maker is done: remove at once. The end of the pipe without one means that it died: servers that
# die with it get a moment to end in order, since PostgreSQL leaves shared memory behind when its files vanish under it.
_JANITOR = """
read -r _ || sleep 2
tries=100
until rm -rf -- "$1" 2>/dev/null || [ "$tries" -eq 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
done
"""


def die_with_parent(signal_number: int = signal.SIGKILL) -> Callable[[], None]:
    """Make a `preexec_fn` by which the kernel sends `signal_number` to the child as soon as its parent is gone.

    Call it in the process that starts the child. What counts is the end of the *thread* that forks (prctl(2)): start
    children from a thread that lives as long as they shall. Changing the user afterwards undoes it.
    """
    parent = os.getpid()

    def before_exec() -> None:
        # The second half: a parent that died before the call sends no signal any more.
        if _libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(os.EX_OSERR)

    return before_exec


class PrivateDirectory:
    """A directory of mode 0700 for one run; it is gone afterwards, also when its maker was killed with SIGKILL.

    A janitor process listens to a pipe whose other end only the maker holds, and removes the directory when told to or
    when the pipe ends. A child forked without exec holds the pipe as well, and so puts the removal off until its end.
    """

    path: Path

    def __enter__(self) -> Path:
        # Short, because the path of a Unix socket inside it is limited to 107 bytes (unix(7)).
        self.path = Path(tempfile.mkdtemp(prefix="misissue-"))
        read_end, self._held_end = os.pipe()
        try:
            self._janitor = subprocess.Popen(  # noqa: S603 - a constant script
                ["/bin/sh", "-c", _JANITOR, "misissue-janitor", str(self.path)],
                stdin=read_end,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,  # Ctrl-C and a closing terminal are for the maker alone
            )
        except BaseException:
            os.close(self._held_end)
            self.path.rmdir()
            raise
        finally:
            os.close(read_end)
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):  # somebody killed the janitor
            os.write(self._held_end, b"\n")
        os.close(self._held_end)
        self._janitor.wait()
        shutil.rmtree(self.path, ignore_errors=True)  # what a killed janitor left
