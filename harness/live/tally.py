"""Running counts of the attempts of one process, by identity alone, and how those of several go together.

What needs the history of the whole run (stale, a refusal) is judged when it is closed; until then it is undecided.
"""

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Literal

from harness.measures import BOUNDS_S, LATE_NS
from harness.oracle import Judgement
from harness.outcome import Outcome
from harness.records import Print, Record

KEPT = 500
"""So many misissued prints are told one by one; all of them are counted."""
FAULTS_TOLD = 20
_BOUNDS_NS = tuple(round(bound_s * 1e9) for bound_s in BOUNDS_S)

SelfTestSoFar = Literal["none", "planted", "caught"]


class Misissued(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A document that is a misissuance, whatever is learnt later.

    Args:
        sent_ns, answered_ns: of the attempt, on its process's clock.
        owners: everybody who is on it, as far as known; kind: as applied for; delivered_kind: what came out.
    """

    nonce: str
    sent_ns: int
    answered_ns: int
    outcome: Outcome
    recipient: str
    owners: tuple[str, ...]
    kind: str
    delivered_kind: str


class Tally(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What one process has counted so far.

    Args:
        issued: attempts that it sent.
        outcomes: outcome -> kind of document -> attempts that ended so.
        documents: attempts that brought one; may_have_printed: attempts whose answer was not seen whole.
        applications: first attempts that have ended.
        late_starts: attempts that were sent later than the plan of arrivals wanted.
        latency: attempts by latency, for each of `BOUNDS_S` and one more for what is above; of those that brought a
            document or got no whole answer, as in `harness.measures.Latency`.
        faults: how many it put on record; told: the first of them.
    """

    segment: str
    issued: int
    outcomes: Mapping[Outcome, Mapping[str, int]]
    documents: int
    may_have_printed: int
    applications: int
    late_starts: int
    latency: tuple[int, ...]
    latency_ns: int
    self_test: SelfTestSoFar
    faults: int
    told: tuple[str, ...]

    @property
    def ended(self) -> int:
        """Attempts that came to an end."""
        return sum(number for kinds in self.outcomes.values() for number in kinds.values())

    @property
    def misissued(self) -> int:
        """Documents that are misissuances.

        An attempt that brought nothing at all is none yet: a later one may bring the document.
        """
        return sum(
            number
            for outcome, kinds in self.outcomes.items()
            if outcome.is_misissue and outcome is not Outcome.LOST
            for number in kinds.values()
        )


class Tallying:
    """Counts while a process works. What most prints pass costs a fraction of a microsecond.

    Attributes:
        misissued: the first `KEPT` misissued prints, in the order in which they were found out.
        exposed: everybody whose data a stranger was handed, in that order.
    """

    def __init__(self) -> None:
        self.misissued: list[Misissued] = []
        self.exposed: dict[str, None] = {}
        # A member of an enumeration is slow to look up, and most prints are right.
        self._right: defaultdict[str, int] = defaultdict(int)
        self._others: Counter[tuple[Outcome, str]] = Counter()
        self._latency = [0] * (len(BOUNDS_S) + 1)
        self._latency_ns = 0
        self._others_with_document = self._may_have_printed = self._again = self._late = 0
        self._flights = array("q")
        self._add_flight: Callable[[int], None] | None = None  # of the array, while flights are kept

    def keep_flights(self) -> None:
        """Keep from now on when each attempt was in the service, for `take_flights`."""
        self._flights = array("q")
        self._add_flight = self._flights.append

    def take_flights(self) -> "array[int]":
        """When each attempt that has ended since the last time began and ended to be in the service, by turns."""
        taken = self._flights
        self.keep_flights()
        return taken

    def note_flight(self, print_: Print) -> None:
        """An attempt that is in flight no more, although nobody knows yet what it was.

        Without an answer it has ended, but was in the service at no instant for certain (see `Prints.in_service`).
        """
        if self._add_flight is not None:
            self._add_flight(print_.sent_ns)
            self._add_flight(print_.sent_ns - 1 if print_.answer == "unanswered" else print_.answered_ns)

    def count_right(self, print_: Print) -> None:
        """A right document."""
        self._right[print_.kind] += 1
        intended_ns = print_.intended_ns
        if intended_ns is None:
            latency_ns = print_.answered_ns - print_.sent_ns
        else:
            latency_ns = print_.answered_ns - intended_ns
            self._late += print_.sent_ns - intended_ns > LATE_NS
        self._latency[bisect_left(_BOUNDS_NS, latency_ns)] += 1
        self._latency_ns += latency_ns
        if print_.attempt > 1:
            self._again += 1
        add_flight = self._add_flight
        if add_flight is not None:
            add_flight(print_.sent_ns)
            add_flight(print_.answered_ns)

    def count(self, print_: Print, judgement: Judgement) -> None:
        """Any end of an attempt."""
        outcome = judgement.outcome
        if outcome is Outcome.OK:
            self.count_right(print_)
            return
        self.note_flight(print_)
        self._others[outcome, print_.kind] += 1
        self._again += print_.attempt > 1
        intended_ns = print_.sent_ns if print_.intended_ns is None else print_.intended_ns
        self._late += print_.sent_ns - intended_ns > LATE_NS
        if print_.answer in {"document", "unanswered"}:
            self._latency[bisect_left(_BOUNDS_NS, print_.answered_ns - intended_ns)] += 1
            self._latency_ns += print_.answered_ns - intended_ns
        self._may_have_printed += print_.answer == "unanswered"
        if print_.answer == "document":
            self._others_with_document += 1
            if outcome.is_misissue:
                self._keep(print_, judgement)

    def outcomes(self) -> dict[Outcome, dict[str, int]]:
        """See `Tally`."""
        found: dict[Outcome, dict[str, int]] = {Outcome.OK: dict(self._right)} if self._right else {}
        for (outcome, kind), number in self._others.items():
            found.setdefault(outcome, {})[kind] = number
        return found

    def tally(self, segment: str, issued: int, self_test: SelfTestSoFar, faults: list[str]) -> Tally:
        """All of it as it is now."""
        outcomes = self.outcomes()
        right = sum(self._right.values())
        return Tally(
            segment=segment,
            issued=issued,
            outcomes=outcomes,
            documents=right + self._others_with_document,
            may_have_printed=self._may_have_printed,
            applications=right + self._others.total() - self._again,
            late_starts=self._late,
            latency=tuple(self._latency),
            latency_ns=self._latency_ns,
            self_test=self_test,
            faults=len(faults),
            told=tuple(faults[:FAULTS_TOLD]),
        )

    def _keep(self, print_: Print, judgement: Judgement) -> None:
        self.exposed.update(dict.fromkeys(judgement.strangers))
        if len(self.misissued) < KEPT:
            self.misissued.append(
                Misissued(
                    nonce=print_.nonce,
                    sent_ns=print_.sent_ns,
                    answered_ns=print_.answered_ns,
                    outcome=judgement.outcome,
                    recipient=print_.applicant,
                    owners=judgement.persons,
                    kind=print_.kind,
                    delivered_kind=judgement.kind,
                )
            )
