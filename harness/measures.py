"""The figures of a run: what its criteria are checked against, and what its report shows. Pure."""

import numpy as np
from numpy.typing import NDArray

from harness.criteria import Metrics
from harness.evidence.prints import Prints
from harness.evidence.reader import RunEvidence
from harness.judging import Judged
from harness.outcome import Outcome
from harness.records import Record

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper bounds of the buckets in which latency is counted while a run goes on, closed."""
LATE_NS = 10_000_000
"""A print that is sent so much later than the plan of arrivals wanted is a late start."""


class Latency(Record, frozen=True, kw_only=True, omit_defaults=False):
    """Percentiles of the time from the intended start to the answer, seconds.

    Over the attempts that brought a document and those that got no whole answer, which took at least until the client
    gave up: a service that hangs must not look quick. So each application that the plan of arrivals holds and that was
    never made, because all who could make it were waiting, counts as slower than any that was; of whatever kind it
    would have been. Exact: each is a time that one of them took. None without any, or where it is one never made.
    """

    p50_s: float | None
    p95_s: float | None
    p99_s: float | None


def latency(prints: Prints, rows: NDArray[np.bool_], never_made: int = 0) -> Latency:
    """Of these rows, and of so many applications that were never made."""
    taken_ns = np.sort(prints.latency_ns[rows & prints.answered_with("document", "unanswered")])
    if not len(taken_ns):
        return Latency(p50_s=None, p95_s=None, p99_s=None)
    ranks = [-(-(len(taken_ns) + never_made) * percent // 100) for percent in (50, 95, 99)]
    p50, p95, p99 = (int(taken_ns[rank - 1]) / 1e9 if rank <= len(taken_ns) else None for rank in ranks)
    return Latency(p50_s=p50, p95_s=p95, p99_s=p99)


def late_starts(evidence: RunEvidence) -> int | None:
    """Prints that were sent later than the plan of arrivals wanted; None without such a plan."""
    if evidence.run.planned_prints is None:
        return None
    return int((evidence.prints.late_ns > LATE_NS).sum())


def rate_share(evidence: RunEvidence, judged: Judged) -> float | None:
    """Applications that were made, as a share of those that the plan of arrivals holds; None without such a plan."""
    planned = evidence.run.planned_prints
    return len(judged.last) / planned if planned else None


def may_have_printed(prints: Prints) -> int:
    """Attempts whose answer the client did not see whole."""
    return int(prints.answered_with("unanswered").sum())


def documents(prints: Prints) -> int:
    """Prints that brought a document."""
    return int(prints.answered_with("document").sum())


def metrics(evidence: RunEvidence, judged: Judged, *, exposures: int, cells: int, bound: float) -> Metrics:
    """The value of every metric that the run gives one, for all kinds of documents together and for each."""
    prints, planned_changes = evidence.prints, evidence.run.planned_changes
    never_made = max(0, (evidence.run.planned_prints or 0) - len(judged.last))
    found: dict[tuple[str, str], float | None] = {
        ("bound", ""): bound,
        ("exposures", ""): exposures,
        ("cells", ""): cells,
        ("sync_runs", ""): len(evidence.sync_runs),
        ("late_starts", ""): late_starts(evidence),
        ("resends", ""): evidence.events.resends() if evidence.run.shows_points else None,
        ("may_have_printed", ""): may_have_printed(prints),
        ("rate_share", ""): rate_share(evidence, judged),
        ("change_rate_share", ""): evidence.changes / planned_changes if planned_changes else None,
    }
    found |= _of_kind(prints, judged, "", np.ones(len(prints), dtype=np.bool_), never_made)
    for kind in prints.kinds:
        found |= _of_kind(prints, judged, kind, prints.of_kind(kind), never_made)
    return found


def _of_kind(
    prints: Prints, judged: Judged, kind: str, rows: NDArray[np.bool_], never_made: int
) -> dict[tuple[str, str], float | None]:
    counts = judged.counts(judged.last[rows[judged.last]])
    errors = counts[Outcome.ERROR_FINAL] + counts[Outcome.ERROR_RETRIED_OK]
    total = counts.total()
    taken = latency(prints, rows, never_made)
    return {
        **{(outcome.value, kind): counts[outcome] if total else None for outcome in Outcome},
        ("error_share", kind): errors / total if total else None,
        ("prints", kind): int((rows & prints.answered_with("document")).sum()),
        ("p50_s", kind): taken.p50_s,
        ("p95_s", kind): taken.p95_s,
        ("p99_s", kind): taken.p99_s,
    }
