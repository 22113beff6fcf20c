"""All prints at once are judged exactly as they are one by one."""

from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.criteria import Criteria
from harness.judging import judge_all
from harness.oracle import judge
from harness.outcome import Outcome, combine
from harness.records import ClockReading, Document, Evidence, Print, Refusal, SyncRun
from tests.harness.builders import (
    CLOCK,
    HOME,
    OTHER,
    change,
    delivery,
    ended,
    entry,
    evidence_of,
    mark,
    paper,
    planted,
    refused,
    sync_run,
)

VERSIONS = 1, 2, 3
KNOWN: tuple[Evidence, ...] = (
    HOME,
    OTHER,
    *(entry("A", version=version) for version in VERSIONS),
    *(entry("A", kind="inkan", version=version) for version in VERSIONS),
    entry("A", options=("my_number",)),
    entry("B"),
    entry("X"),
)
PAPERS = [
    *(paper("A", version=version) for version in VERSIONS),
    paper("A", kind="inkan", version=2),
    paper("A", options=("my_number",)),
    paper("B"),
    paper("X"),
    b"",
    b"?",
]
MOVED_OUT = (Refusal(applicant="A", reason="moved_out"),)
NO_SEAL = (Refusal(applicant="A", kind="inkan", reason="no_seal"),)

instants = st.integers(0, 12)
times = st.tuples(instants, instants).map(lambda at: (min(at), max(at)))
deliveries = st.builds(
    lambda applicant, document, kind, marked, at: delivery(
        "-", applicant, document, kind=kind, marks=tuple(mark(person) for person in marked), at=at
    ),
    st.sampled_from("AAAABX"),
    st.sampled_from(PAPERS),
    st.sampled_from(["juminhyo", "juminhyo", "inkan"]),
    st.lists(st.sampled_from("AX"), max_size=2),
    times,
)
others = st.one_of(
    st.builds(
        ended, st.sampled_from(["error", "unanswered", "nothing"]), st.just("-"), st.sampled_from("AX"), at=times
    ),
    st.builds(refused, st.just("-"), st.sampled_from("AX"), kind=st.sampled_from(["juminhyo", "inkan"]), at=times),
)
attempts = st.lists(st.one_of(deliveries, others), min_size=1, max_size=3)
told = st.tuples(
    instants,
    st.sampled_from([("A", "B"), ("A", "B"), ("B",)]),
    st.sampled_from([(), MOVED_OUT, NO_SEAL]),
)
sync_runs = st.builds(
    lambda applied, acknowledged_ns: msgspec.structs.replace(
        sync_run(applied=[("G1", version) for version in applied], begin_ns=0), acknowledged_ns=acknowledged_ns
    ),
    st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=2),
    st.none() | instants,
)


still = st.builds(
    lambda version, later, word: msgspec.structs.replace(
        entry("A", version=version), version=version + later, still=word
    ),
    st.sampled_from(VERSIONS),
    st.sampled_from([1, 2]),
    st.sampled_from(["right", "altered", "unknown"]),
)


def numbered(applications: list[list[Print]]) -> list[Print]:
    """Each list of attempts as one application."""
    return [
        msgspec.structs.replace(print_, application=f"A{number}", attempt=attempt)
        for number, made in enumerate(applications)
        for attempt, print_ in enumerate(made, 1)
    ]


@settings(max_examples=200)
@given(
    applications=st.lists(attempts, max_size=6),
    still=st.lists(still, max_size=3),
    changes=st.lists(told, max_size=2),
    runs=st.lists(sync_runs, max_size=3),
    limit_s=st.sampled_from([0.0, 3e-9]),
    uncertainty_ns=st.none() | st.integers(0, 3),
    self_test=st.booleans(),
)
def test_against_one_by_one(
    applications: list[list[Print]],
    still: list[Document],
    changes: list[tuple[int, tuple[str, ...], tuple[Refusal, ...]]],
    runs: list[SyncRun],
    limit_s: float,
    uncertainty_ns: int | None,
    self_test: bool,
) -> None:
    """Every attempt and every application gets the one outcome that the oracle gives it by itself."""
    load: list[Evidence] = [*KNOWN, *still, *numbered(applications)]
    load += [
        change(version, sent_ns=sent_ns, persons=persons, refusals=refusals)
        for version, (sent_ns, persons, refusals) in enumerate(changes, 2)
    ]
    load += planted("X", paper("A")) if self_test else []
    clocks = (CLOCK, CLOCK)
    if uncertainty_ns is not None:
        load.append(ClockReading(at_ns=6, offset_ns=2, uncertainty_ns=uncertainty_ns))
        clocks = ("another", CLOCK)
    with TemporaryDirectory() as place:
        criteria = Criteria(freshness_limit_s=limit_s)
        evidence = evidence_of(Path(place) / "run", load, target=runs, clocks=clocks, criteria=criteria)
        judged = judge_all(evidence.prints, evidence.register)
        rows = evidence.prints.fetch(range(len(evidence.prints)))
    one_by_one: defaultdict[str, list[tuple[Outcome, bool]]] = defaultdict(list)
    for row, print_ in rows.items():
        outcome = judge(print_, evidence.register).outcome
        assert list(Outcome)[judged.outcome[row]] is outcome, print_
        one_by_one[print_.application].append((outcome, print_.answer == "document"))
    expected = {application: combine(made) for application, made in one_by_one.items()}
    assert judged.counts() == Counter(dict.fromkeys(Outcome, 0)) | Counter(expected.values())
    assert judged.counts().total() == len(applications)
    for row, print_ in rows.items():
        assert judged.outcomes_of(np.array([row])) == [expected[print_.application]]
    misissued = {print_.application for print_, _ in judged.misissued.values()}
    assert misissued == {application for application, outcome in expected.items() if outcome.is_misissue}


@pytest.mark.parametrize(
    ("outcome", "prints"),
    [
        ("wrong_person", [delivery("A1", "A", paper("X"))]),
        ("mixed", [delivery("A1", "A", b"?", marks=(mark("A"), mark("X", page=2)))]),
        ("over_disclosed", [delivery("A1", "A", paper("A", options=("my_number",)))]),
        ("should_refuse", [delivery("A1", "A", paper("A", version=2), at=(20, 30))]),
        ("stale", [delivery("A1", "B", paper("B"), at=(20, 30))]),
        ("wrong_kind", [delivery("A1", "A", paper("A"), kind="inkan", at=(5, 5))]),
        ("torn", [delivery("A1", "A", b"", at=(5, 5))]),
        ("duplicate", [delivery("A1", "A", paper("A"), attempt=attempt, at=(5, 5)) for attempt in (1, 2)]),
        ("misdelivered", [delivery("A1", "A", paper("B"), at=(5, 5))]),
        ("lost", [ended("nothing", "A1", "A")]),
        ("undecided", [delivery("A1", "A", b"?")]),
        ("error_final", [ended("unanswered", "A1", "A")]),
        (
            "error_retried_ok",
            [ended("nothing", "A1", "A", at=(3, 4)), delivery("A1", "A", paper("A"), attempt=2, at=(5, 5))],
        ),
        ("refused_ok", [refused("A1", "A", at=(20, 30))]),
        ("refused_wrong", [refused("A1", "A", at=(5, 5))]),
        ("ok", [delivery("A1", "A", paper("A"), at=(5, 5))]),
    ],
)
def test_every_outcome(tmp_path: Path, outcome: str, prints: list[Print]) -> None:
    """Each of the sixteen outcomes is told of a run in which it is the only one."""
    load = [*KNOWN, change(2, sent_ns=8, refusals=MOVED_OUT), *prints]
    run = sync_run(begin_ns=8, end_ns=10, applied=[("G1", 2)])
    evidence = evidence_of(tmp_path / "run", load, target=[run])
    counts = judge_all(evidence.prints, evidence.register).counts()
    assert {found: number for found, number in counts.items() if number} == {outcome: 1}


def test_document_of_another_group(tmp_path: Path) -> None:
    """A right document that the register has under another group does not hide that the applicant's own says refuse."""
    document = msgspec.structs.replace(entry("A"), group="G2", version=2)
    load: list[Evidence] = [
        HOME,
        OTHER,
        document,
        delivery("A1", "A", paper("A")),
        change(2, sent_ns=1, refusals=MOVED_OUT),
        change(2, sent_ns=1, group="G2", persons=("X", "A")),
    ]
    run = sync_run(begin_ns=2, end_ns=3, applied=[("G1", 2)])
    evidence = evidence_of(tmp_path / "run", load, target=[run])
    judged = judge_all(evidence.prints, evidence.register)
    (print_,) = evidence.prints.fetch([0]).values()
    assert judged.outcomes_of(np.array([0])) == [judge(print_, evidence.register).outcome] == [Outcome.SHOULD_REFUSE]


def test_document_that_was_altered_in_between(tmp_path: Path) -> None:
    """What was right before and will be right again is stale in between, however many prints brought it."""
    load: list[Evidence] = [
        *KNOWN,
        msgspec.structs.replace(entry("A"), version=3, still="right"),
        change(2, sent_ns=5, synchronised_ns=6),
        change(3, sent_ns=50, synchronised_ns=60),
        *(delivery(f"A{at}", "A", paper("A"), at=(at, at)) for at in (1, 20, 70)),
    ]
    evidence = evidence_of(tmp_path / "run", load, target=[])
    judged = judge_all(evidence.prints, evidence.register)
    assert judged.counts() == Counter({Outcome.OK: 2, Outcome.STALE: 1})


def test_ten_thousand_of_a_sort(tmp_path: Path) -> None:
    """What is the same but for its times is judged by its times: before, in and after the version's own time."""
    prints = [delivery(f"A{number}", "A", paper("A", version=2), at=(number, number)) for number in range(10_000)]
    load = [*KNOWN, change(2, sent_ns=3000), change(3, sent_ns=6000), *prints]
    run = sync_run(begin_ns=6000, end_ns=7000, applied=[("G1", 3)])
    evidence = evidence_of(tmp_path / "run", load, target=[run])
    counts = judge_all(evidence.prints, evidence.register).counts()
    assert (counts[Outcome.UNDECIDED], counts[Outcome.OK], counts[Outcome.STALE]) == (3000, 4001, 2999)
