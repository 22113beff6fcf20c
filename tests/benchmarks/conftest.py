"""What the benchmarks share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def run_path(tmp_path: Path) -> Iterator[Path]:
    """For a run directory of gigabytes, which pytest would keep for three sessions."""
    yield tmp_path / "run"
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
