"""`misissue gate` on the ledger of a very long run: ten million prints, a hundred thousand sync runs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from harness.evidence.ledger import segments_in
from targets.lifetime import die_with_parent
from tests.benchmarks.costs import measure
from tests.benchmarks.ledgers import write_ledger
from tests.benchmarks.sides import ROOT

_PRINTS, _PRINTS_A_SYNC_RUN = 10_000_000, 100


class Gated(msgspec.Struct, frozen=True, kw_only=True):
    """What the command did.

    Args:
        wall_s: from its start to its end.
        peak_bytes: its highest resident memory; at least that of whoever started it, because getrusage(2) counts from
            the fork.
        said: standard output.
    """

    exit_code: int
    wall_s: float
    peak_bytes: int
    said: str


def run_gate(directory: Path) -> Gated:
    """`misissue gate` on the run directory."""
    said = directory.with_suffix(".said")
    began_s = time.monotonic()
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", "gate", str(directory)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(),
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Gated(
        exit_code=process.returncode,
        wall_s=time.monotonic() - began_s,
        peak_bytes=usage.ru_maxrss * 1024,
        said=said.read_text(),
    )


def gate_and_tell(directory: Path, prints: int, *, shows_points: bool) -> None:
    """Write a ledger of that size, let the command pass it, and tell what that took."""
    written = write_ledger(directory, prints=prints, sync_runs=prints // _PRINTS_A_SYNC_RUN, shows_points=shows_points)
    read, decoded = measure("read", directory), measure("decode", directory)
    gated = run_gate(directory)
    size_bytes = sum(path.stat().st_size for path in segments_in(directory))
    print(
        f"\n{prints} prints, {written.events} events, {size_bytes / 1e9:.2f} GB of segments",
        f"misissue gate:          {gated.wall_s:.1f} s, peak {gated.peak_bytes / 1e9:.2f} GB",
        f"reading the files:      {read.wall_ns / 1e9:.2f} s; the gate takes {gated.wall_s / read.wall_ns * 1e9:.0f} x",
        f"decoding them:          {decoded.wall_ns / 1e9:.2f} s; it takes {gated.wall_s / decoded.wall_ns * 1e9:.2f} x",
        sep="\n",
    )
    assert gated.exit_code == 0, gated.said
    assert read.found == size_bytes
    assert f"{written.documents} documents judged" in gated.said
    assert written.attempts == prints


@pytest.mark.bench
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("shows_points", [False, True], ids=["from_outside", "with_points"])
def test_ten_million(run_path: Path, *, shows_points: bool) -> None:
    """A ledger of ten million prints and a hundred thousand sync runs is judged to its end, and passes."""
    gate_and_tell(run_path, _PRINTS, shows_points=shows_points)


@pytest.mark.parametrize("shows_points", [False, True], ids=["from_outside", "with_points"])
def test_twenty_thousand(run_path: Path, *, shows_points: bool) -> None:
    """Short twin: the command judges the whole ledger of twenty thousand prints, and passes."""
    gate_and_tell(run_path, 20_000, shows_points=shows_points)


def test_gate_fails(run_path: Path) -> None:
    """Short twin: the command does not pass such a ledger when strangers were handed a document."""
    write_ledger(run_path, prints=2000, sync_runs=20, shows_points=False, wrong=2)
    gated = run_gate(run_path)
    assert gated.exit_code == 1
    assert "2 print(s) ended as wrong_person" in gated.said
