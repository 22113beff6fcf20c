"""An incident names who was handed what of whom, in which sync run, and who was in flight beside it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

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
    assert (incident.kind, incident.options, incident.delivered_kind) == ("juminhyo", (), "juminhyo")
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
    (incident,) = found(tmp_path, [delivery("A1", "A", b"?", marks=(mark("A"), mark("X", kind="koseki", page=2)))])
    assert (incident.owners, incident.exposed_persons) == (("A", "X"), ("X",))
    assert incident.delivered_kind == "koseki"


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


def test_two_at_once(tmp_path: Path) -> None:
    """Two incidents at once are each other's neighbours."""
    load = [delivery("A1", "A", paper("X"), at=(100, 200)), delivery("A2", "X", paper("A"), at=(150, 250))]
    one, two = found(tmp_path, load)
    assert [neighbour.nonce for neighbour in one.neighbours] == ["A2.1"]
    assert [neighbour.nonce for neighbour in two.neighbours] == ["A1.1"]
    assert {neighbour.outcome for neighbour in (*one.neighbours, *two.neighbours)} == {"wrong_person"}
