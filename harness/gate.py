"""The gate: from evidence to a verdict. Pure but for reading the run directory; fails closed.

PASS is said only of a run whose evidence is whole, in which a document was judged, nothing was left undecided, and the
condition that the run was made to provoke really occurred. It always comes with the bound that so many exposures
without a misissuance prove, never with a bare "no defect found".
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from harness.bound import upper_bound
from harness.evidence import RunEvidence, read_evidence
from harness.incident import Incident, find_incidents
from harness.ledger import VERDICT_FILE, write_json
from harness.oracle import Judgement, judge
from harness.outcome import Outcome, combine
from harness.overlap import exposures, exposures_from_outside, runs_met
from harness.records import Print, Record

EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
EXIT_USAGE = 2
EXIT_DIED = 4


class Bound(Record, frozen=True, kw_only=True):
    """With `confidence`, the chance of a misissuance in one `unit` is at most `upper`, given `events` in `n`."""

    confidence: float
    unit: str
    n: int
    events: int
    upper: float


class Verdict(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What verdict.json says.

    Args:
        outcomes: number of applications for each of the sixteen outcomes.
        papers: misissued documents that were handed out (件); persons: people whose data a stranger got (名).
        with_my_number: misissued papers that show a My Number.
        prints_judged: documents that were handed out and judged.
        sync_runs_met: sync runs during which at least one print was in flight.
    """

    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE"]
    exit_code: int
    reasons: tuple[str, ...]
    profile: str
    target: str
    seed: int
    parameters: Mapping[str, object]
    outcomes: Mapping[str, int]
    papers: int
    persons: int
    with_my_number: int
    prints_judged: int
    error_notices: int
    in_flight_at_stop: int
    sync_runs: int
    sync_runs_met: int
    exposures: int
    bound: Bound
    incidents: tuple[Incident, ...]


def decide(directory: Path) -> Verdict:
    """The verdict on a run directory, from its ledger alone.

    Raises:
        LedgerError: when the directory is no run directory.
    """
    return evaluate(read_evidence(directory))


def write_verdict(directory: Path, verdict: Verdict) -> None:
    """Write verdict.json."""
    write_json(directory / VERDICT_FILE, verdict)


def evaluate(evidence: RunEvidence) -> Verdict:
    """Judge every print and weigh the whole."""
    judged: list[tuple[Print, Judgement]] = []
    outcomes: dict[str, Outcome] = {}
    for application, attempts in evidence.applications.items():
        judgements = [judge(print_, evidence.register) for print_ in attempts]
        judged += zip(attempts, judgements, strict=True)
        outcomes[application] = combine(judgement.outcome for judgement in judgements)
    incidents = find_incidents(evidence, judged, outcomes)
    prints = evidence.prints
    exposed = (
        exposures(evidence.sync_runs, evidence.events)
        if evidence.run.shows_points
        else exposures_from_outside(evidence.sync_runs, prints)
    )
    prints_judged = sum(print_.answer == "document" for print_ in prints)
    counts = Counter(outcomes.values())
    reasons, verdict = _weigh(evidence, counts, prints_judged=prints_judged, exposed=len(exposed))
    hit = len({incident.sync_run or incident.nonce for incident in incidents})
    n, events = len(exposed), min(hit, len(exposed))
    confidence = evidence.run.criteria.confidence
    return Verdict(
        verdict=verdict,
        exit_code=EXIT_DIED if evidence.run.died and verdict != "FAIL" else EXIT_CODES[verdict],
        reasons=tuple(reasons),
        profile=evidence.run.profile,
        target=evidence.run.target,
        seed=evidence.run.seed,
        parameters=evidence.run.parameters,
        outcomes={outcome.value: counts[outcome] for outcome in Outcome},
        papers=sum(incident.papers for incident in incidents),
        persons=len({owner for incident in incidents for owner in incident.exposed_persons}),
        with_my_number=sum(incident.my_number for incident in incidents),
        prints_judged=prints_judged,
        error_notices=len(evidence.notices),
        in_flight_at_stop=evidence.in_flight,
        sync_runs=len(evidence.sync_runs),
        sync_runs_met=runs_met(evidence.sync_runs, prints),
        exposures=n,
        bound=Bound(
            confidence=confidence, unit="exposure", n=n, events=events, upper=upper_bound(events, n, confidence)
        ),
        incidents=incidents,
    )


def _weigh(
    evidence: RunEvidence, counts: Counter[Outcome], *, prints_judged: int, exposed: int
) -> tuple[list[str], Literal["PASS", "FAIL", "INCONCLUSIVE"]]:
    failures = [
        f"{counts[outcome]} print(s) ended as {outcome.value}"
        for outcome in Outcome
        if outcome.is_misissue and counts[outcome]
    ]
    errors = counts[Outcome.ERROR_FINAL] + counts[Outcome.ERROR_RETRIED_OK]
    limit, total = evidence.run.criteria.max_error_share, counts.total()
    if limit is not None and total and errors / total > limit:
        failures.append(
            f"{errors} of {total} applications met an error, more than the share of {limit:g} that is allowed"
        )
    unknown = [f"evidence: {fault}" for fault in evidence.faults]
    if evidence.run.died:
        unknown.insert(0, evidence.run.died)
    if counts[Outcome.UNDECIDED]:
        unknown.append(f"{counts[Outcome.UNDECIDED]} print(s) could not be decided")
    if not prints_judged:
        unknown.append("no whole document was judged")
    if not exposed:
        unknown.append("no exposure: the condition that the run is made to provoke never occurred")
    if evidence.in_flight:
        unknown.append(f"{evidence.in_flight} print(s) were still in flight at the stop and may have been handed out")
    if failures:
        return failures + unknown, "FAIL"
    if unknown:
        return unknown, "INCONCLUSIVE"
    return [f"{prints_judged} documents judged, {exposed} exposures, no misissuance, nothing undecided"], "PASS"
