"""Whose document came out, seen from who asked, points at the cause; and only where that relation really holds."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from harness.diagnosis import Cause
from harness.gate import decide
from harness.incident import Incident
from harness.records import ClockReading, Evidence, Group, PrintEvent, Refusal, SyncRun
from harness.report.language import ENGLISH, JAPANESE
from tests.harness.builders import CLOCK, HOME, OTHER, change, delivery, entry, failed, mark, paper, sync_run, write_run

SECOND_NS = 10**9
WORLD: tuple[Evidence, ...] = (HOME, OTHER, entry("A"), entry("B"), entry("X"), entry("X", kind="koseki"))
RECIPIENT = delivery("A1", "A", paper("X"), at=(1000, 2000))
DONOR = delivery("A2", "X", paper("X"), at=(1100, 2100))
STAGE = {"waiting": 1050, "staged": 1200, "written": 1210, "read": 1900}


def points(nonce: str, slot: str = "1", /, **at_ns: int) -> list[Evidence]:
    """A print's way through a slot."""
    return [PrintEvent(nonce=nonce, point=point, at_ns=at, slot=slot) for point, at in at_ns.items()]


def incidents(directory: Path, load: Iterable[Evidence], target: Iterable[Evidence] = ()) -> tuple[Incident, ...]:
    """Of a run with these records."""
    target = tuple(target)
    shows_points = any(isinstance(record, PrintEvent) for record in target)
    return decide(write_run(directory, [*WORLD, *load], target, shows_points=shows_points)).incidents


def suspected(directory: Path, load: Iterable[Evidence], target: Iterable[Evidence] = ()) -> tuple[str, str]:
    """Cause and donor of the misissuance to the recipient."""
    (found,) = [incident for incident in incidents(directory, load, target) if incident.nonce == "A1.1"]
    return found.cause, found.donor


RELEASE = SyncRun(
    sync_run="S1", applied=(), begin_ns=1220, applied_ns=1300, released_ns=1400, acknowledged_ns=1600, end_ns=1500
)


@pytest.mark.parametrize(
    ("run", "donors_wait", "cause"),
    [
        pytest.param(RELEASE, (1250, 1450), "spurious_release", id="released while it waited"),
        pytest.param(RELEASE, (1250, 1300), "spurious_release", id="the wait ends as the release begins"),
        pytest.param(RELEASE, (1400, 1450), "spurious_release", id="the wait begins as the release ends"),
        pytest.param(RELEASE, (1250, 1299), "overwritten", id="let on before the release"),
        pytest.param(RELEASE, (1401, 1450), "overwritten", id="came after the release"),
        pytest.param(
            msgspec.structs.replace(RELEASE, begin_ns=1000, applied_ns=1010, released_ns=1049, end_ns=1049),
            (900, 1450),
            "overwritten",
            id="the recipient came after the release",
        ),
        pytest.param(
            msgspec.structs.replace(RELEASE, begin_ns=1000, applied_ns=1000),
            (900, 1040),
            "overwritten",
            id="let on before the recipient came",
        ),
        pytest.param(
            msgspec.structs.replace(RELEASE, applied_ns=None, released_ns=None, end_ns=None),
            (1210, 1220),
            "spurious_release",
            id="a run that was cut off was at work at its begin",
        ),
    ],
)
def test_overwritten_in_the_stage(tmp_path: Path, run: SyncRun, donors_wait: tuple[int, int], cause: str) -> None:
    """An image overwritten between written and read is blamed on a sync run if one released while both were there."""
    waiting, staged = donors_wait
    donors = points("A2.1", waiting=waiting, staged=staged, written=max(staged, STAGE["written"]) + 50)
    target = [run, *points("A1.1", **STAGE), *donors]
    donor = msgspec.structs.replace(DONOR, sent_ns=800)
    assert suspected(tmp_path, [RECIPIENT, donor], target) == (cause, "A2.1")


@pytest.mark.parametrize(
    ("slot", "written", "read"),
    [
        pytest.param("2", 1500, 1900, id="in another slot"),
        pytest.param("1", 1901, 1900, id="after the reading"),
        pytest.param("1", 1209, 1900, id="before the recipient's own"),
    ],
)
def test_no_overwriting(tmp_path: Path, slot: str, written: int, read: int) -> None:
    """Points that show that the donor did not overwrite the image rule that out, although both were in flight."""
    target: list[Evidence] = [
        sync_run("S1", 1000, 2000),
        *points("A1.1", **(STAGE | {"read": read})),
        *points("A2.1", slot, waiting=1000, staged=written - 1, written=written),
    ]
    assert suspected(tmp_path, [RECIPIENT, DONOR], target) == ("same_second", "A2.1")


def test_another_wrote_last(tmp_path: Path) -> None:
    """A print that wrote into the slot before another did is not the one whose image was read."""
    target = [
        *points("A1.1", **STAGE),
        *points("A2.1", waiting=1300, staged=1300, written=1400),
        *points("A3.1", waiting=1300, staged=1300, written=1500),
    ]
    load = [RECIPIENT, DONOR, delivery("A3", "B", paper("B"), at=(1100, 2100))]
    assert suspected(tmp_path, load, target)[0] == "same_second"


def test_left_over_of_the_slot(tmp_path: Path) -> None:
    """Where the recipient made no image and the last one of the slot is of a print long gone, that was left over."""
    old = delivery("A2", "X", paper("X"), at=(100, 200))
    since = delivery("A3", "B", paper("B"), at=(300, 400))  # in another slot
    target = [
        *points("A2.1", waiting=110, staged=120, written=130, read=140),
        *points("A3.1", "2", waiting=310, staged=320, written=330, read=340),
        *points("A1.1", waiting=1050, staged=1200, read=1900),
    ]
    assert suspected(tmp_path / "slot", [RECIPIENT, old, since], target) == ("left_over", "A2.1")
    in_this_slot = [msgspec.structs.replace(record, slot="1") for record in target if isinstance(record, PrintEvent)]
    assert suspected(tmp_path / "overlaid", [RECIPIENT, old, since], in_this_slot)[0] != "left_over"


def test_own_writing_that_came_to_nothing(tmp_path: Path) -> None:
    """Where the recipient wrote an image and a stranger's that was there before was read, that was left over, too."""
    old = delivery("A2", "X", paper("X"), at=(100, 200))
    target = [*points("A2.1", waiting=110, staged=120, written=130, read=140), *points("A1.1", **STAGE)]
    assert suspected(tmp_path / "the same", [RECIPIENT, old], target) == ("left_over", "A2.1")
    elsewhere = [*points("A2.1", "2", waiting=110, staged=120, written=130, read=140), *points("A1.1", **STAGE)]
    early = msgspec.structs.replace(old, sent_ns=-3 * SECOND_NS, answered_ns=-2 * SECOND_NS)
    assert suspected(tmp_path / "another slot", [RECIPIENT, early], elsewhere) == ("unknown", "")


def test_own_paper_from_before(tmp_path: Path) -> None:
    """Somebody's own old paper is a left-over where no new one was made, and of a stale copy where one was."""
    synchronised = sync_run("S0", 500, 600, applied=[("G1", 2)])
    old, again = delivery("A2", "A", paper("A"), at=(100, 200)), delivery("A1", "A", paper("A"), at=(1000, 2000))
    before = points("A2.1", waiting=110, staged=120, written=130, read=140)
    not_made = points("A1.1", waiting=1050, staged=1200, read=1900)
    made = points("A1.1", **STAGE)
    target = [synchronised, *before]
    load: list[Evidence] = [entry("A", version=2), change(2, sent_ns=500), old, again]
    assert suspected(tmp_path / "left", load, [*target, *not_made]) == ("left_over", "A2.1")
    assert suspected(tmp_path / "stale", load, [*target, *made]) == ("stale_copy", "")
    assert suspected(tmp_path / "outside", load, [synchronised]) == ("stale_copy", "")


@pytest.mark.parametrize(
    ("donor", "run"),
    [
        pytest.param((1100, 2100), (1500, 1600), id="a sync run within both"),
        pytest.param((2000, 2100), (2000, 2000), id="at one common instant"),
        pytest.param((1100, 2100), (2001, 2100), id="a sync run afterwards"),
    ],
)
def test_from_outside(tmp_path: Path, donor: tuple[int, int], run: tuple[int, int]) -> None:
    """Without points, being in flight together is all that is seen, whatever the sync runs did."""
    load = [RECIPIENT, delivery("A2", "X", paper("X"), at=donor)]
    assert suspected(tmp_path, load, [sync_run("S1", *run)]) == ("in_flight_together", "A2.1")


def test_left_over_from_outside(tmp_path: Path) -> None:
    """Without points a paper is left over where it was the last to be delivered before, and nothing in between."""
    old = delivery("A2", "X", paper("X"), at=(-5 * SECOND_NS, -4 * SECOND_NS))
    between = delivery("A3", "B", paper("B"), at=(300, 400))
    assert suspected(tmp_path / "last", [RECIPIENT, old]) == ("left_over", "A2.1")
    assert suspected(tmp_path / "not last", [RECIPIENT, old, between]) == ("unknown", "")
    not_handed_out = failed("A3", "B", at=(300, 400))
    assert suspected(tmp_path / "error between", [RECIPIENT, old, not_handed_out]) == ("left_over", "A2.1")
    older: list[Evidence] = [
        entry("X", version=2),
        change(2, group="G2", persons=("X",), sent_ns=500),
        msgspec.structs.replace(old, application="A2"),
        delivery("A1", "A", paper("X", version=2), at=(1000, 2000)),
    ]
    assert suspected(tmp_path / "another version", older) == ("unknown", "")
    never_seen = [RECIPIENT, failed("A2", "X", at=(-5 * SECOND_NS, -4 * SECOND_NS))]
    assert suspected(tmp_path / "never delivered", never_seen) == ("unknown", "")


@pytest.mark.parametrize(
    ("sent_ns", "cause"),
    [
        pytest.param(-SECOND_NS // 2, "same_second", id="half a second apart, in one second"),
        pytest.param(-SECOND_NS + 1, "unknown", id="the second before"),
    ],
)
def test_same_second(tmp_path: Path, sent_ns: int, cause: str) -> None:
    """By the clock on the wall, and only when nothing stronger speaks."""
    started = "2023-04-30T00:00:00.600+09:00"  # the run's clock counts from here
    load = [
        *WORLD,
        RECIPIENT,
        delivery("A2", "X", paper("X"), at=(sent_ns, sent_ns + 10)),
        delivery("A3", "B", paper("B"), at=(300, 400)),
    ]
    (incident,) = decide(write_run(tmp_path, load, (), started=started, started_ns=0)).incidents
    assert (incident.cause, incident.donor) == (cause, "A2.1" if cause == "same_second" else "")


def test_one_for_many(tmp_path: Path) -> None:
    """One person's paper in the hands of three who were not in flight with the donor is no chance."""
    others = Group(group="G3", persons=("C", "D", "E"))
    load: list[Evidence] = [
        others,
        delivery("A9", "X", paper("X"), at=(-9 * SECOND_NS, -8 * SECOND_NS)),
        delivery("A8", "B", paper("B"), at=(-7 * SECOND_NS, -6 * SECOND_NS)),
    ]
    for number, person in enumerate("CDE"):
        stranger = delivery(f"A{number}", "A", paper("X"), at=(1000 * number, 1000 * number + 10))
        load.append(msgspec.structs.replace(stranger, applicant=person, group="G3"))
    assert {(one.cause, one.donor) for one in incidents(tmp_path / "three", load)} == {("one_for_many", "A9.1")}
    assert {one.cause for one in incidents(tmp_path / "two", load[:-1])} == {"unknown"}


def test_one_for_many_in_flight(tmp_path: Path) -> None:
    """Many who were all in flight together with the donor say no more than that they were."""
    others = Group(group="G3", persons=("C", "D", "E"))
    handed = [delivery(f"A{number}", "A", paper("X"), at=(1000, 2000)) for number in range(3)]
    strangers = [
        msgspec.structs.replace(one, applicant=person, group="G3") for one, person in zip(handed, "CDE", strict=True)
    ]
    found = incidents(tmp_path, [others, msgspec.structs.replace(DONOR, application="A9"), *strangers])
    assert [(one.cause, one.donor) for one in found] == [("in_flight_together", "A9.1")] * 3


def test_nobodys_paper_for_many(tmp_path: Path) -> None:
    """Papers without anything on them are nobody's, to however many they went."""
    others = Group(group="G3", persons=("C", "D", "E"))
    empty = [msgspec.structs.replace(delivery(f"A{one}", "A", b""), applicant=one, group="G3") for one in "CDE"]
    assert {one.cause for one in incidents(tmp_path, [others, *empty])} == {"unknown"}


def test_last_of_several_donors(tmp_path: Path) -> None:
    """Of several prints for what came out the one that was sent last is named; of those before, the last answered."""
    again = delivery("A3", "X", paper("X"), at=(1200, 2200))
    assert suspected(tmp_path / "in flight", [RECIPIENT, again, DONOR]) == ("in_flight_together", "A3.1")
    apart = [*points("A1.1", **STAGE), *points("A2.1", "2", written=1300), *points("A3.1", "2", written=1400)]
    assert suspected(tmp_path / "in another slot", [RECIPIENT, again, DONOR], apart) == ("same_second", "A3.1")
    household = paper("A", "B", options=("household",))
    before = [
        delivery("A2", "B", household, options=("household",), at=(300, 400)),
        delivery("A3", "A", household, options=("household",), at=(500, 600)),
        delivery("A4", "B", household, options=("household",), at=(100, 200)),
    ]
    load: list[Evidence] = [
        entry("A", "B", options=("household",)),
        *before,
        delivery("A1", "X", household, at=(1000, 2000)),
    ]
    assert suspected(tmp_path / "before", load) == ("left_over", "A3.1")


def test_nobody_may_have_it(tmp_path: Path) -> None:
    """What is right for nobody was made for none of those who are on it."""
    load: list[Evidence] = [
        entry("A", "X", applicants=()),
        delivery("A1", "A", paper("A", "X"), at=(1000, 2000)),
        DONOR,
    ]
    assert suspected(tmp_path, load) == ("unknown", "")


def test_own_print_is_no_donor(tmp_path: Path) -> None:
    """That somebody printed the same a moment ago, or still does, explains nothing of a paper that is torn."""
    torn = delivery("A1", "A", b"?", marks=(mark("A"),), at=(1000, 2000))
    assert suspected(tmp_path / "before", [torn, delivery("A2", "A", paper("A"), at=(100, 200))]) == ("unknown", "")
    assert suspected(tmp_path / "beside", [torn, delivery("A2", "A", paper("A"), at=(1100, 1200))]) == ("unknown", "")


def test_clocks_that_do_not_tell(tmp_path: Path) -> None:
    """Two prints that may have been in flight together by clocks that are not exact do not count as such."""
    readings = [ClockReading(at_ns=at_ns, offset_ns=0, uncertainty_ns=200) for at_ns in (0, 5000)]
    load = [*WORLD, *readings, RECIPIENT, delivery("A2", "X", paper("X"), at=(2100, 2200))]
    written = write_run(tmp_path, load, (), clocks=("monotonic of load-1", CLOCK))
    (incident,) = decide(written).incidents
    assert [one.nonce for one in incident.neighbours] == ["A2.1"]
    assert (incident.cause, incident.donor) == ("same_second", "A2.1")


def test_parts_of_two(tmp_path: Path) -> None:
    """A paper with pages of two is one of parts, whoever was in flight; a cut one of a single document is not."""
    marks = (mark("A"), mark("X", page=2))
    mixed = delivery("A1", "A", b"?", marks=marks, at=(1000, 2000))
    assert suspected(tmp_path / "two", [mixed, DONOR]) == ("several_parts", "A2.1")
    assert suspected(tmp_path / "nobody", [mixed]) == ("several_parts", "")
    cut = delivery("A1", "A", b"?", marks=(mark("A"),), at=(1000, 2000))
    assert suspected(tmp_path / "cut", [cut]) == ("unknown", "")


def test_parts_of_two_versions(tmp_path: Path) -> None:
    """Pages of two versions of one's own record are parts, too."""
    second = msgspec.structs.replace(mark("A", page=2), version=2)
    torn = delivery("A1", "A", b"?", marks=(mark("A"), second), at=(1000, 2000))
    assert suspected(tmp_path, [torn, DONOR]) == ("several_parts", "")


def test_refusal_missed(tmp_path: Path) -> None:
    """What had to be refused was not; where it is of an older version the copy was stale, and knew no better."""
    refusal = Refusal(applicant="A", reason="moved_out")
    moved_out = change(2, sent_ns=500, refusals=(refusal,))
    synchronised = sync_run("S0", 500, 600, applied=[("G1", 2)])
    new = delivery("A1", "A", paper("A", version=2), at=(1000, 2000))
    old = delivery("A1", "A", paper("A"), at=(1000, 2000))
    world: list[Evidence] = [entry("A", version=2), moved_out]
    assert suspected(tmp_path / "new", [*world, new], [synchronised]) == ("refusal_missed", "")
    assert suspected(tmp_path / "old", [*world, old], [synchronised]) == ("stale_copy", "")


def test_repeated_application(tmp_path: Path) -> None:
    """An application that brought two papers was repeated although the first had not failed."""
    load = [
        delivery("A1", "A", paper("A"), at=(100, 200)),
        delivery("A1", "A", paper("A"), attempt=2, at=(1000, 2000)),
    ]
    (incident,) = incidents(tmp_path, load)
    assert (incident.outcome, incident.cause, incident.donor) == ("duplicate", "repeated_application", "")


def test_nothing_speaks(tmp_path: Path) -> None:
    """Nobody known applied for what came out, or nothing came out: the cause is unknown."""
    assert suspected(tmp_path / "alone", [RECIPIENT]) == ("unknown", "")
    nothing = msgspec.structs.replace(failed("A1", "A", at=(1000, 2000)), answer="nothing")
    assert suspected(tmp_path / "lost", [nothing, DONOR]) == ("unknown", "")
    assert suspected(tmp_path / "empty", [delivery("A1", "A", b"", at=(1000, 2000)), DONOR]) == ("unknown", "")
    other_kind = delivery("A2", "X", paper("X", kind="koseki"), kind="koseki", at=(1100, 2100))
    assert suspected(tmp_path / "kind", [RECIPIENT, other_kind]) == ("unknown", "")


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_its_words(cause: Cause) -> None:
    """Each cause is said in both languages, and no two in the same words."""
    for language in (ENGLISH, JAPANESE):
        said = [language.text(f"common.cause_{one}") for one in Cause]
        assert said.count(language.text(f"common.cause_{cause}")) == 1


def test_every_cause_is_documented() -> None:
    """Each cause has its row where the classes of defects are described, and no other has."""
    page = (Path(__file__).parents[2] / "docs" / "domain.md").read_text(encoding="utf-8")
    table = page.partition("| `cause` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [cause.value for cause in Cause]
