"""What the pictures of a report show is what a plain count of the records gives."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gate import Decision, examine
from harness.measures import Latency
from harness.outcome import Outcome
from harness.records import Evidence, Print, PrintEvent, SyncRun
from harness.report import figures
from harness.report.figures import MOST_BINS, End, bin_width_ns, figures_of
from tests.harness.builders import (
    HOME,
    OTHER,
    delivery,
    ended,
    entry,
    failed,
    paper,
    refused,
    sync_run,
    write_run,
)

WORLD = HOME, OTHER, entry("A"), entry("X")
TIMES = st.integers(0, 10**6)


def examined(load: Sequence[Evidence], target: Sequence[Evidence] = (), **fields: Any) -> Decision:
    """The decision on such a run."""
    with TemporaryDirectory() as directory:
        return examine(write_run(Path(directory) / "run", [*WORLD, *load], target, **fields))


@st.composite
def ends_of_prints(draw: st.DrawFn) -> list[Print]:
    """Attempts that ended in every way, some of them wrong, each application with one attempt."""
    made = []
    for number in range(draw(st.integers(0, 30))):
        sent_ns, taken_ns, name = draw(TIMES), draw(st.integers(0, 10**5)), f"A{number}"
        at = sent_ns, sent_ns + taken_ns
        made.append(
            draw(
                st.sampled_from(
                    (
                        delivery(name, "A", paper("A"), at=at),
                        delivery(name, "A", paper("X"), at=at),
                        delivery(name, "A", b"?", at=at),
                        failed(name, "A", at=at),
                        refused(name, "A", at=at),
                        ended("unanswered", name, "A", at=at),
                        ended("nothing", name, "A", at=at),
                    )
                )
            )
        )
    return made


def end_of(print_: Print) -> End:
    """By what the builders made."""
    match print_.answer:
        case "document":
            told = {paper("A"): End.OK, paper("X"): End.MISISSUED, b"?": End.UNDECIDED}
            return next(end for data, end in told.items() if delivery("", "A", data).checksum == print_.checksum)
        case "refused":
            return End.REFUSED
        case "nothing":  # taken for done, and nobody applied again: lost
            return End.MISISSUED
        case _:
            return End.ERROR


@given(ends_of_prints(), st.lists(st.tuples(TIMES, st.integers(0, 10**5)), max_size=8), st.integers(1, 10**6))
def test_over_time(prints: list[Print], runs: list[tuple[int, int]], started_ns: int) -> None:
    """Every attempt is in the bin of its answer, every sync run in that of its begin, and bins are few."""
    sync_runs = [sync_run(f"S{number}", begin, begin + length) for number, (begin, length) in enumerate(runs)]
    decision = examined(prints, sync_runs, started_ns=started_ns)
    found = figures_of(decision).over_time
    assert len(found.exposures) <= MOST_BINS
    assert found.unplaced == 0
    assert found.begin_ns % found.width_ns == 0

    def counted(times_ns: Iterable[int]) -> dict[int, int]:
        return Counter((at_ns - started_ns - found.begin_ns) // found.width_ns for at_ns in times_ns)

    for end in End:
        wanted = counted(print_.answered_ns for print_ in prints if end_of(print_) is end)
        assert shown(found.ended[end]) == wanted
    first_ns = min((print_.sent_ns for print_ in prints), default=0)
    last_ns = max((print_.answered_ns for print_ in prints), default=10**7)
    length_ns = last_ns - first_ns
    near = [begin for begin, lasts in runs if first_ns - length_ns <= begin + lasts and begin <= last_ns + length_ns]
    assert shown(found.sync_runs) == counted(near)
    assert shown(found.exposures) == counted(exposure.at_ns for exposure in decision.exposures)


def shown(row: Iterable[int]) -> dict[int, int]:
    """Bin -> number, of those that are not empty."""
    return {place: number for place, number in enumerate(row) if number}


def test_the_time_begins_with_the_plan_or_the_first_print() -> None:
    """Where nobody told when the plan began, the first print did."""
    load = [delivery("A1", "A", paper("A"), at=(5000, 5200)), delivery("A2", "X", paper("X"), at=(5100, 5201))]
    assert figures_of(examined(load)).over_time.begin_ns == 0
    before = figures_of(examined(load, started_ns=5150)).over_time
    assert before.begin_ns == -150


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 90)), min_size=1, max_size=6))
def test_at_work(runs: list[tuple[int, int]]) -> None:
    """The share of a bin in which some sync run was at work counts what several of them cover once."""
    sync_runs = [sync_run(f"S{number}", begin, begin + length) for number, (begin, length) in enumerate(runs)]
    whole = delivery("A1", "A", paper("A"), at=(0, 400))
    found = figures_of(examined([whole], sync_runs)).over_time
    covered = {at_ns for begin, length in runs for at_ns in range(begin, begin + length)}
    for place, share in enumerate(found.at_work):
        begin_ns = found.begin_ns + place * found.width_ns
        inside = [at_ns in covered for at_ns in range(begin_ns, begin_ns + found.width_ns)]
        assert share == pytest.approx(sum(inside) / len(inside))
    assert sum(found.at_work) * found.width_ns == pytest.approx(len(covered))


@given(st.integers(0, 10**17))
def test_bins_are_few(length_ns: int) -> None:
    """However long a run is, its bins are at most so many, and not far fewer: the width is the least that does."""
    width_ns = bin_width_ns(length_ns)
    assert length_ns // width_ns + 2 <= MOST_BINS
    assert width_ns == 1 or length_ns // (width_ns / 2.5) + 2 > MOST_BINS
    assert str(width_ns).rstrip("0") in {"1", "2", "5"}


@given(ends_of_prints())
def test_histogram(prints: list[Print]) -> None:
    """Each latency that counts is in the one bin that holds it, by whether a document came."""
    found = figures_of(examined(prints)).latency
    for answer, numbers in (("document", found.documents), ("unanswered", found.unanswered)):
        taken = [print_.answered_ns - print_.sent_ns for print_ in prints if print_.answer == answer]
        wanted = [sum(low <= taken_ns < high for taken_ns in taken) for low, high in pairwise(found.edges_ns)]
        assert list(numbers) == wanted
        assert sum(numbers) == len(taken)


def test_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the columns are looked at piece by piece or at once changes nothing."""
    prints = [delivery(f"A{n}", "A", paper("X" if n % 3 else "A"), at=(n * 1000, n * 1700)) for n in range(50)]
    decision = examined(prints, [sync_run()])
    at_once = figures_of(decision)
    monkeypatch.setattr(figures, "_ROWS_AT_ONCE", 7)
    assert figures_of(decision) == at_once


def test_a_second_document_is_a_misissuance() -> None:
    """What only the whole application shows to be wrong is shown as that: the chart has as many as the verdict."""
    twice = delivery("A1", "A", paper("A")), delivery("A1", "A", paper("A"), attempt=2, at=(300, 400))
    decision = examined(twice)
    assert [incident.outcome for incident in decision.verdict.incidents] == [Outcome.DUPLICATE]
    assert sum(figures_of(decision).over_time.ended[End.MISISSUED]) == 1


def test_lost_and_found() -> None:
    """An attempt that brought nothing is an error when the next one brings the document."""
    found = ended("nothing", "A1", "A"), delivery("A1", "A", paper("A"), attempt=2, at=(300, 400))
    shown = figures_of(examined(found)).over_time.ended
    assert (sum(shown[End.ERROR]), sum(shown[End.OK]), sum(shown[End.MISISSUED])) == (1, 1, 0)


def test_times_that_nobody_knows() -> None:
    """Attempts of a clock that cannot be placed are counted apart, and what is far from all of them is left out."""
    load = [delivery("A1", "A", paper("A"))]
    decision = examined(load, [sync_run(begin_ns=10**15, end_ns=10**15 + 5)], clocks=("elsewhere", "monotonic"))
    found = figures_of(decision).over_time
    assert (found.unplaced, sum(map(sum, found.ended.values()))) == (1, 0)
    decision = examined(load, [sync_run(begin_ns=10**15, end_ns=10**15 + 5)])
    found = figures_of(decision).over_time
    assert (found.unplaced, sum(found.ended[End.OK]), sum(found.sync_runs)) == (0, 1, 0)


def test_nothing() -> None:
    """A run of which nothing is on record has figures all the same, all of them empty."""
    found = figures_of(examined([]))
    assert found.latency.edges_ns == ()
    assert sum(map(sum, found.over_time.ended.values())) == 0
    assert examined([]).verdict.latency == Latency(p50_s=None, p95_s=None, p99_s=None)


def test_heat_map_by_points() -> None:
    """Every coverage cell is in its row and phase once, and the trigger is where one is written and another waits."""
    points = [
        PrintEvent(nonce=nonce, point=point, at_ns=at_ns, slot="1")
        for nonce, point, at_ns in (("A1.1", "written", 125), ("A1.1", "read", 170), ("A2.1", "waiting", 124))
    ]
    load = delivery("A1", "A", paper("A")), delivery("A2", "X", paper("X"))
    decision = examined(load, [sync_run(), *points], shows_points=True)
    heat = figures_of(decision).coverage
    assert heat.phases == ("begin", "applying", "releasing", "done")
    assert [len(group) for group in heat.groups] == [5, 15, 35]
    shown = [cell for group in heat.groups for row in group for cell in row.cells]
    assert Counter(shown) == Counter(decision.verdict.cells)
    for group in heat.groups:
        for row in group:
            assert [cell.phase for cell in row.cells] == list(heat.phases)
            assert {cell.states for cell in row.cells} == {row.states}
            assert row.is_trigger == ("written" in row.states and "waiting" in row.states)
    assert heat.most == max(cell.sync_runs for cell in decision.verdict.cells) == 1


def test_heat_map_from_outside() -> None:
    """Of a service that shows only its outside the trigger is two in flight or more."""
    heat = figures_of(examined([delivery("A1", "A", paper("A"))], [sync_run()])).coverage
    assert heat.phases == ("before", "during", "after")
    assert [[row.is_trigger for row in group] for group in heat.groups] == [[False], [True], [True]]


def test_a_run_that_was_cut_off() -> None:
    """A sync run of which only the begin is known was at work at that instant, and takes no time in the picture."""
    cut = msgspec.structs.replace(sync_run(), applied_ns=None, acknowledged_ns=None, end_ns=None)
    assert isinstance(cut, SyncRun)
    found = figures_of(examined([delivery("A1", "A", paper("A"))], [cut])).over_time
    assert (sum(found.sync_runs), sum(found.at_work)) == (1, 0)
