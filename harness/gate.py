"""The gate: from evidence to a verdict. Pure but for reading the run directory; fails closed.

PASS is said only of a run whose evidence is whole, whose self-test was caught, in which a document was judged, nothing
was left undecided, and the condition that the run was made to provoke really occurred. It always comes with the bound
that so many exposures without a misissuance prove, never with a bare "no defect found".
"""

import gc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from harness.bound import upper_bound
from harness.coverage import OUTSIDE_CELLS, POINT_CELLS, Cell, Runs, cells_from_outside, cells_from_points
from harness.criteria import Criteria, Limit, Metrics, check, reason_of
from harness.evidence.completeness import faults_of, repeated_sync_runs
from harness.evidence.prints import Interval
from harness.evidence.reader import RunEvidence, read_evidence
from harness.incident import Incident, describe_errors, find_incidents
from harness.judging import Judged, judge_all
from harness.measures import Latency, documents, late_starts, may_have_printed, metrics, rate_share
from harness.oracle import judge
from harness.outcome import Outcome
from harness.overlap import Exposure, exposures, exposures_from_outside, exposures_in_flight, runs_met
from harness.pool import Meetings
from harness.reason import Reason, make_reason
from harness.verdict import EXIT_CODES, EXIT_DIED, Bound, CellCount, ProcessCount, Verdict

RATE_SHARE = 0.95
"""What a plan of arrivals has to be kept to unless a criterion says otherwise."""
_LARGE_BLOCK_BYTES = 8 * 1024 * 1024


class Decision(NamedTuple):
    """A verdict with all that it was made from, for whoever shows more of a run than the verdict says.

    Args:
        exposures: in order of their instant.
    """

    evidence: RunEvidence
    judged: Judged
    exposures: list[Exposure]
    verdict: Verdict


def decide(*directories: Path, criteria: Criteria | None = None) -> Verdict:
    """The verdict of `examine`."""
    with _collector_at_rest():  # until all that the verdict was made from is gone again
        return examine(*directories, criteria=criteria).verdict


def examine(*directories: Path, criteria: Criteria | None = None) -> Decision:
    """Read a run and decide on it, from its ledger alone.

    Args:
        directories: of the run; behind it those of load processes whose segments were not collected.
        criteria: in place of those that the run was made with.

    Raises:
        LedgerError: when the first is no run directory.
    """
    limit_s = criteria.freshness_limit_s if criteria is not None else None
    with _collector_at_rest():
        _keep_freed_memory()
        evidence = read_evidence(*directories, freshness_limit_s=limit_s)
        return evaluate(evidence, evidence.run.criteria if criteria is None else criteria)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Evidence holds millions of objects and no cycle: to walk through them again and again would find nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _keep_freed_memory() -> None:
    """Let the process use again what it has freed, for to be given each page anew costs more than many a column.

    The C library gives back what is free beyond twice the largest block that was freed so far (mallopt(3), on
    M_MMAP_THRESHOLD): it is shown one that is larger than most columns, and of which no page is ever touched.
    """
    np.empty(_LARGE_BLOCK_BYTES, dtype=np.uint8)


def evaluate(evidence: RunEvidence, criteria: Criteria) -> Decision:
    """Judge every print and weigh the whole."""
    judged = judge_all(evidence.prints, evidence.register)
    incidents = find_incidents(evidence, judged)
    in_service = evidence.prints.in_service
    exposed, met = _exposures(evidence, in_service)
    bound = _bound(incidents, len(exposed), criteria.confidence)
    cells = _cells(evidence, in_service, incidents, criteria.confidence)
    processes = _processes(evidence)
    cells_hit = sum(cell.sync_runs > 0 for cell in cells)
    values = metrics(evidence, judged, exposures=len(exposed), cells=cells_hit, bound=bound.upper)
    checked = check(_with_defaults(criteria, evidence), values)
    counts = judged.counts()
    failures = [*_misissuances(counts), *(reason_of(one) for one in checked if one.result == "broken")]
    unknown = [
        *_incompleteness(evidence, processes, criteria),
        *_too_little(evidence, counts, len(exposed)),
        *(reason_of(one) for one in checked if one.result == "unknown"),
    ]
    word: Literal["PASS", "FAIL", "INCONCLUSIVE"] = "FAIL" if failures else "INCONCLUSIVE" if unknown else "PASS"
    verdict = Verdict(
        verdict=word,
        exit_code=EXIT_DIED if evidence.run.died and word != "FAIL" else EXIT_CODES[word],
        reasons=tuple(failures + unknown) or _what_was_shown(evidence, bound, cells_hit, len(cells), criteria),
        profile=evidence.run.profile,
        target=evidence.run.target,
        seed=evidence.run.seed,
        parameters=evidence.run.parameters,
        outcomes={outcome.value: counts[outcome] for outcome in Outcome},
        outcomes_by_kind={kind: _counted(values, kind) for kind in evidence.prints.kinds},
        papers=sum(incident.papers for incident in incidents),
        persons=len({owner for incident in incidents for owner in incident.exposed_persons}),
        with_my_number=sum(incident.my_number for incident in incidents),
        prints_judged=documents(evidence.prints),
        error_notices=len(evidence.notices),
        processes=processes,
        in_flight_at_stop=evidence.in_flight,
        may_have_printed=may_have_printed(evidence.prints),
        resends=evidence.events.resends() if evidence.run.shows_points else None,
        late_starts=late_starts(evidence),
        rate_share=rate_share(evidence, judged),
        latency=Latency(p50_s=values["p50_s", ""], p95_s=values["p95_s", ""], p99_s=values["p99_s", ""]),
        sync_runs=len(evidence.sync_runs),
        sync_runs_met=met,
        exposures=len(exposed),
        bound=bound,
        cells=cells,
        criteria=checked,
        incidents=incidents,
        retried_errors=describe_errors(evidence, judged),
    )
    return Decision(evidence=evidence, judged=judged, exposures=exposed, verdict=verdict)


def _counted(values: Metrics, kind: str) -> dict[str, int]:
    """Outcomes of the applications for documents of this kind that there were."""
    return {outcome.value: int(number) for outcome in Outcome if (number := values[outcome.value, kind])}


def _exposures(evidence: RunEvidence, in_service: Interval) -> tuple[list[Exposure], int]:
    """The exposures, and how many sync runs met a print."""
    meetings = Meetings(evidence.sync_runs, in_service)
    if not evidence.run.synchronises:
        found = exposures_in_flight(in_service)
    elif evidence.run.shows_points:
        found = exposures(evidence.sync_runs, evidence.events)
    else:
        found = exposures_from_outside(meetings)
    return found, runs_met(meetings)


def _bound(incidents: Sequence[Incident], n: int, confidence: float) -> Bound:
    events = min(len({incident.sync_run or incident.nonce for incident in incidents}), n)
    return Bound(confidence=confidence, unit="exposure", n=n, events=events, upper=upper_bound(events, n, confidence))


def _cells(
    evidence: RunEvidence, in_service: Interval, incidents: Sequence[Incident], confidence: float
) -> tuple[CellCount, ...]:
    runs, events = evidence.sync_runs, evidence.events
    if not evidence.run.synchronises:
        return ()
    if evidence.run.shows_points:
        known, hit = (
            POINT_CELLS,
            cells_from_points(runs, print_=events.print_, point=events.point, at_ns=events.at_ns, slot=events.slot),
        )
    else:
        sent_ns, answered_ns = in_service
        known, hit = OUTSIDE_CELLS, cells_from_outside(runs, sent_ns=sent_ns, answered_ns=answered_ns)
    charged = {incident.sync_run for incident in incidents if incident.sync_run}
    blamed = [number for number, run in enumerate(runs) if run.sync_run in charged] if charged else []
    nowhere = np.zeros(0, dtype=np.intp)
    return tuple(_cell(cell, hit.get(cell, nowhere), blamed, confidence) for cell in known)


def _cell(cell: Cell, runs: Runs, blamed: Sequence[int], confidence: float) -> CellCount:
    events = int(np.isin(blamed, runs).sum()) if blamed else 0
    return CellCount(
        phase=cell.phase,
        states=cell.states,
        sync_runs=len(runs),
        misissuances=events,
        upper=upper_bound(events, len(runs), confidence),
    )


def _processes(evidence: RunEvidence) -> dict[str, ProcessCount]:
    prints = evidence.prints
    answered = prints.answered_with("document", "refused")
    numbers = np.bincount(prints.segment[answered], minlength=len(evidence.segments)).tolist()
    judged = dict(zip(evidence.segments, numbers, strict=True))
    processes = {}
    for segment, count in evidence.counts.items():
        planted = evidence.self_tests[segment]
        caught = planted is not None and judge(planted, evidence.register).outcome is Outcome.WRONG_PERSON
        processes[segment] = ProcessCount(
            issued=count.issued,
            judged=judged[segment],
            failed=count.prints - judged[segment],
            in_flight_at_stop=max(0, count.issued - count.prints),
            self_test="none" if planted is None else "caught" if caught else "missed",
        )
    return processes


def _with_defaults(criteria: Criteria, evidence: RunEvidence) -> Criteria:
    """Whoever plans a rate wants it kept to."""
    if evidence.run.planned_prints is None or any(limit.metric == "rate_share" for limit in criteria.minimum):
        return criteria
    return msgspec.structs.replace(criteria, minimum=(*criteria.minimum, Limit(metric="rate_share", value=RATE_SHARE)))


def _misissuances(counts: Counter[Outcome]) -> list[Reason]:
    return [
        make_reason("misissued", number=counts[outcome], outcome=outcome.value)
        for outcome in Outcome
        if outcome.is_misissue and counts[outcome]
    ]


def _incompleteness(evidence: RunEvidence, processes: Mapping[str, ProcessCount], criteria: Criteria) -> list[Reason]:
    """Everything that keeps the evidence from being whole."""
    found = [make_reason("died", died=evidence.run.died)] if evidence.run.died else []
    faults = *evidence.faults, *faults_of(evidence.prints), *repeated_sync_runs(evidence.sync_runs)
    found += [make_reason("evidence", fault=fault) for fault in faults]
    if criteria.self_test:
        for segment, process in processes.items():
            if process.self_test == "missed":
                found.append(make_reason("self_test_missed", segment=segment))
            elif process.self_test == "none" and process.judged:
                found.append(make_reason("self_test_none", segment=segment))
    if evidence.in_flight:
        found.append(make_reason("in_flight", number=evidence.in_flight))
    return found


def _too_little(evidence: RunEvidence, counts: Counter[Outcome], exposed: int) -> list[Reason]:
    """Everything that the run would have had to show."""
    found = []
    if counts[Outcome.UNDECIDED]:
        found.append(make_reason("undecided", number=counts[Outcome.UNDECIDED]))
    if not documents(evidence.prints):
        found.append(make_reason("no_document"))
    if not exposed:
        found.append(make_reason("no_exposure"))
    return found


def _what_was_shown(
    evidence: RunEvidence, bound: Bound, cells_hit: int, cells: int, criteria: Criteria
) -> tuple[Reason, ...]:
    counted = {"documents": documents(evidence.prints), "exposures": bound.n}
    shown = (
        make_reason("shown", **counted, cells_hit=cells_hit, cells=cells)
        if evidence.run.synchronises
        else make_reason("shown_in_flight", **counted)
    )
    return (shown,) if criteria.self_test else (shown, make_reason("self_test_not_asked"))
