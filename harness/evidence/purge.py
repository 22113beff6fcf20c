"""Takes the documents out of runs that were looked into: they are personal data, and the ledger needs none of them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from harness.evidence.ledger import INCIDENT_DIRECTORY, LedgerError, read_run

DOCUMENT_SUFFIX = ".document"
"""Of everything that a run keeps of documents; see `harness.evidence.recorder`."""


def kept_documents(directory: Path) -> list[Path]:
    """The documents that a run has kept, by name: regular files in its own directory, and never what a link leads to.

    Raises:
        LedgerError: when it is no run directory, or cannot be read.
    """
    read_run(directory)
    incidents = directory / INCIDENT_DIRECTORY
    try:
        return sorted(_documents(incidents))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerError(f"{incidents} cannot be read: {error.strerror}") from error


def remove(document: Path) -> None:
    """Remove one of them.

    Raises:
        LedgerError: when it cannot be removed.
    """
    try:
        document.unlink()
    except OSError as error:
        raise LedgerError(f"{document} cannot be removed: {error.strerror}") from error


def _documents(incidents: Path) -> Iterator[Path]:
    if not stat.S_ISDIR(incidents.lstat().st_mode):
        return
    with os.scandir(incidents) as entries:
        for entry in entries:
            if entry.name.endswith(DOCUMENT_SUFFIX) and entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
