"""A load process stays as large as it is, however long it is at work."""

import subprocess
import sys
from pathlib import Path

import pytest

from targets.lifetime import die_with_parent
from tests.benchmarks.costs import resident_bytes
from tests.benchmarks.synthetic_run import SyntheticRun

GROWTH_WANTED = 1.1
_PRINTS = 200_000
_TAKES_MORE = """
import mmap, sys
kept = []
for line in sys.stdin:
    kept.append((b"x" * int(line), mmap.mmap(-1, 10**9)))
    print(len(kept), flush=True)
"""

both_roles = pytest.mark.parametrize("processes", [None, 1], ids=["alone", "worker"])


def memory_bytes(directory: Path, processes: int | None, prints: int) -> tuple[int, int]:
    """Resident memory of one load process when it has recorded so many prints, and when it has ten times as many."""
    with SyntheticRun(directory, processes=processes, applications=10 * prints) as run:
        early, late = (resident_bytes(run.wait_for_attempts(wanted)) for wanted in (prints, 10 * prints))
    return early, late


@pytest.mark.bench
@pytest.mark.timeout(1200)
@both_roles
def test_memory_is_flat(run_path: Path, processes: int | None) -> None:
    """A load process that has recorded two million prints is at most a tenth larger than with a tenth of them."""
    early, late = memory_bytes(run_path, processes, _PRINTS)
    print(
        f"\nresident after {_PRINTS} prints: {early / 1e6:.1f} MB; after ten times as many: {late / early:.3f} of that"
    )
    assert late <= GROWTH_WANTED * early


@both_roles
def test_memory_of_the_load(run_path: Path, processes: int | None) -> None:
    """Short twin: what is measured is a process that has imported Locust and recorded what it was asked to."""
    early, late = memory_bytes(run_path, processes, 2000)
    assert early > 30e6
    assert late <= 1.5 * early  # its 64 documents of 60 KB come in


def test_growth_is_seen() -> None:
    """Short twin: what a process fills shows in its resident memory, what it only reserves does not."""
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKES_MORE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(),
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        sizes = []
        for taken in (1_000_000, 50_000_000):
            print(taken, file=process.stdin, flush=True)
            process.stdout.readline()
            sizes.append(resident_bytes(process.pid))
    assert 49e6 < sizes[1] - sizes[0] < 100e6
    assert sizes[1] > GROWTH_WANTED * sizes[0]
