"""Two runs beside one another: is B worse than A, and was it exercised at least as much? Pure.

Both are decided from their ledgers, as by `misissue gate`; verdict.json is not read, for a verdict is only as good as
the evidence that it can be made from again. Fails closed: what is unknown of either run is not "at least as much", and
a run that is not conclusive is no worse and no better than anything.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from harness.bound import upper_bound
from harness.coverage import Cell
from harness.criteria import Criterion, metric_name
from harness.difference import fisher_exact
from harness.evidence.ledger import RunDescription
from harness.gate import Decision
from harness.outcome import Outcome
from harness.reason import EVIDENCE_CODES, Reason, make_reason
from harness.records import Record
from harness.verdict import EXIT_CODES, Verdict

Result = Literal["no_worse", "worse", "less_exercised", "inconclusive"]
_EXIT_CODES: Mapping[Result, int] = {
    "no_worse": EXIT_CODES["PASS"],
    "worse": EXIT_CODES["FAIL"],
    "less_exercised": EXIT_CODES["INCONCLUSIVE"],
    "inconclusive": EXIT_CODES["INCONCLUSIVE"],
}
_GAPS = EVIDENCE_CODES | {"undecided"}
"""Reasons for which even a run that fails may have ended worse than is on record."""
_OF_SYNC_RUNS = frozenset({"sync_runs", "sync_runs_met", "cells", "cells_hit"})


class Side(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One of the two runs."""

    directory: str
    run: str
    started: str
    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE"]


class Figure(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One figure of both runs; None where a run has none."""

    name: str
    a: float | None
    b: float | None


class Exercise(Record, frozen=True, kw_only=True, omit_defaults=False):
    """Whether B showed at least as much as A; None: unknown.

    Args:
        name: exposures, sync_runs_met, cells (those that A hit) or bound (the lower, the more is shown).
    """

    name: str
    a: float | None
    b: float | None
    holds: bool | None


class Rates(Record, frozen=True, kw_only=True, omit_defaults=False):
    """Misissuances per exposure.

    Args:
        p_value: chance of such a difference when both rates are the same, by Fisher's exact test; None where the two
            runs did not count the same thing.
        told: whether the difference can be told from chance at this confidence.
    """

    a_events: int
    a_n: int
    b_events: int
    b_n: int
    confidence: float
    p_value: float | None
    told: bool


class Difference(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A parameter, a version, a criterion or anything else that was not the same; None where a run has none."""

    name: str
    a: object
    b: object


class CriterionChange(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A criterion that one of the runs did not keep to, or that only one of them was measured by."""

    a: Criterion | None
    b: Criterion | None


class Comparison(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What `misissue compare` says.

    Args:
        reasons: why the result is what it is, the worst first; empty when B is no worse and was exercised as much.
        synchronises: one of the services does; where neither does, exposures are pairs of prints in flight, and there
            are no figures on sync runs.
        tolerance: by which share B may have been exercised less.
        figures: outcomes, papers, persons, exercise, errors and latency.
        cells_lost: coverage cells that A hit and B did not; cells_gained: the other way round.
    """

    result: Result
    exit_code: int
    reasons: tuple[Reason, ...]
    synchronises: bool
    tolerance: float
    a: Side
    b: Side
    figures: tuple[Figure, ...]
    exercise: tuple[Exercise, ...]
    rates: Rates
    cells_lost: tuple[Cell, ...]
    cells_gained: tuple[Cell, ...]
    criteria: tuple[CriterionChange, ...]
    setup: tuple[Difference, ...]


def compare(a: Decision, b: Decision, *, directories: tuple[str, str], tolerance: float = 0.0) -> Comparison:
    """B measured by A.

    Args:
        directories: of both runs.
        tolerance: share by which B may have been exercised less than A; 0 allows nothing.
    """
    one, other = a.evidence.run, b.evidence.run
    same_view, same_trigger = one.shows_points == other.shows_points, one.synchronises == other.synchronises
    comparable = same_view and same_trigger
    known = comparable and not (_gaps(a.verdict) or _gaps(b.verdict))
    synchronises = one.synchronises or other.synchronises
    exercise = tuple(
        check
        for check in _exercise(a.verdict, b.verdict, known=known, tolerance=tolerance)
        if synchronises or check.name not in _OF_SYNC_RUNS
    )
    worse = list(_worse(a.verdict, b.verdict))
    doubts = [*_doubts("A", a.verdict), *_doubts("B", b.verdict)]
    if not same_trigger:
        doubts.append(make_reason("not_comparable_synchronisation"))
    elif not same_view:
        doubts.append(make_reason("not_comparable"))
    less = [_shortfall(one) for one in exercise if one.holds is False]
    result: Result = "worse" if worse else "inconclusive" if doubts else "less_exercised" if less else "no_worse"
    lost, gained = _cells(a.verdict, b.verdict)
    return Comparison(
        result=result,
        exit_code=_EXIT_CODES[result],
        reasons=(*worse, *doubts, *less),
        synchronises=synchronises,
        tolerance=tolerance,
        a=_side(a, directories[0]),
        b=_side(b, directories[1]),
        figures=tuple(
            figure for figure in _figures(a.verdict, b.verdict) if synchronises or figure.name not in _OF_SYNC_RUNS
        ),
        exercise=exercise,
        rates=_rates(a.verdict, b.verdict, comparable=comparable),
        cells_lost=lost,
        cells_gained=gained,
        criteria=tuple(_criteria(a.verdict, b.verdict)),
        setup=tuple(_setup(a.evidence.run, b.evidence.run)),
    )


def _doubts(name: str, verdict: Verdict) -> Iterator[Reason]:
    if verdict.verdict == "INCONCLUSIVE":
        yield make_reason("run_inconclusive", run=name)
    elif _gaps(verdict):
        yield make_reason("run_with_gaps", run=name)


def _gaps(verdict: Verdict) -> bool:
    return any(reason.code in _GAPS for reason in verdict.reasons)


def _side(one: Decision, directory: str) -> Side:
    run = one.evidence.run
    return Side(directory=directory, run=run.run, started=run.started, verdict=one.verdict.verdict)


def _worse(a: Verdict, b: Verdict) -> Iterator[Reason]:
    """A sort of misissuance that A had none of, or more of one; and what A kept to and B did not."""
    for outcome in Outcome:
        before, now = a.outcomes[outcome], b.outcomes[outcome]
        if outcome.is_misissue and now > before:
            yield make_reason("more_misissued", outcome=outcome.value, a=before, b=now)
    for change in _criteria(a, b):
        broken = change.b
        if broken is not None and broken.result == "broken" and (change.a is None or change.a.result != "broken"):
            yield make_reason(
                "newly_broken", metric=broken.metric, kind=broken.kind, limit=broken.limit, value=broken.value or 0.0
            )


def _exercise(a: Verdict, b: Verdict, *, known: bool, tolerance: float) -> Iterator[Exercise]:
    share = 1 - tolerance
    hit_by_a, hit_by_b = _hit(a), _hit(b)
    for name, before, now in (
        ("exposures", a.exposures, b.exposures),
        ("sync_runs_met", a.sync_runs_met, b.sync_runs_met),
        ("cells", len(hit_by_a), len(hit_by_a & hit_by_b)),
    ):
        yield Exercise(name=name, a=before, b=now, holds=now >= before * share if known else None)
    confidence = max(a.bound.confidence, b.bound.confidence)
    upper_a, upper_b = (upper_bound(one.bound.events, one.bound.n, confidence) for one in (a, b))
    yield Exercise(name="bound", a=upper_a, b=upper_b, holds=upper_b * share <= upper_a if known else None)


def _shortfall(exercise: Exercise) -> Reason:
    a, b = exercise.a or 0, exercise.b or 0
    if exercise.name == "bound":
        a, b = float(f"{a:.3g}"), float(f"{b:.3g}")
    return make_reason(f"less_{exercise.name}", a=a, b=b)


def _hit(verdict: Verdict) -> set[Cell]:
    return {Cell(phase=cell.phase, states=cell.states) for cell in verdict.cells if cell.sync_runs}


def _cells(a: Verdict, b: Verdict) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """Those that A alone hit, and those that B alone did, in the order of the verdicts."""
    hit_by_a, hit_by_b = _hit(a), _hit(b)
    known = [Cell(phase=cell.phase, states=cell.states) for cell in (*a.cells, *b.cells)]
    in_order = list(dict.fromkeys(known))
    return (
        tuple(cell for cell in in_order if cell in hit_by_a - hit_by_b),
        tuple(cell for cell in in_order if cell in hit_by_b - hit_by_a),
    )


def _rates(a: Verdict, b: Verdict, *, comparable: bool) -> Rates:
    confidence = max(a.bound.confidence, b.bound.confidence)
    p_value = fisher_exact(a.bound.events, a.bound.n, b.bound.events, b.bound.n) if comparable else None
    return Rates(
        a_events=a.bound.events,
        a_n=a.bound.n,
        b_events=b.bound.events,
        b_n=b.bound.n,
        confidence=confidence,
        p_value=p_value,
        told=p_value is not None and p_value <= 1 - confidence,
    )


def _figures(a: Verdict, b: Verdict) -> Iterator[Figure]:
    for outcome in Outcome:
        yield Figure(name=outcome.value, a=a.outcomes[outcome], b=b.outcomes[outcome])
    for name in ("papers", "persons", "exposures", "sync_runs", "sync_runs_met", "cells_hit"):
        yield Figure(name=name, a=getattr(a, name), b=getattr(b, name))
    yield Figure(name="error_share", a=_error_share(a), b=_error_share(b))
    for name in a.latency.__struct_fields__:
        yield Figure(name=name, a=getattr(a.latency, name), b=getattr(b.latency, name))


def _error_share(verdict: Verdict) -> float | None:
    """Applications that met an error, of all; None without any."""
    total = sum(verdict.outcomes.values())
    errors = verdict.outcomes[Outcome.ERROR_FINAL] + verdict.outcomes[Outcome.ERROR_RETRIED_OK]
    return errors / total if total else None


def _criteria(a: Verdict, b: Verdict) -> Iterator[CriterionChange]:
    before, now = ({(one.side, one.metric, one.kind): one for one in verdict.criteria} for verdict in (a, b))
    for key in dict.fromkeys((*before, *now)):
        change = CriterionChange(a=before.get(key), b=now.get(key))
        if any(one is None or one.result != "met" for one in (change.a, change.b)):
            yield change


def _setup(a: RunDescription, b: RunDescription) -> Iterator[Difference]:
    """Everything that was asked for or installed and was not the same."""
    before, now = (dict(_flat("", _setup_of(run))) for run in (a, b))
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            yield Difference(name=name, a=before.get(name), b=now.get(name))


def _setup_of(run: RunDescription) -> Mapping[str, object]:
    criteria: dict[str, object] = msgspec.to_builtins(run.criteria)
    for side, limits in (("maximum", run.criteria.maximum), ("minimum", run.criteria.minimum)):
        criteria[side] = {metric_name(limit.metric, limit.kind): limit.value for limit in limits}
    names = ("profile", "target", "seed", "parameters", "versions", "shows_points", "synchronises")
    planned = ("planned_s", "planned_prints", "planned_changes")
    return {name: getattr(run, name) for name in (*names, *planned)} | {"criteria": criteria}


def _flat(prefix: str, values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value
