"""What the pictures of a report show, as few numbers: ten million prints become some hundred bins. Pure.

Times are in nanoseconds since the plan began. An attempt whose time cannot be placed on the run's clock is in no bin of
time; how many those are is told beside.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from math import ceil, floor, log10

import numpy as np
from numpy.typing import NDArray

from harness.evidence.prints import Prints, Times
from harness.gate import Decision
from harness.judging import Judged
from harness.outcome import Outcome
from harness.records import Record, SyncRun
from harness.verdict import CellCount

MOST_BINS = 120
_STEPS = 1, 2, 5
_BINS_A_DECADE = 20, 50, 200, 1000
_BINS_WANTED = 12
_ROWS_AT_ONCE = 1_000_000  # so that no column of a very long run is held a second time
_PLACED_NS = 2**60  # times further away than 36 years are those of a clock that nobody could place


class End(StrEnum):
    """How an attempt ended, as far as a chart can tell it apart; the worst last, on top."""

    OK = "ok"
    REFUSED = "refused"
    ERROR = "error"
    UNDECIDED = "undecided"
    MISISSUED = "misissued"


_ENDS = tuple(End)


def _end_of(outcome: Outcome) -> End:
    match outcome:
        case Outcome.OK:
            return End.OK
        case Outcome.REFUSED_OK | Outcome.REFUSED_WRONG:
            return End.REFUSED
        case Outcome.UNDECIDED:
            return End.UNDECIDED
        # What a later attempt brought is not lost; where nothing did, it is among the misissuances anyway.
        case Outcome.ERROR_FINAL | Outcome.ERROR_RETRIED_OK | Outcome.LOST:
            return End.ERROR
        case _:
            return End.MISISSUED


_END_CODES = np.array([_ENDS.index(_end_of(outcome)) for outcome in Outcome], dtype=np.int8)


class OverTime(Record, frozen=True, kw_only=True):
    """What happened when, in bins of one width; every tuple has one number a bin.

    Args:
        begin_ns: of the first bin; width_ns: of each.
        ended: attempts that ended so; unplaced: attempts that are in no bin.
        sync_runs: that began; at_work: share of the bin in which at least one was at work. Those whose times have
            nothing to do with any print's are left out.
        exposures: by their instant.
    """

    begin_ns: int
    width_ns: int
    ended: Mapping[End, tuple[int, ...]]
    unplaced: int
    sync_runs: tuple[int, ...]
    at_work: tuple[float, ...]
    exposures: tuple[int, ...]


class Histogram(Record, frozen=True, kw_only=True):
    """Latencies from the intended start, over the attempts that `harness.measures.Latency` is of.

    Args:
        edges_ns: one more than there are bins; a bin holds what is not below its lower edge, and below its upper one.
        documents: attempts that brought one, by bin; unanswered: those that got no whole answer.
    """

    edges_ns: tuple[int, ...]
    documents: tuple[int, ...]
    unanswered: tuple[int, ...]


class HeatRow(Record, frozen=True, kw_only=True):
    """Prints in these states together: the cell of each phase.

    Args:
        is_trigger: one print is in the stage while another waits; from outside, two or more are in flight.
    """

    states: tuple[str, ...]
    is_trigger: bool
    cells: tuple[CellCount, ...]


class HeatMap(Record, frozen=True, kw_only=True):
    """Coverage cells by phase and by the states of the prints, those of one print first, then of two, then of three."""

    phases: tuple[str, ...]
    groups: tuple[tuple[HeatRow, ...], ...]
    most: int


class Figures(Record, frozen=True, kw_only=True):
    """All of them."""

    over_time: OverTime
    latency: Histogram
    coverage: HeatMap


def figures_of(decision: Decision) -> Figures:
    """The figures of a run."""
    evidence, judged, exposures, verdict = decision
    return Figures(
        over_time=over_time(
            evidence.prints,
            judged,
            evidence.sync_runs,
            [exposure.at_ns for exposure in exposures],
            started_ns=evidence.run.started_ns,
        ),
        latency=histogram(evidence.prints),
        coverage=heat_map(verdict.cells),
    )


def over_time(
    prints: Prints, judged: Judged, sync_runs: Sequence[SyncRun], exposures_ns: Iterable[int], *, started_ns: int
) -> OverTime:
    """What happened when.

    Args:
        started_ns: when the plan began, on the run's clock; 0 where that is not known, then the first print did.
    """
    begins = np.array([run.begin_ns for run in sync_runs], dtype=np.int64)
    ends = np.array([run.work_end_ns for run in sync_runs], dtype=np.int64)
    met = np.array([*exposures_ns], dtype=np.int64)
    first_ns, last_ns = _span(*prints.possible) or _span(begins, ends) or (0, 0)
    # Sync runs that are further from every print than the run is long are of a clock that tells something else.
    length_ns = last_ns - first_ns
    near = (ends >= first_ns - length_ns) & (begins <= last_ns + length_ns)
    begins, ends = begins[near], ends[near]
    first_ns, last_ns = min([first_ns, *begins.tolist()]), max([last_ns, *ends.tolist()])
    origin_ns = started_ns or first_ns
    first_ns = min(first_ns, origin_ns)
    width_ns = bin_width_ns(last_ns - first_ns)
    first_ns = origin_ns - -(-(origin_ns - first_ns) // width_ns) * width_ns  # the plan begins with a bin
    bins = (last_ns - first_ns) // width_ns + 1

    def count(times_ns: Times) -> tuple[int, ...]:
        inside = times_ns[(times_ns >= first_ns) & (times_ns <= last_ns)]
        return tuple(np.bincount((inside - first_ns) // width_ns, minlength=bins).tolist())

    ended = np.zeros(bins * len(_ENDS), dtype=np.int64)
    misissued = np.array(sorted(judged.misissued), dtype=np.int64)
    placed = 0
    for rows in _pieces(len(prints)):
        ends_of = _END_CODES[judged.outcome[rows]]
        ends_of[misissued[(misissued >= rows.start) & (misissued < rows.stop)] - rows.start] = _ENDS.index(
            End.MISISSUED
        )
        answered_ns = prints.possible.answered_ns[rows]
        known = _is_placed(answered_ns)
        placed += int(known.sum())
        place = (answered_ns[known] - first_ns) // width_ns * len(_ENDS) + ends_of[known]
        ended += np.bincount(place, minlength=len(ended))
    by_end = ended.reshape(bins, len(_ENDS)).T.tolist()
    return OverTime(
        begin_ns=first_ns - origin_ns,
        width_ns=width_ns,
        ended={end: tuple(by_end[code]) for code, end in enumerate(_ENDS)},
        unplaced=len(prints) - placed,
        sync_runs=count(begins),
        at_work=_at_work(begins, ends, first_ns, width_ns, bins),
        exposures=count(met),
    )


def bin_width_ns(length_ns: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50, ... by which so much time makes at most `MOST_BINS` bins, to the full one."""
    width_ns = next(
        step * 10**power for power in range(20) for step in _STEPS if length_ns // (step * 10**power) + 2 <= MOST_BINS
    )
    return int(width_ns)


def histogram(prints: Prints) -> Histogram:
    """Latencies from the quickest to the slowest, in bins of equal ratio: the narrower, the nearer all of them are."""
    wanted = {answer: prints.answered_with(answer) for answer in ("document", "unanswered")}
    taken_ns = [prints.latency_ns[rows] for rows in wanted.values()]
    found = [int(extreme) for times in taken_ns if len(times) for extreme in (times.min(), times.max())]
    if not found:
        return Histogram(edges_ns=(), documents=(), unanswered=())
    edges_ns = _log_edges(min(found), max(found))

    def count(times_ns: Times) -> tuple[int, ...]:
        total = np.zeros(len(edges_ns) - 1, dtype=np.int64)
        for piece in _pieces(len(times_ns)):
            place = np.searchsorted(edges_ns, times_ns[piece], side="right") - 1
            total += np.bincount(place, minlength=len(total))
        return tuple(total.tolist())

    documents, unanswered = map(count, taken_ns)
    return Histogram(edges_ns=tuple(edges_ns.tolist()), documents=documents, unanswered=unanswered)


def heat_map(cells: Sequence[CellCount]) -> HeatMap:
    """The cells, each in its place."""
    phases = tuple(dict.fromkeys(cell.phase for cell in cells))
    rows: dict[tuple[str, ...], list[CellCount]] = {}
    for cell in cells:
        rows.setdefault(cell.states, []).append(cell)
    groups: dict[int, list[HeatRow]] = {}
    for states, of_states in rows.items():
        is_trigger = {"written", "waiting"} <= {*states} or states.count("in_flight") > 1
        groups.setdefault(len(states), []).append(HeatRow(states=states, is_trigger=is_trigger, cells=tuple(of_states)))
    return HeatMap(
        phases=phases,
        groups=tuple(tuple(groups[size]) for size in sorted(groups)),
        most=max((cell.sync_runs for cell in cells), default=0),
    )


def _span(*columns: Times) -> tuple[int, int] | None:
    """The first and the last of all times that can be placed; None where none can."""
    edges: list[int] = []
    for column in columns:
        for rows in _pieces(len(column)):
            times_ns = column[rows]
            times_ns = times_ns[_is_placed(times_ns)]
            if len(times_ns):
                edges += [int(times_ns.min()), int(times_ns.max())]
    return (min(edges), max(edges)) if edges else None


def _at_work(begins: Times, ends: Times, first_ns: int, width_ns: int, bins: int) -> tuple[float, ...]:
    """The share of each bin that the union of these intervals covers."""
    covered = np.zeros(bins, dtype=np.int64)
    until_ns = first_ns
    for begin_ns, end_ns in sorted(zip(begins.tolist(), ends.tolist(), strict=True)):
        at_ns, until_ns = max(begin_ns, until_ns), max(end_ns, until_ns)  # what an earlier run covers counts once
        while at_ns < end_ns:
            place = (at_ns - first_ns) // width_ns
            next_ns = min(end_ns, first_ns + (place + 1) * width_ns)
            covered[place] += next_ns - at_ns
            at_ns = next_ns
    return tuple((covered / width_ns).tolist())


def _log_edges(least_ns: int, most_ns: int) -> NDArray[np.int64]:
    """Edges that hold both; what took no time at all, or less by two clocks, is in a first bin that begins with it."""
    decades = log10(max(most_ns, 1)) - log10(max(least_ns, 1))
    bins = next((bins for bins in _BINS_A_DECADE if decades * bins >= _BINS_WANTED), _BINS_A_DECADE[-1])
    first, last = floor(log10(max(least_ns, 1)) * bins), ceil(log10(max(most_ns, 1)) * bins) + 1
    edges = {round(10 ** (number / bins)) for number in range(first, last + 1)}
    above = min((edge for edge in edges if edge > most_ns), default=most_ns + 1)
    below = max((edge for edge in edges if edge <= least_ns), default=least_ns)
    return np.array(sorted({below, above, *(edge for edge in edges if below < edge < above)}), dtype=np.int64)


def _is_placed(times_ns: Times) -> NDArray[np.bool_]:
    return (times_ns > -_PLACED_NS) & (times_ns < _PLACED_NS)


def _pieces(rows: int) -> Iterator[slice]:
    for begin in range(0, rows, _ROWS_AT_ONCE):
        yield slice(begin, min(begin + _ROWS_AT_ONCE, rows))
