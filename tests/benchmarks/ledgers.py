"""Run directories of any size, as a long run of two load processes would have left them.

Every two milliseconds somebody applies and is served after twenty, so about ten prints are in flight at any time. The
sync runs come one after the other and take two fifths of the time; some of them apply a change, from which on the
people concerned get documents of the new version. One attempt in a hundred ends in an error and is made again, some
people are refused a kind. Where the service shows its points, its three slots are busy and waited for all the time, so
that every sync run meets an exposure.
"""

from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path
from random import Random

import msgspec

from harness.criteria import Criteria
from harness.fingerprint import checksum, sha256
from harness.ledger import (
    LOAD_PREFIX,
    RUN_FILE,
    TARGET_SEGMENT,
    SegmentWriter,
    create_run_directory,
    write_json,
)
from harness.records import Change, Document, ErrorNotice, Group, Print, PrintEvent, Refusal, SelfTest, SyncRun
from tests.harness.builders import CLOCK, RUN, describe

GROUPS = 400
SPACING_NS = 2_000_000
_KINDS = (("juminhyo", ()), ("juminhyo", ("my_number",)), ("inkan", ()), ("koseki", ()), ("tax", ()))
_OF_HOUSEHOLD = frozenset({"juminhyo", "koseki"})
_LOADS = f"{LOAD_PREFIX}1", f"{LOAD_PREFIX}2"
_SLOTS = "1", "2", "3"
_START_NS = 10**12
_TAKES_NS = 20_000_000
_JITTER_NS = 200_000
_READ_NS = 14_000_000
# A slot serves somebody every 6 ms: who waits in it from 3 to 9 ms meets the one before, who is read back at 8 ms.
_POINTS = (
    ("applied", 500_000),
    ("rendered", 2_000_000),
    ("waiting", 3_000_000),
    ("staged", 9_000_000),
    ("written", 10_000_000),
    ("read", _READ_NS),
    ("delivered", 16_000_000),
)
_POINTS_OF_ERROR, _POINTS_OF_REFUSAL = 3, 1
_ERROR_SHARE = 0.01
_SYNC_SHARE = 0.4
_RUNS_PER_CHANGE = 5
_SIZE_BYTES = 60 * 1024


class Written(msgspec.Struct, kw_only=True):
    """How much a ledger holds; planted prints are counted nowhere but in `wrong`, self-tests not at all."""

    applications: int = 0
    documents: int = 0
    refusals: int = 0
    errors: int = 0
    events: int = 0
    changes: int = 0
    wrong: int = 0


def write_ledger(
    directory: Path, *, prints: int, sync_runs: int, shows_points: bool, wrong: int = 0, seed: int = 20230430
) -> Written:
    """Write a run directory whose verdict is PASS, or FAIL where some are handed a stranger's document.

    Args:
        prints: attempts, re-applications included; at least one for each sync run.
        wrong: how many of the documents are a stranger's, evenly spread.
    """
    create_run_directory(directory)
    author = _Author(directory, prints, sync_runs, shows_points, Random(seed))
    author.write(set(range(prints // 2, prints, max(1, prints // (2 * wrong + 1)))) if wrong else set(), wrong)
    run = describe(
        segments=(TARGET_SEGMENT, *_LOADS),
        criteria=Criteria(),
        started_ns=_START_NS,
        planned_s=prints * SPACING_NS / 1e9,
        planned_changes=author.written.changes,
        shows_points=shows_points,
        seed=seed,
    )
    write_json(directory / RUN_FILE, run)
    return author.written
