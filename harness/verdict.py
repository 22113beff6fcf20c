"""What a verdict says, as verdict.json has it, and the exit codes that tell it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from harness.criteria import Criterion
from harness.evidence.ledger import VERDICT_FILE, write_json
from harness.incident import Incident, RetriedError
from harness.measures import Latency
from harness.reason import Reason
from harness.records import Record

EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
EXIT_USAGE = 2
EXIT_DIED = 4
VERDICT_SCHEMA: Final = 1
"""Version of verdict.json; docs/verdict.schema.json is its JSON Schema."""


class Bound(Record, frozen=True, kw_only=True):
    """With `confidence`, the chance of a misissuance in one `unit` is at most `upper`, given `events` in `n`.

    An exposure counts once a sync run, because the prints of one sync run are not independent of one another. Of a
    service that synchronises nothing it is a pair of prints, each of which counts once.
    """

    confidence: float
    unit: str
    n: int
    events: int
    upper: float


class CellCount(Record, frozen=True, kw_only=True, omit_defaults=False):
    """How often a coverage cell was hit.

    Args:
        sync_runs: that hit it; misissuances: those of them to which an incident is charged.
        upper: bound on the chance of a misissuance in such a sync run; 1 where there was none.
    """

    phase: str
    states: tuple[str, ...]
    sync_runs: int
    misissuances: int
    upper: float


class ProcessCount(Record, frozen=True, kw_only=True, omit_defaults=False):
    """Attempts of one load process: issued = judged + failed + in_flight_at_stop.

    Args:
        judged: those that ended with a document or a refusal, failed: with anything else.
        self_test: "caught", "missed", or "none" when no wrong image was planted.
    """

    issued: int
    judged: int
    failed: int
    in_flight_at_stop: int
    self_test: Literal["caught", "missed", "none"]


class Verdict(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What verdict.json says.

    Args:
        outcomes: number of applications for each of the sixteen outcomes; outcomes_by_kind: the same for each kind of
            document that was applied for, as far as there were any.
        papers: misissued documents that were handed out (件); persons: people whose data a stranger got (名).
        with_my_number: misissued papers that show a My Number.
        prints_judged: documents that were handed out and judged.
        processes: by load segment.
        may_have_printed: attempts whose answer was not seen whole, so that they may have been handed out.
        resends: attempts that the client sent more than once; None where the service does not tell.
        late_starts, rate_share: against the plan of arrivals; None without one.
        sync_runs_met: sync runs during which at least one print was in flight.
        cells: every coverage cell, also those that were never hit; none of a service that synchronises nothing.
        retried_errors: errors that were closed as "re-applied, printed normally", with who was in flight beside.
    """

    schema: Literal[1] = VERDICT_SCHEMA
    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE"]
    exit_code: int
    reasons: tuple[Reason, ...]
    profile: str
    target: str
    seed: int
    parameters: Mapping[str, object]
    outcomes: Mapping[str, int]
    outcomes_by_kind: Mapping[str, Mapping[str, int]]
    papers: int
    persons: int
    with_my_number: int
    prints_judged: int
    error_notices: int
    processes: Mapping[str, ProcessCount]
    in_flight_at_stop: int
    may_have_printed: int
    resends: int | None
    late_starts: int | None
    rate_share: float | None
    latency: Latency
    sync_runs: int
    sync_runs_met: int
    exposures: int
    bound: Bound
    cells: tuple[CellCount, ...]
    criteria: tuple[Criterion, ...]
    incidents: tuple[Incident, ...]
    retried_errors: tuple[RetriedError, ...]

    @property
    def cells_hit(self) -> int:
        """Coverage cells that some sync run hit."""
        return sum(cell.sync_runs > 0 for cell in self.cells)

    @property
    def synchronises(self) -> bool:
        """Whether the service synchronises anything, so that exposures and cells are those of sync runs."""
        return bool(self.cells)


def write_verdict(directory: Path, verdict: Verdict) -> None:
    """Write verdict.json."""
    write_json(directory / VERDICT_FILE, verdict)
