"""What the example services in Python have in common: where they listen, and their own word on whom they served."""

import os
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from targets.process import StartError, address

HOST = "127.0.0.1"
Served = Callable[[str, str, str, str], None]
"""Told of a document: request id, who asked, whose it is, kind."""


def port_number(text: str) -> int:
    """To be used as the type of an option."""
    return address(f"{HOST}:{text}")[1]


def add_options(parser: ArgumentParser, defects: Sequence[str]) -> None:
    """Those that every example has: `port`, `defect`, `log`."""
    parser.add_argument("--port", type=port_number, default=8080, help="0 for any free one")
    parser.add_argument("--defect", choices=defects, help="a planted defect")
    parser.add_argument(
        "--log", type=Path, help="file to which a line is added for each document: who asked, whose it is"
    )


def open_log(path: Path | None, stack: ExitStack) -> Served:
    """Lines of JSON, each whole, whichever thread writes it; nothing at all without a file.

    Raises:
        StartError: when there can be no such file.
    """
    if path is None:
        return lambda *_: None
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(
            f"--log: {path} cannot be written ({error.strerror}); name a file in a directory that is there"
        ) from error
    stack.callback(os.close, descriptor)

    def served(nonce: str, asked: str, owner: str, kind: str) -> None:
        line = msgspec.json.encode({"nonce": nonce, "asked": asked, "owner": owner, "kind": kind})
        os.write(descriptor, line + b"\n")

    return served
