"""All prints at once are judged exactly as they are one by one."""

from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judging import judge_all
from harness.oracle import judge
from harness.outcome import Outcome, combine
from harness.records import ClockReading, Evidence, Print, Refusal
from tests.harness.builders import (
    HOME,
    OTHER,
    change,
    delivery,
    entry,
    evidence_of,
    failed,
    mark,
    paper,
    refused,
    sync_run,
)

KNOWN: tuple[Evidence, ...] = (
    HOME,
    OTHER,
    entry("A"),
    entry("A", version=2),
    entry("B"),
    entry("X"),
    entry("A", kind="inkan"),
)
MOVED_OUT = (Refusal(applicant="A", reason="moved_out"),)

times = st.integers(0, 30).flatmap(lambda sent: st.tuples(st.just(sent), st.integers(sent, sent + 20)))
deliveries = st.builds(
    lambda document, kind, marked, at: delivery(
        "-", "A", document, kind=kind, marks=tuple(mark(person) for person in marked), at=at
    ),
    st.sampled_from([paper("A"), paper("A", version=2), paper("B"), paper("X"), paper("A", kind="inkan"), b"", b"?"]),
    st.sampled_from(["juminhyo", "inkan"]),
    st.lists(st.sampled_from("AX"), max_size=2),
    times,
)
others = st.builds(
    lambda make, answer, at: (
        refused("-", "A", at=at) if make else msgspec.structs.replace(failed("-", "A", at=at), answer=answer)
    ),
    st.booleans(),
    st.sampled_from(["error", "unanswered", "nothing"]),
    times,
)
attempts = st.lists(st.one_of(deliveries, others), min_size=1, max_size=3)


def numbered(applications: list[list[Print]]) -> list[Print]:
    """Each list of attempts as one application."""
    return [
        msgspec.structs.replace(print_, application=f"A{number}", attempt=attempt)
        for number, made in enumerate(applications)
        for attempt, print_ in enumerate(made, 1)
    ]


@settings(deadline=None, max_examples=150)
@given(
    applications=st.lists(attempts, max_size=6),
    refusals=st.sampled_from([(), MOVED_OUT]),
    sent_ns=st.integers(0, 40),
    acknowledged_ns=st.one_of(st.none(), st.integers(0, 40)),
    limit_s=st.sampled_from([0.0, 5e-9]),
    uncertainty_ns=st.one_of(st.none(), st.integers(0, 5)),
)
def test_against_one_by_one(
    applications: list[list[Print]],
    refusals: tuple[Refusal, ...],
    sent_ns: int,
    acknowledged_ns: int | None,
    limit_s: float,
    uncertainty_ns: int | None,
) -> None:
    """Every attempt and every application gets the one outcome that the oracle gives it by itself."""
    load: list[Evidence] = [*KNOWN, *numbered(applications), change(2, sent_ns=sent_ns, refusals=refusals)]
    clocks = ("monotonic", "monotonic")
    if uncertainty_ns is not None:
        load.append(ClockReading(at_ns=20, offset_ns=3, uncertainty_ns=uncertainty_ns))
        clocks = ("another", "monotonic")
    run = msgspec.structs.replace(sync_run(applied=[("G1", 2)], begin_ns=0), acknowledged_ns=acknowledged_ns)
    with TemporaryDirectory() as place:
        evidence = evidence_of(Path(place) / "run", load, target=[run], clocks=clocks)
        evidence.register._freshness_limit_ns = round(limit_s * 1e9)
        judged = judge_all(evidence.prints, evidence.register)
        rows = evidence.prints.fetch(range(len(evidence.prints)))
    one_by_one: defaultdict[str, list[tuple[Outcome, bool]]] = defaultdict(list)
    for row, print_ in rows.items():
        outcome = judge(print_, evidence.register).outcome
        assert list(Outcome)[judged.outcome[row]] is outcome, print_
        one_by_one[print_.application].append((outcome, print_.answer == "document"))
    expected = {application: combine(made) for application, made in one_by_one.items()}
    assert judged.counts() == Counter(dict.fromkeys(Outcome, 0)) | Counter(expected.values())
    for row, print_ in rows.items():
        assert judged.outcome_of(row) is expected[print_.application]
    misissued = {print_.application for print_, _ in judged.misissued.values()}
    assert misissued == {application for application, outcome in expected.items() if outcome.is_misissue}


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
    assert judged.outcome_of(0) is judge(print_, evidence.register).outcome is Outcome.SHOULD_REFUSE


def test_ten_thousand_of_a_sort(tmp_path: Path) -> None:
    """What is the same but for its times is judged by its times: before, in and after the version's own time."""
    prints = [delivery(f"A{number}", "A", paper("A", version=2), at=(number, number)) for number in range(10_000)]
    load = [*KNOWN, change(2, sent_ns=3000), change(3, sent_ns=6000), *prints]
    run = sync_run(begin_ns=6000, end_ns=7000, applied=[("G1", 3)])
    evidence = evidence_of(tmp_path / "run", load, target=[run])
    counts = judge_all(evidence.prints, evidence.register).counts()
    assert (counts[Outcome.UNDECIDED], counts[Outcome.OK], counts[Outcome.STALE]) == (3000, 4001, 2999)
