"""Whatever is on record, no cause is claimed that does not hold."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.diagnosis import Cause
from harness.gate import decide
from harness.incident import Incident
from harness.records import Print, PrintEvent, SyncRun
from tests.harness.builders import HOME, OTHER, delivery, entry, failed, mark, paper, sync_run, write_run

WORLD = (HOME, OTHER, entry("A"), entry("B"), entry("X"), entry("X", kind="koseki"))
PEOPLE = ("A", "B", "X")
SLOTS = ("", "1", "2")
times = st.integers(0, 12)
spans = st.tuples(times, times).map(lambda one: (min(one), max(one)))
documents = st.sampled_from([paper("A"), paper("B"), paper("X"), paper("X", kind="koseki"), b"", b"?"])
page_marks = st.lists(
    st.builds(mark, st.sampled_from(PEOPLE), kind=st.sampled_from(["juminhyo", "koseki"])), max_size=2
).map(tuple)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Print], list[PrintEvent], list[SyncRun]]:
    """A few prints with any end, and any points."""
    prints, events = [], []
    for number in range(draw(st.integers(1, 5))):
        person, span = draw(st.sampled_from(PEOPLE)), draw(spans)
        name = f"A{draw(st.integers(0, 3)) if draw(st.booleans()) else number}"
        document, marks = draw(documents), draw(page_marks)
        attempt = number + 1
        if draw(st.integers(0, 5)):
            prints.append(
                delivery(name, person, document, attempt=attempt, at=span, marks=marks if document == b"?" else ())
            )
        else:
            prints.append(failed(name, person, attempt=attempt, at=span))
        slot = draw(st.sampled_from(SLOTS))
        at = sorted(draw(st.lists(times, min_size=4, max_size=4)))
        for point, at_ns in zip(("waiting", "staged", "written", "read"), at, strict=True):
            if draw(st.integers(0, 4)):
                events.append(PrintEvent(nonce=prints[-1].nonce, point=point, at_ns=at_ns, slot=slot))
    runs = [sync_run(f"S{number}", *span) for number, span in enumerate(draw(st.lists(spans, max_size=2)))]
    return prints, events if draw(st.booleans()) else [], runs


def _made_for(document: Print, donor: Print) -> bool:
    """Whether the donor asked for what came out, or for a part of it, told by the bytes themselves."""
    asked = paper(donor.applicant, kind=donor.kind)
    parts = {(person, mark.kind) for mark in document.marks for person in mark.persons}
    return delivery("A", "A", asked).checksum == document.checksum or (donor.applicant, donor.kind) in parts


@settings(deadline=None, max_examples=200)
@given(worlds())
def test_no_cause_without_its_relation(world: tuple[list[Print], list[PrintEvent], list[SyncRun]]) -> None:
    """Whatever the evidence is, no cause is claimed of which the relation does not hold, and nothing fails."""
    prints, events, runs = world
    with TemporaryDirectory() as directory:
        run = write_run(Path(directory), [*WORLD, *prints], [*runs, *events], shows_points=bool(events))
        found = decide(run).incidents
    by_nonce = {print_.nonce: print_ for print_ in prints}
    for incident in found:
        _check_relation(incident, by_nonce, events, runs)


def _check_relation(
    incident: Incident, prints: dict[str, Print], events: Sequence[PrintEvent], runs: Sequence[SyncRun]
) -> None:
    recipient, donor = prints[incident.nonce], prints.get(incident.donor)
    assert incident.cause in set(Cause)
    assert (donor is None) == (not incident.donor)
    if donor is not None:
        assert donor is not recipient
        assert _made_for(recipient, donor)
    mine = {event.point: event for event in events if event.nonce == incident.nonce}
    others = {event.point: event for event in events if event.nonce == incident.donor}
    match incident.cause:
        case Cause.SPURIOUS_RELEASE | Cause.OVERWRITTEN:
            assert donor is not None
            assert others["written"].slot == mine["read"].slot
            assert mine["written"].at_ns <= others["written"].at_ns <= mine["read"].at_ns
            assert runs or incident.cause == Cause.OVERWRITTEN
        case Cause.IN_FLIGHT_TOGETHER:
            assert donor is not None
            assert not {"written", "read"} <= mine.keys()
            assert max(recipient.sent_ns, donor.sent_ns) <= min(recipient.answered_ns, donor.answered_ns)
        case Cause.LEFT_OVER:
            assert donor is not None
            assert donor.answered_ns < recipient.sent_ns
        case Cause.SAME_SECOND:
            assert donor is not None
        case Cause.SEVERAL_PARTS:
            assert len({(mark.persons, mark.kind, mark.version) for mark in recipient.marks}) > 1
        case Cause.REPEATED_APPLICATION:
            assert incident.outcome == "duplicate"
        case Cause.STALE_COPY | Cause.REFUSAL_MISSED | Cause.ONE_FOR_MANY:
            raise AssertionError("nothing changes in these worlds, and nobody has three strangers")
        case _:
            assert not incident.donor
