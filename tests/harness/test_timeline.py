"""A timeline tells what the evidence tells: who waited, wrote, overwrote, read and released, in the order of time."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness.evidence.events import Reached
from harness.gate import examine
from harness.records import ErrorNotice, Evidence, PrintEvent, SyncRun
from harness.report.language import ENGLISH, JAPANESE, Language
from harness.report.masking import Masking
from harness.report.timeline import Lane, Side, Span, Timeline, sync_runs_of, timeline_of
from harness.report.timeline_words import source_text, step_text
from harness.report.timelines import timelines
from tests.harness.builders import HOME, LOAD, OTHER, delivery, ended, entry, failed, paper, sync_run, write_run

A_POINTS = {"applied": 110, "waiting": 115, "staged": 120, "written": 130, "read": 170, "delivered": 175}
B_POINTS = {"applied": 118, "rendered": 119, "waiting": 121, "staged": 150, "written": 155, "read": 180}
RELEASING = SyncRun(
    sync_run="S1", applied=(), begin_ns=135, applied_ns=140, released_ns=146, acknowledged_ns=149, end_ns=146
)


def reached(points: Mapping[str, int], slot: int = 0) -> dict[str, Reached]:
    return {point: Reached(at_ns, -1 if point in {"applied", "rendered"} else slot) for point, at_ns in points.items()}


def side(name: str, person: str, points: Mapping[str, int], *, slot: int = 0, fails: bool = False) -> Side:
    """A print from 100 to 200 that reached these points."""
    print_ = failed(name, person) if fails else delivery(name, person, paper("X"))
    notice = ErrorNotice(nonce=print_.nonce, code="image_missing", at_ns=190) if fails else None
    return Side(print_=print_, segment=LOAD, points=reached(points, slot), notice=notice)


A = side("A1", "A", A_POINTS)
B = side("A2", "X", B_POINTS, fails=True)


def overwriting(a: Side = A, b: Side | None = B, runs: Sequence[SyncRun] = (RELEASING,)) -> Timeline:
    """A wrote, B overwrote, A read."""
    return timeline_of(a, b, runs, ("1", "2"))


def told(timeline: Timeline) -> list[tuple[int, str, str]]:
    return [(step.at_ns, step.who, step.what) for step in timeline.steps]


def test_the_story_of_2023() -> None:
    """B was let on while A had the stage, and wrote between A's writing and A's reading; then B got an error."""
    timeline = overwriting()
    assert told(timeline) == [
        (0, "a", "sent"),
        (0, "b", "sent"),
        (10, "a", "applied"),
        (15, "a", "waiting"),
        (18, "b", "applied"),
        (19, "b", "rendered"),
        (20, "a", "staged"),
        (21, "b", "waiting"),
        (30, "a", "written"),
        (35, "", "sync_begin"),
        (40, "", "sync_applied"),
        (46, "", "sync_released"),
        (49, "", "sync_acknowledged"),
        (50, "b", "let_on"),
        (55, "b", "overwritten"),
        (70, "a", "read_wrong"),
        (75, "a", "delivered"),
        (80, "b", "read_after"),
        (90, "b", "notice"),
        (100, "a", "handed"),
        (100, "b", "answered_error"),
    ]
    assert (timeline.overwritten_ns, timeline.read_ns, timeline.slot) == (55, 70, "1")
    assert timeline.a.person == "A"
    assert timeline.b is not None
    assert timeline.b.person == "X"
    assert timeline.lanes == tuple(Lane)


def test_what_lasted() -> None:
    """Waits end at the stage, the file holds A's image until B writes and B's until A has read it, as it was."""
    spans = {(span.lane, span.what, span.who): (span.begin_ns, span.end_ns) for span in overwriting().spans}
    assert spans == {
        (Lane.KIOSK_A, "in_flight", "a"): (0, 100),
        (Lane.KIOSK_B, "in_flight", "b"): (0, 100),
        (Lane.STAGE, "waits", "a"): (15, 20),
        (Lane.STAGE, "waits", "b"): (21, 50),
        (Lane.STAGE, "in_stage", "a"): (20, 75),
        (Lane.STAGE, "in_stage", "b"): (50, 80),
        (Lane.IMAGE, "holds", "a"): (30, 55),
        (Lane.IMAGE, "holds", "b"): (55, 70),
        (Lane.SYNC_RUN, "at_work", ""): (35, 46),
        (Lane.SYNC_RUN, "releases", ""): (40, 46),
    }


@pytest.mark.parametrize(
    "b",
    [
        side("A2", "X", B_POINTS, slot=1),
        side("A2", "X", {**B_POINTS, "written": 129}),
        side("A2", "X", {**B_POINTS, "written": 171}),
        side("A2", "X", {"applied": 118}),
    ],
    ids=["other slot", "before", "after", "never"],
)
def test_no_overwriting_is_made_up(b: Side) -> None:
    """Where B's writing does not lie between A's writing and reading of one slot, nobody says that it did."""
    timeline = overwriting(b=b)
    assert timeline.overwritten_ns is None
    assert not {what for *_, what in told(timeline)} & {"overwritten", "read_wrong", "let_on", "read_after"}
    assert (70, "a", "read") in told(timeline)


def test_a_point_that_was_not_told() -> None:
    """Without A's writing on record nothing is said to have been overwritten."""
    points = {point: at_ns for point, at_ns in A_POINTS.items() if point != "written"}
    assert overwriting(a=side("A1", "A", points)).overwritten_ns is None


@pytest.mark.parametrize(("staged", "what"), [(119, "staged"), (120, "let_on"), (154, "let_on")])
def test_who_was_let_on(staged: int, what: str) -> None:
    """B is said to have been let on although A was in the stage only where A was there."""
    timeline = overwriting(b=side("A2", "X", {**B_POINTS, "staged": staged}))
    assert (staged - 100, "b", what) in told(timeline)


def test_seen_from_outside() -> None:
    """Of a service that shows only its outside both prints in flight and the sync run remain."""
    timeline = timeline_of(side("A1", "A", {}), side("A2", "X", {}), [sync_run()], ())
    assert timeline.lanes == (Lane.KIOSK_A, Lane.KIOSK_B, Lane.SYNC_RUN)
    assert [span.what for span in timeline.spans] == ["in_flight", "in_flight", "at_work"]
    assert (timeline.slot, timeline.overwritten_ns, timeline.read_ns) == ("", None, None)


def test_alone() -> None:
    """Where nobody knows whose print the document was made for, only A is shown."""
    timeline = overwriting(b=None, runs=())
    assert timeline.b is None
    assert Lane.KIOSK_B not in timeline.lanes
    assert {step.who for step in timeline.steps} == {"a"}


def test_points_of_its_own() -> None:
    """A point that only this service has is told by its name."""
    (step,) = [step for step in overwriting(a=side("A1", "A", {"stamped": 150})).steps if step.what == "point"]
    assert (step.at_ns, step.lane, step.values, step.is_key) == (50, Lane.STAGE, {"point": "stamped"}, False)


def test_numbers() -> None:
    """The key steps count up from 1 in the order of time; the others have no number."""
    timeline = overwriting()
    numbers = [number for number in timeline.numbers if number]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [bool(number) for number in timeline.numbers] == [step.is_key for step in timeline.steps]
    assert len(numbers) == 15


def test_a_cut_off_sync_run() -> None:
    """Of a sync run that was cut off only what was told is shown."""
    cut = SyncRun(sync_run="S9", applied=(), begin_ns=150)
    timeline = overwriting(b=None, runs=[cut])
    assert [step.what for step in timeline.steps if step.lane is Lane.SYNC_RUN] == ["sync_begin"]
    assert [span for span in timeline.spans if span.lane is Lane.SYNC_RUN] == [
        Span(lane=Lane.SYNC_RUN, what="at_work", who="", begin_ns=50, end_ns=50)
    ]


def applied(name: str, begin_ns: int, applied_ns: int) -> SyncRun:
    return SyncRun(sync_run=name, applied=(), begin_ns=begin_ns, applied_ns=applied_ns, end_ns=applied_ns + 5)


@pytest.mark.parametrize(
    ("charged", "runs", "shown"),
    [
        ("S1", [("S1", 130, 140), ("S2", 10, 20)], ["S1"]),
        ("S1", [("S1", 160, 165), ("S2", 130, 140)], ["S2", "S1"]),  # S2 came before B was let on, S1 after
        ("S3", [("S1", 130, 140), ("S2", 135, 145), ("S3", 120, 121)], ["S3", "S2"]),
        ("", [("S1", 151, 160)], []),
        ("", [("S1", 90, 95)], []),  # over before B waited
        ("gone", [("S1", 145, 150)], ["S1"]),
    ],
)
def test_which_sync_runs(charged: str, runs: list[tuple[str, int, int]], shown: list[str]) -> None:
    """The one that the incident is charged to, and the last that can have released B's wait, if it is another."""
    found = sync_runs_of(charged, A, B, [applied(*run) for run in runs])
    assert [run.sync_run for run in found] == shown


WORLD: tuple[Evidence, ...] = (HOME, OTHER, entry("A"), entry("X"))


def points_of(nonce: str, points: Mapping[str, int], slot: str = "slot") -> list[PrintEvent]:
    return [PrintEvent(nonce=nonce, point=point, at_ns=at_ns, slot=slot) for point, at_ns in points.items()]


def test_out_of_the_evidence(tmp_path: Path) -> None:
    """Both prints are found in the ledger by their names, with what B did after its error."""
    load: list[Evidence] = [
        *WORLD,
        delivery("A1", "A", paper("X"), at=(100, 200)),
        failed("A2", "X", at=(101, 200)),
        delivery("A2", "X", paper("X"), attempt=2, at=(500, 600)),
        delivery("A3", "X", paper("X"), at=(700, 710)),
    ]
    target: list[Evidence] = [
        *points_of("A1.1", A_POINTS),
        *points_of("A2.1", B_POINTS),
        RELEASING,
        ErrorNotice(nonce="A2.1", code="image_missing", at_ns=190),
    ]
    decision = examine(write_run(tmp_path, load, target, shows_points=True))
    (incident,) = decision.verdict.incidents
    assert incident.donor == "A2.1"
    (timeline,) = timelines(decision.evidence, [incident]).values()
    assert (timeline.overwritten_ns, timeline.slot) == (55, "slot")
    assert told(timeline)[-3:] == [(100, "b", "answered_error"), (400, "b", "sent_again"), (500, "b", "again_document")]
    assert {step.source for step in timeline.steps} == {LOAD, "points", "sync_runs", "notices"}
    assert (19, "b", "rendered") in told(timeline)


def test_several_incidents_at_once(tmp_path: Path) -> None:
    """Each incident has a timeline of its own, by its nonce; one whose print is not there has none."""
    load = [*WORLD, *(delivery(f"A{n}", "A", paper("X"), at=(n * 1000, n * 1000 + 50)) for n in (1, 2, 3))]
    decision = examine(write_run(tmp_path, load))
    found = timelines(decision.evidence, decision.verdict.incidents)
    assert {nonce: timeline.a.nonce for nonce, timeline in found.items()} == {f"A{n}.1": f"A{n}.1" for n in (1, 2, 3)}
    others = examine(write_run(tmp_path / "other", [*WORLD, delivery("A9", "A", paper("X"))])).verdict.incidents
    assert timelines(decision.evidence, others) == {}


@pytest.mark.parametrize("language", [ENGLISH, JAPANESE], ids=["en", "ja"])
@pytest.mark.parametrize("answer", ["document", "refused", "error", "unanswered", "nothing"])
def test_every_step_has_its_words(tmp_path: Path, answer: str, language: Language) -> None:
    """However the prints ended, each step is said in a sentence that names who did it, and where it is on record."""
    decision = examine(write_run(tmp_path, [*WORLD, delivery("A1", "A", paper("X"))]))
    (incident,) = decision.verdict.incidents
    again = ended(answer, "A2", "X", attempt=2, at=(300, 400))
    again = delivery("A2", "X", paper("X"), attempt=2) if answer == "document" else again
    first = ended(answer, "A2", "X") if answer != "document" else delivery("A2", "X", paper("X"))
    b = Side(
        print_=first, segment="load-2", points=reached({**B_POINTS, "stamped": 160}), notice=B.notice, later=(again,)
    )
    timeline = overwriting(b=b)
    masking = Masking()
    texts = [step_text(step, timeline, incident, language, masking) for step in timeline.steps]
    assert all(text.endswith("." if language is ENGLISH else "。") for text in texts)
    assert not any("{" in text or "None" in text for text in texts)
    for person in masking.persons(("A", "X")):
        assert sum(person in text for text in texts) >= 2
    sources = {source_text(step, language) for step in timeline.steps}
    assert len(sources) == 5
    assert any("load-2" in source for source in sources)
