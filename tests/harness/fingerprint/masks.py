"""A mask that makes trouble when it is told to."""

import os
import sys
import time
from pathlib import Path
from typing import ClassVar

import msgspec


class SlowToTellError(ValueError):
    """Keeps whoever prints it waiting."""

    def __str__(self) -> str:
        time.sleep(0.5)
        return super().__str__()


class Troubled(msgspec.Struct, frozen=True):
    """Does what the document says, and leaves it as it is.

    Args:
        told: where its process writes its number when it goes to sleep.
    """

    told: str = ""
    is_slow: ClassVar[bool] = True
    name: ClassVar[str] = "troubled"

    def apply(self, content: bytes) -> bytes:
        match content:
            case b"raise":
                raise ValueError("nobody thought of it")
            case b"raise slowly":
                raise SlowToTellError("nobody had the time")
            case b"die":
                os._exit(1)
            case b"say and die":
                print("no more", file=sys.stderr, flush=True)
                os._exit(1)
            case b"say":
                print("{}", flush=True)
            case b"sleep":
                if self.told:
                    Path(self.told).write_text(f"{os.getpid()}\n")
                time.sleep(600)
        return content
