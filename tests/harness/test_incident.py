"""An incident names who was handed what of whom, in which sync run, and who was in flight beside it."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.gate import decide
from harness.incident import Incident
from harness.records import ErrorNotice, Evidence, PrintEvent, SyncRun
from tests.harness.builders import HOME, OTHER, delivery, entry, failed, mark, paper, sync_run, write_run

NUMBER = ("my_number",)
THEFT = delivery("A1", "A", paper("X", options=NUMBER), at=(1000, 2000))
WORLD: tuple[Evidence, ...] = (
    HOME,
    OTHER,
    entry("A"),
    entry("B"),
    entry("X"),
    entry("X", options=NUMBER),
    entry("A", "X", applicants=()),
)


def found(directory: Path, load: Sequence[Evidence], target: Sequence[Evidence] = ()) -> tuple[Incident, ...]:
    """The incidents of a run."""
    return decide(write_run(directory, [*WORLD, *load], target)).incidents


def test_innocence(tmp_path: Path) -> None:
    """Without a misissue there is no incident: neither ok, nor errors, nor what is undecided makes one."""
    load = [delivery("A1", "A", paper("A")), failed("A2", "B"), delivery("A3", "A", b"?")]
    assert found(tmp_path, load) == ()


def test_who_and_what(tmp_path: Path) -> None:
    """Recipient, owners, what was asked for, what was handed out, and whether it shows a My Number."""
    (incident,) = found(tmp_path, [THEFT])
    assert incident.nonce == "A1.1"
    assert incident.outcome == "wrong_person"
    assert (incident.recipient, incident.owners, incident.exposed_persons) == ("A", ("X",), ("X",))
    assert (incident.kind, incident.options) == ("juminhyo", ())
    assert (incident.delivered_kind, incident.delivered_options) == ("juminhyo", NUMBER)
    assert (incident.papers, incident.persons, incident.my_number) == (1, 1, True)
    assert (incident.at_ns, incident.checksum) == (2000, THEFT.checksum)


def test_owners_and_exposed_differ(tmp_path: Path) -> None:
    """On a paper with the applicant and a stranger both are owners, and the stranger alone is exposed."""
    (incident,) = found(tmp_path, [delivery("A1", "A", paper("A", "X"))])
    assert incident.outcome == "mixed"
    assert (incident.owners, incident.exposed_persons, incident.persons) == (("A", "X"), ("X",), 1)
    assert not incident.my_number


def test_marks_tell(tmp_path: Path) -> None:
    """Of bytes that are nobody's document the marks say whose data was handed out."""
    marks = (mark("A"), mark("X", kind="koseki", options=("household",), page=2))
    (incident,) = found(tmp_path, [delivery("A1", "A", b"?", marks=marks)])
    assert (incident.owners, incident.exposed_persons) == (("A", "X"), ("X",))
    assert (incident.delivered_kind, incident.delivered_options) == ("koseki", ("household",))


@pytest.mark.parametrize(
    ("answered_ns", "at"),
    [
        (7_000_000_000, "2023-04-30T23:59:59.500+09:00"),
        (7_501_999_000, "2023-05-01T00:00:00.001+09:00"),
        (6_999_000_000, "2023-04-30T23:59:59.499+09:00"),
        (7_000_000_000 + 3600 * 10**9, "2023-05-01T00:59:59.500+09:00"),
    ],
)
def test_wall_time(tmp_path: Path, answered_ns: int, at: str) -> None:
    """When the answer came is told by the clock on the wall, to the millisecond, from the moment the plan began."""
    theft = delivery("A1", "A", paper("X", options=NUMBER), at=(answered_ns - 10, answered_ns))
    (incident,) = decide(
        write_run(tmp_path, [*WORLD, theft], (), started="2023-04-30T23:59:59.500+09:00", started_ns=7_000_000_000)
    ).incidents
    assert (incident.at, incident.at_ns) == (at, answered_ns)


def test_nobody_exposed(tmp_path: Path) -> None:
    """A torn paper is an incident with a paper and without an exposed person."""
    (incident,) = found(tmp_path, [delivery("A1", "A", b"")])
    assert (incident.outcome, incident.papers, incident.persons, incident.owners) == ("torn", 1, 0, ())


def test_order(tmp_path: Path) -> None:
    """Incidents stand in the order in which the papers were handed out."""
    load = [
        delivery("A1", "A", b"", at=(100, 300)),
        delivery("A2", "A", b"", at=(100, 200)),
        delivery("A3", "A", b"", at=(50, 300)),
    ]
    assert [incident.nonce for incident in found(tmp_path, load)] == ["A2.1", "A1.1", "A3.1"]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param([("S1", 1500, 1600)], "S1", id="inside the print"),
        pytest.param([("S1", 500, 1000)], "S1", id="ends as the print is sent"),
        pytest.param([("S1", 2000, 2500)], "S1", id="begins as the answer comes"),
        pytest.param([("S1", 500, 999)], "", id="over before"),
        pytest.param([("S1", 2001, 2500)], "", id="begins after"),
        pytest.param([("S1", 500, 3000)], "S1", id="around the print"),
        pytest.param([("S2", 1600, 1700), ("S1", 1100, 1200)], "S2", id="the last of two"),
        pytest.param([("S1", 1100, 1200), ("S2", 2100, 2200)], "S1", id="the last that met it"),
    ],
)
def test_sync_run_from_outside(tmp_path: Path, runs: list[tuple[str, int, int]], expected: str) -> None:
    """Seen from outside an incident is charged to the last sync run that met the print while it was in flight."""
    (incident,) = found(tmp_path, [THEFT], [sync_run(*run) for run in runs])
    assert incident.sync_run == expected


spans = st.tuples(st.integers(0, 30), st.integers(0, 25)).map(lambda one: (one[0], one[0] + one[1]))


@settings(deadline=None, max_examples=40)
@given(st.lists(spans, max_size=12), st.lists(spans, min_size=1, max_size=4))
def test_sync_runs_against_comparing_all(runs: list[tuple[int, int]], prints: list[tuple[int, int]]) -> None:
    """Each incident is charged to the run that begins last of all those that share an instant with the print."""
    thefts = [delivery(f"A{number}", "A", paper("X", options=NUMBER), at=span) for number, span in enumerate(prints)]
    with TemporaryDirectory() as directory:
        target = [sync_run(f"S{number:02}", *span) for number, span in enumerate(runs)]
        incidents = found(Path(directory), thefts, target)
    assert len(incidents) == len(prints)
    for incident in incidents:
        sent_ns, answered_ns = prints[int(incident.nonce[1:-2])]
        met = [
            (begin_ns, f"S{number:02}")
            for number, (begin_ns, end_ns) in enumerate(runs)
            if begin_ns <= answered_ns and end_ns >= sent_ns
        ]
        assert incident.sync_run == (max(met)[1] if met else "")


def test_very_many_sync_runs(tmp_path: Path) -> None:
    """Among very many sync runs, with one that lasted through all of them, the last that met the print is found."""
    target = [sync_run(f"S{number}", number * 10, number * 10 + 5) for number in range(1, 20_000)]
    thefts = [
        delivery(f"A{number}", "A", paper("X", options=NUMBER), at=(number * 10_000 + 6, number * 10_000 + offset))
        for number, offset in ((3, 9), (5, 12), (9, 8))
    ]
    incidents = found(tmp_path, thefts, [sync_run("long", 0, 300_000), *target])
    assert [incident.sync_run for incident in incidents] == ["long", "S5001", "long"]


POINTS = [
    PrintEvent(nonce="A1.1", point=point, at_ns=at_ns, slot="1")
    for point, at_ns in (("waiting", 1300), ("staged", 1400), ("written", 1500), ("read", 1600), ("delivered", 1700))
]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param([("S1", 1300, 1301)], "S1", id="while it waits"),
        pytest.param([("S1", 1100, 1300)], "S1", id="ends as the wait begins"),
        pytest.param([("S1", 1600, 1900)], "S1", id="begins as it is read"),
        pytest.param([("S1", 1100, 1299)], "", id="over before the wait"),
        pytest.param([("S1", 1601, 1900)], "", id="begins after it was read, though still in flight"),
        pytest.param([("S1", 1350, 1360), ("S2", 1650, 1700)], "S1", id="the last that could have done it"),
    ],
)
def test_sync_run_by_points(tmp_path: Path, runs: list[tuple[str, int, int]], expected: str) -> None:
    """Where the points are known, only the time from the wait to the reading back counts."""
    (incident,) = found(tmp_path, [THEFT], [*(sync_run(*run) for run in runs), *POINTS])
    assert incident.sync_run == expected


def test_points_of_others(tmp_path: Path) -> None:
    """The points of other prints do not narrow the time of this one."""
    other = [msgspec.structs.replace(event, nonce="A9.1") for event in POINTS]
    (incident,) = found(tmp_path, [THEFT], [sync_run("S1", 1900, 1950), *other])
    assert incident.sync_run == "S1"


def test_run_that_was_cut_off(tmp_path: Path) -> None:
    """A sync run without an end was at work at its begin for certain, and is charged for that instant."""
    begun = SyncRun(sync_run="S1", applied=(), begin_ns=1500)
    (incident,) = found(tmp_path / "in", [THEFT], [begun])
    assert incident.sync_run == "S1"
    (incident,) = found(tmp_path / "before", [THEFT], [msgspec.structs.replace(begun, begin_ns=999)])
    assert incident.sync_run == ""


def test_neighbours(tmp_path: Path) -> None:
    """The prints that were in flight at one instant with it are named, those before and after are not."""
    load = [
        THEFT,
        delivery("A2", "B", paper("B"), at=(500, 1000)),
        delivery("A3", "X", paper("X"), at=(2000, 2500)),
        delivery("A4", "B", paper("B"), at=(500, 999)),
        delivery("A5", "B", paper("B"), at=(2001, 2500)),
    ]
    (incident,) = found(tmp_path, load)
    assert [(neighbour.nonce, neighbour.applicant) for neighbour in incident.neighbours] == [
        ("A2.1", "B"),
        ("A3.1", "X"),
    ]
    assert {neighbour.outcome for neighbour in incident.neighbours} == {"ok"}
    assert incident.error_retried_ok == ()


def test_error_with_a_happy_end(tmp_path: Path) -> None:
    """An error beside it that ended in a normal re-application is paired with it, with its notice: the only trace."""
    load = [
        THEFT,
        failed("A2", "X", at=(1100, 2100)),
        delivery("A2", "X", paper("X"), attempt=2, at=(3000, 3100)),
        failed("A3", "B", at=(1200, 2200)),  # never mended
        failed("A4", "X", at=(2500, 2600)),  # mended, but not beside it
        delivery("A4", "X", paper("X"), attempt=2, at=(3000, 3100)),
    ]
    notices = [ErrorNotice(nonce="A2.1", code="NO_IMAGE", at_ns=2100), ErrorNotice(nonce="A4.1", code="E", at_ns=1)]
    (incident,) = found(tmp_path, load, notices)
    assert incident.error_retried_ok == ("A2.1",)
    mended, lasting = incident.neighbours
    assert (mended.nonce, mended.outcome, mended.error, mended.notice) == (
        "A2.1",
        "error_retried_ok",
        "no image",
        "NO_IMAGE",
    )
    assert (lasting.nonce, lasting.outcome, lasting.error, lasting.notice) == ("A3.1", "error_final", "no image", "")


def test_the_good_attempt_is_no_error(tmp_path: Path) -> None:
    """The re-application itself, when it is the neighbour, is named as one but is not the error."""
    load = [
        THEFT,
        failed("A2", "X", at=(100, 200)),
        delivery("A2", "X", paper("X"), attempt=2, at=(1500, 1600)),
    ]
    (incident,) = found(tmp_path, load)
    assert [neighbour.nonce for neighbour in incident.neighbours] == ["A2.2"]
    assert incident.error_retried_ok == ()


def test_retried_errors(tmp_path: Path) -> None:
    """Every error that was re-applied and printed normally is listed with all who were in flight at that time."""
    load = [
        failed("A2", "X", at=(1100, 2100)),
        failed("A2", "X", attempt=2, at=(2200, 2300)),
        delivery("A2", "X", paper("X"), attempt=3, at=(3000, 3100)),
        failed("A5", "X", at=(500, 600)),
        delivery("A5", "X", paper("X"), attempt=2, at=(700, 800)),
        delivery("A1", "A", paper("A"), at=(1000, 1100)),
        delivery("A4", "B", paper("B"), at=(2100, 2150)),
        delivery("A3", "A", paper("X"), at=(2250, 2260)),
        failed("A6", "B", at=(2400, 2500)),
    ]
    notices = [ErrorNotice(nonce="A2.2", code="NO_IMAGE", at_ns=2300)]
    verdict = decide(write_run(tmp_path, [*WORLD, *load], notices, started_ns=0))
    told = [
        (error.nonce, error.notice, [beside.nonce for beside in error.neighbours]) for error in verdict.retried_errors
    ]
    assert told == [("A5.1", "", []), ("A2.1", "", ["A1.1", "A4.1"]), ("A2.2", "NO_IMAGE", ["A3.1"])]
    error = verdict.retried_errors[2]
    assert (error.applicant, error.kind, error.error) == ("X", "juminhyo", "no image")
    assert error.at == "2023-04-30T00:00:00.000+09:00"
    (theft,) = error.neighbours
    assert (theft.applicant, theft.outcome) == ("A", "wrong_person")


def test_nothing_at_first_and_a_document_later(tmp_path: Path) -> None:
    """An attempt that brought nothing, and was printed when it was made again, is a retried error like any other."""
    nothing = msgspec.structs.replace(failed("A2", "X"), answer="nothing")
    load = [nothing, delivery("A2", "X", paper("X"), attempt=2, at=(300, 400)), delivery("A1", "A", paper("A"))]
    (error,) = decide(write_run(tmp_path, [*WORLD, *load])).retried_errors
    assert (error.nonce, [beside.nonce for beside in error.neighbours]) == ("A2.1", ["A1.1"])


def test_order_of_neighbours(tmp_path: Path) -> None:
    """Neighbours stand in the order in which they were sent, and by their names where that is one."""
    load = [
        delivery("A5", "B", paper("B"), at=(1500, 1600)),
        delivery("A3", "B", paper("B"), at=(1400, 1450)),
        delivery("A4", "X", paper("X"), at=(1400, 1450)),
        THEFT,
    ]
    for number, order in enumerate((load, load[::-1])):
        (incident,) = found(tmp_path / str(number), order)
        assert [neighbour.nonce for neighbour in incident.neighbours] == ["A3.1", "A4.1", "A5.1"]


def test_two_at_once(tmp_path: Path) -> None:
    """Two incidents at once are each other's neighbours."""
    load = [delivery("A1", "A", paper("X"), at=(100, 200)), delivery("A2", "X", paper("A"), at=(150, 250))]
    one, two = found(tmp_path, load)
    assert [neighbour.nonce for neighbour in one.neighbours] == ["A2.1"]
    assert [neighbour.nonce for neighbour in two.neighbours] == ["A1.1"]
    assert {neighbour.outcome for neighbour in (*one.neighbours, *two.neighbours)} == {"wrong_person"}
