"""stdout, for people."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Any

from rich.console import Console


class Screen(Console):
    """What it does not take, because its reader has gone or a disk is full, is told on stderr, once.

    No exit code changes by it, as by no report: rich would end the process with 1, which reads as FAIL.
    """

    def __init__(self) -> None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # of a letter that it does not have, its number
        super().__init__(highlight=False, soft_wrap=True, markup=False, emoji=False)

    def print(self, *objects: Any, **how: Any) -> None:
        """See `Console`."""
        try:
            super().print(*objects, **how)
            self.file.flush()
        except OSError as error:
            with suppress(OSError):
                print(f"misissue: not all was shown on stdout: {error.strerror}", file=sys.stderr)
            # What follows, and what is left in a buffer for the end of the process.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.file.fileno())
            os.close(nowhere)

    def on_broken_pipe(self) -> None:
        """Called while the error is being handled."""
        raise
