"""Secrets of a target: read when they are needed, shown nowhere."""

import os
from collections.abc import Mapping
from pathlib import Path

from harness.target import TargetError
from targets.http.models import SecretTable


def read_secrets(tables: Mapping[str, SecretTable], directory: Path) -> dict[str, str]:
    """Placeholder `secret:NAME` -> its value.

    Args:
        directory: from which the names of files count.

    Raises:
        TargetError: naming the secret and where it was looked for, never what it is.
    """
    found = {}
    for name, table in tables.items():
        if table.env is not None:
            value = os.environ.get(table.env)
            if not value:
                raise TargetError(
                    f"secrets.{name}: the variable {table.env} is not set; right is to export it before the run"
                )
        else:
            path = directory / (table.file or "")
            try:
                value = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise TargetError(
                    f"secrets.{name}: {path} cannot be read; right is a file that holds the secret alone"
                ) from error
            if not value:
                raise TargetError(f"secrets.{name}: {path} is empty; right is a file that holds the secret alone")
        found[f"secret:{name}"] = value
    return found
