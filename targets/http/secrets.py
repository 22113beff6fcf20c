"""Secrets of a target: read when they are needed, shown nowhere."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.target import TargetError
from targets.http.models import SecretTable


def read_secrets(
    tables: Mapping[str, SecretTable], directory: Path, tell: Callable[[tuple[str, ...], str], str]
) -> dict[str, str]:
    """Placeholder `secret:NAME` -> its value.

    Args:
        directory: from which the names of files count.
        tell: makes the message about a key of the description.

    Raises:
        TargetError: naming the secret and where it was looked for, never what it is.
    """
    found = {}
    for name, table in tables.items():
        value, place = _read(table, directory)
        if not value:
            raise TargetError(tell(("secrets", name), f"{place}; right is to put the secret there before the run"))
        if not value.isprintable():
            raise TargetError(tell(("secrets", name), "has a line break or the like in it; right is one line of text"))
        found[f"secret:{name}"] = value
    return found


def _read(table: SecretTable, directory: Path) -> tuple[str, str]:
    """The secret, and what is wrong when it is empty."""
    if table.env is not None:
        return os.environ.get(table.env, ""), f"the variable {table.env} is not set"
    path = directory / (table.file or "")
    try:
        return path.read_text(encoding="utf-8").strip(), f"{path} is empty"
    except (OSError, UnicodeDecodeError, ValueError):
        return "", f"{path} cannot be read"
