"""What a process counts of its attempts is what lies in its ledger."""

import msgspec
import pytest

from harness.live.tally import FAULTS_TOLD, KEPT, Misissued, Tally, Tallying
from harness.measures import BOUNDS_S
from harness.oracle import Judgement
from harness.outcome import Outcome
from harness.records import Print
from tests.harness.builders import KIND, delivery, ended, failed, paper, refused

MS = 1_000_000
RIGHT = Judgement(outcome=Outcome.OK)
WRONG = Judgement(outcome=Outcome.WRONG_PERSON, persons=("X", "Y"), strangers=("X",), kind="koseki")
ERROR = Judgement(outcome=Outcome.ERROR_FINAL)


def right(name: str = "A1", **fields: object) -> Print:
    """A print that brought the right document."""
    return msgspec.structs.replace(delivery(name, "A", paper("A")), **fields)


def tally(counts: Tallying) -> Tally:
    return counts.tally("load-1", 10, "planted", [])


def buckets(**numbers: int) -> tuple[int, ...]:
    """Attempts in the buckets of these numbers, written `b3=1`."""
    return tuple(numbers.get(f"b{number}", 0) for number in range(len(BOUNDS_S) + 1))


def test_outcomes() -> None:
    """Attempts are counted by outcome and kind; documents, errors and unseen answers are told apart."""
    counts = Tallying()
    counts.count_right(right("A1"))
    counts.count(right("A2", kind="inkan"), RIGHT)
    counts.count(delivery("A3", "A", paper("X")), WRONG)
    counts.count(failed("A4", "A"), ERROR)
    counts.count(ended("unanswered", "A5", "A"), ERROR)
    counts.count(ended("nothing", "A6", "A"), Judgement(outcome=Outcome.LOST))
    counts.count(refused("A7", "A"), Judgement(outcome=Outcome.UNDECIDED))
    seen = tally(counts)
    assert seen.outcomes == {
        Outcome.OK: {KIND: 1, "inkan": 1},
        Outcome.WRONG_PERSON: {KIND: 1},
        Outcome.ERROR_FINAL: {KIND: 2},
        Outcome.LOST: {KIND: 1},
        Outcome.UNDECIDED: {KIND: 1},
    }
    assert (seen.issued, seen.ended, seen.documents, seen.may_have_printed) == (10, 7, 3, 1)
    assert (seen.segment, seen.self_test) == ("load-1", "planted")


def test_lost_attempt_is_no_misissuance_yet() -> None:
    """An attempt that brought nothing is no misissuance, because a later one may bring the document."""
    counts = Tallying()
    counts.count(ended("nothing", "A1", "A"), Judgement(outcome=Outcome.LOST))
    assert (tally(counts).misissued, counts.misissued) == (0, [])
    counts.count(delivery("A1", "A", paper("X"), attempt=2), WRONG)
    assert (tally(counts).misissued, len(counts.misissued)) == (1, 1)


@pytest.mark.parametrize(
    ("latency_ns", "bucket"),
    [(0, 0), (5 * MS, 0), (5 * MS + 1, 1), (300 * MS, 7), (120_000 * MS, 15), (120_000 * MS + 1, 16)],
)
def test_latency(latency_ns: int, bucket: int) -> None:
    """A latency is counted in the first bucket whose bound is not below it, right document or not."""
    counts = Tallying()
    counts.count_right(right(sent_ns=100, answered_ns=100 + latency_ns))
    assert tally(counts).latency == buckets(**{f"b{bucket}": 1})
    counts.count(right(sent_ns=100, answered_ns=100 + latency_ns), WRONG)
    assert tally(counts).latency == buckets(**{f"b{bucket}": 2})
    assert tally(counts).latency_ns == 2 * latency_ns


def test_latency_without_a_document() -> None:
    """An answer that was not seen whole counts as long as the client waited; an error and a refusal do not count."""
    counts = Tallying()
    counts.count(ended("unanswered", "A1", "A", at=(0, 20_000 * MS)), ERROR)
    counts.count(failed("A2", "A"), ERROR)
    counts.count(refused("A3", "A"), Judgement(outcome=Outcome.UNDECIDED))
    assert tally(counts).latency == buckets(b13=1)


def test_plan_of_arrivals() -> None:
    """Latency counts from the intended start, and what was sent more than 10 ms later than that is a late start."""
    counts = Tallying()
    for number, late_ns in enumerate((0, 10 * MS, 10 * MS + 1)):
        print_ = right(f"A{number}", intended_ns=100, sent_ns=100 + late_ns, answered_ns=100 + late_ns + 40 * MS)
        counts.count_right(print_)
        counts.count(print_, WRONG)
    assert tally(counts).late_starts == 2
    assert tally(counts).latency == buckets(b3=4, b4=2)
    counts.count(msgspec.structs.replace(failed("A9", "A"), intended_ns=100, sent_ns=100 + 11 * MS), ERROR)
    assert tally(counts).late_starts == 3


def test_applications() -> None:
    """Each application counts once, however often it was made again."""
    counts = Tallying()
    counts.count(failed("A1", "A"), ERROR)
    counts.count(failed("A1", "A", attempt=2), ERROR)
    counts.count_right(right("A1", attempt=3))
    counts.count_right(right("A2"))
    assert (tally(counts).applications, tally(counts).ended) == (2, 4)


def test_misissued() -> None:
    """A misissued print is kept with whom it concerns, as far as there is room; everybody exposed is."""
    counts = Tallying()
    for number in range(KEPT + 3):
        judgement = msgspec.structs.replace(WRONG, strangers=(f"P{number}",))
        counts.count(delivery(f"A{number}", "A", paper("X")), judgement)
    assert counts.misissued[0] == Misissued(
        nonce="A0.1",
        sent_ns=100,
        answered_ns=200,
        outcome=Outcome.WRONG_PERSON,
        recipient="A",
        owners=("X", "Y"),
        kind=KIND,
        delivered_kind="koseki",
    )
    assert (len(counts.misissued), len(counts.exposed), tally(counts).misissued) == (KEPT, KEPT + 3, KEPT + 3)
    counts.count(delivery("B1", "A", paper("X")), msgspec.structs.replace(WRONG, strangers=("P0",)))
    assert len(counts.exposed) == KEPT + 3


def test_faults() -> None:
    """Faults are counted, and the first of them told in words."""
    faults = [f"fault {number}" for number in range(FAULTS_TOLD + 2)]
    seen = Tallying().tally("load-1", 0, "none", faults)
    assert (seen.faults, seen.told) == (FAULTS_TOLD + 2, tuple(faults[:FAULTS_TOLD]))


def test_flights() -> None:
    """When each attempt was in the service is kept where that is asked for, and handed over once."""
    counts = Tallying()
    counts.count_right(right(sent_ns=1, answered_ns=2))
    counts.keep_flights()
    counts.count_right(right(sent_ns=3, answered_ns=4))
    counts.count(failed("A2", "A", at=(5, 6)), ERROR)
    counts.count(right(sent_ns=7, answered_ns=8), RIGHT)
    assert counts.take_flights().tolist() == [3, 4, 5, 6, 7, 8]
    assert counts.take_flights().tolist() == []
    counts.count_right(right(sent_ns=9, answered_ns=10))
    assert counts.take_flights().tolist() == [9, 10]


def test_a_flight_without_an_answer() -> None:
    """An attempt whose answer was not seen has ended, and was in the service at no instant for certain."""
    counts = Tallying()
    counts.keep_flights()
    counts.count(ended("unanswered", "A1", "A", at=(3, 9)), ERROR)
    sent_ns, answered_ns = counts.take_flights()
    assert (sent_ns, answered_ns < sent_ns) == (3, True)
