"""What it takes to judge a finished ledger, and to do no more than read or decode the same segments.

Each measurement is a process of its own: the work starts on a fresh heap, as `misissue gate` does, and neither the
garbage collector nor the allocator has anything to do with what was measured before. CPU time counts, because none of
this waits for anything but the disk, and because whoever else uses the machine is not in it.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from harness.evidence.ledger import segments_in
from harness.evidence.segment import Footer, Header
from harness.gate import decide
from harness.records import Evidence
from targets.lifetime import die_with_parent
from tests.benchmarks.sides import ROOT

Work = Literal["read", "decode", "judge"]
_PIECE_BYTES = 128 * 1024


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a piece of work took.

    Args:
        cpu_ns, wall_ns: without starting the process.
        start_bytes, peak_bytes: resident memory of the process before it, and at its highest.
        found: how many bytes were read, how many lines were decoded, or the verdict.
    """

    cpu_ns: int
    wall_ns: int
    start_bytes: int
    peak_bytes: int
    found: int | str


def measure(work: Work, directory: Path) -> Cost:
    """Do it once on this run directory, in a fresh process."""
    command = [sys.executable, "-m", "tests.benchmarks.costs", work, str(directory)]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=die_with_parent()
    )
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=Cost)


def resident_bytes(pid: int | str, field: str = "VmRSS") -> int:
    """Memory of a process as proc(5) tells it: VmRSS is that of now, VmHWM the highest since it was started."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def _read(directory: Path) -> int:
    """Every byte, as `cat` to nowhere."""
    total = 0
    for path in segments_in(directory):
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE_BYTES):
                total += len(piece)
    return total


def _decode(directory: Path) -> int:
    """Every line by msgspec alone; nothing is kept."""
    decode = msgspec.json.Decoder(Header | Footer | Evidence).decode
    lines = 0
    for path in segments_in(directory):
        with path.open("rb") as file:
            for line in file:
                decode(line)
                lines += 1
    return lines


def _judge(directory: Path) -> str:
    """From the ledger to the verdict, which is not written."""
    return decide(directory).verdict


_WORKS: dict[str, Callable[[Path], int | str]] = {"read": _read, "decode": _decode, "judge": _judge}


def main() -> None:
    """Do what the first argument names with the directory that the second one names, and tell the cost."""
    work, directory = _WORKS[sys.argv[1]], Path(sys.argv[2])
    start_bytes = resident_bytes("self")
    cpu_ns, wall_ns = time.process_time_ns(), time.monotonic_ns()
    found = work(directory)
    cost = Cost(
        cpu_ns=time.process_time_ns() - cpu_ns,
        wall_ns=time.monotonic_ns() - wall_ns,
        start_bytes=start_bytes,
        peak_bytes=resident_bytes("self", "VmHWM"),
        found=found,
    )
    sys.stdout.buffer.write(msgspec.json.encode(cost))


if __name__ == "__main__":
    main()
