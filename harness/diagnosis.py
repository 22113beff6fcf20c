"""Suspected mechanisms: whose document came out, seen from who asked, points at the cause of a misissuance. Pure.

docs/domain.md lists the classes of defects, D01 to D16, and the relation that gives each away. A cause is suspected
only where its relation holds in the evidence, and where several hold the strongest is told: what the service's own
points show of the slot, then what the document itself shows, then what could be seen from outside.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from harness.coverage import POINTS
from harness.evidence.events import Events, Reached
from harness.evidence.prints import Prints
from harness.evidence.reader import RunEvidence
from harness.oracle import Judgement
from harness.outcome import Outcome
from harness.records import Print, SyncRun
from harness.register import Register

MANY = 3
"""So many recipients of one person's document are no pair that met by chance."""

Asked = tuple[str, str, tuple[str, ...]]
"""Applicant, kind and options: what decides which document is right."""


class Cause(StrEnum):
    """What may have gone wrong inside the service, and the relation by which it is suspected.

    The donor is the print for which the document that came out was made.
    """

    SPURIOUS_RELEASE = "spurious_release"
    """D02: the donor overwrote the image in the stage, and a sync run was at work when its wait ended."""
    OVERWRITTEN = "overwritten"
    """D01, D05: the donor overwrote the image in the stage, and no sync run had to do with it."""
    LEFT_OVER = "left_over"
    """D04: the donor was delivered before, was not in flight, and nothing was made in its place since."""
    SEVERAL_PARTS = "several_parts"
    """D07, D11: the document is made of parts of several."""
    STALE_COPY = "stale_copy"
    """D12: the document is of an older version than any that was right."""
    REFUSAL_MISSED = "refusal_missed"
    """D13: the document had to be refused."""
    REPEATED_APPLICATION = "repeated_application"
    """D14: several attempts of one application brought a document each."""
    ONE_FOR_MANY = "one_for_many"
    """D09: one person's document went to many who were not in flight together with the donor."""
    IN_FLIGHT_TOGETHER = "in_flight_together"
    """D01 to D10: the donor was in flight at the same instant; what they shared cannot be seen from outside."""
    SAME_SECOND = "same_second"
    """D03: the donor was sent in the same second, and nothing stronger speaks."""
    UNKNOWN = "unknown"
    """None of these relations holds."""


class Diagnosis(NamedTuple):
    """The suspected cause of one misissuance; `donor` is the nonce of that print, empty where none is known."""

    cause: Cause
    donor: str = ""


_UNKNOWN = Diagnosis(Cause.UNKNOWN)


def diagnose(
    evidence: RunEvidence,
    misissued: Mapping[int, tuple[Print, Judgement]],
    beside: Mapping[int, Mapping[int, Print]],
) -> dict[int, Diagnosis]:
    """Row -> diagnosis of every misissuance; looks at all prints and events once, however many there are.

    Args:
        misissued: see `harness.judging.Judged`.
        beside: row of a misissued print -> the prints that were in flight at one instant together with it, by row.
    """
    if not misissued:
        return {}
    diagnoser = _Diagnoser(evidence, misissued, beside)
    return {row: diagnoser.diagnose(row) for row in misissued}


class _Diagnoser:
    """What all misissuances of a run have in common."""

    def __init__(
        self,
        evidence: RunEvidence,
        misissued: Mapping[int, tuple[Print, Judgement]],
        beside: Mapping[int, Mapping[int, Print]],
    ) -> None:
        self._prints = evidence.prints
        self._register = evidence.register
        self._events = evidence.events
        self._misissued = misissued
        asked = {row: _right_for(print_, evidence.register) for row, (print_, _) in misissued.items()}
        self._in_flight = {
            row: {other: print_ for other, print_ in beside[row].items() if asks(print_) in asked[row]}
            for row in misissued
        }
        self._before = _last_before(evidence.prints, asked)
        nonces = {print_.nonce for print_, _ in misissued.values()}
        nonces.update(print_.nonce for donors in self._in_flight.values() for print_ in donors.values())
        nonces.update(print_.nonce for print_ in self._before.values())
        self._points = evidence.events.reached(nonces)
        self._releases = _Spans(_release(run) for run in evidence.sync_runs)
        self._recipients: defaultdict[str, set[str]] = defaultdict(set)
        for print_, judgement in misissued.values():
            if judgement.strangers:
                self._recipients[print_.checksum].add(print_.applicant)
        started = round(datetime.fromisoformat(evidence.run.started).timestamp() * 1e9)
        self._wall_offset_ns = started - evidence.run.started_ns

    def diagnose(self, row: int) -> Diagnosis:
        if self._misissued[row][1].outcome is Outcome.DUPLICATE:
            return Diagnosis(Cause.REPEATED_APPLICATION)
        return self._by_points(row) or self._by_content(row) or self._from_outside(row) or _UNKNOWN

    def _by_points(self, row: int) -> Diagnosis | None:
        """The donor is the print that wrote last into the recipient's slot before the recipient's image was read."""
        print_, _ = self._misissued[row]
        mine = self._points[print_.nonce]
        if "read" not in mine:
            return None
        writers = self._writes.last_before(mine["read"], self._events.number_of(print_.nonce))
        donor = next((one for one in self._donors(row) if self._events.number_of(one.nonce) in writers), None)
        if donor is None:
            return None
        others = self._points[donor.nonce]
        is_foreign = asks(donor) != asks(print_)
        if is_foreign and "written" in mine and others["written"].at_ns >= mine["written"].at_ns:
            # Who came after a release that was wrong had to wait until the donor was gone, so both were there before.
            came_ns = max(_came_ns(donor, others), _came_ns(print_, mine))
            let_on_ns = others.get("staged", others["written"]).at_ns
            in_sync_run = self._releases.meet(came_ns, let_on_ns)
            return Diagnosis(Cause.SPURIOUS_RELEASE if in_sync_run else Cause.OVERWRITTEN, donor.nonce)
        # What somebody gets twice may also have been made anew, and only its being there alone tells otherwise.
        is_left_over = is_foreign or ("written" not in mine and donor.checksum == print_.checksum)
        is_gone = donor.answered_ns < print_.sent_ns
        return Diagnosis(Cause.LEFT_OVER, donor.nonce) if is_left_over and is_gone else None

    def _by_content(self, row: int) -> Diagnosis | None:
        """What the document itself shows."""
        print_, judgement = self._misissued[row]
        if len({(mark.persons, mark.kind, mark.options, mark.version) for mark in print_.marks}) > 1:
            donor = next((one for one in self._donors(row) if asks(one) != asks(print_)), None)
            return Diagnosis(Cause.SEVERAL_PARTS, donor.nonce if donor is not None else "")
        if judgement.outcome is Outcome.STALE or (
            judgement.outcome is Outcome.SHOULD_REFUSE and _is_stale(print_, self._register)
        ):
            return Diagnosis(Cause.STALE_COPY)
        return Diagnosis(Cause.REFUSAL_MISSED) if judgement.outcome is Outcome.SHOULD_REFUSE else None

    def _from_outside(self, row: int) -> Diagnosis | None:
        """What could have been seen without the service's points, as far as these do not contradict it."""
        print_, _ = self._misissued[row]
        points_known = {"written", "read"} <= self._points[print_.nonce].keys()
        foreign = [(other, one) for other, one in self._in_flight[row].items() if asks(one) != asks(print_)]
        foreign.sort(key=lambda one: (one[1].sent_ns, one[1].nonce), reverse=True)
        together = [one for other, one in foreign if self._together(row, other)]
        if together and not points_known:
            return Diagnosis(Cause.IN_FLIGHT_TOGETHER, together[0].nonce)
        before = self._before.get(row)
        is_same = before is not None and before.checksum == print_.checksum
        if len(self._recipients[print_.checksum]) >= MANY:
            return Diagnosis(Cause.ONE_FOR_MANY, before.nonce if before is not None and is_same else "")
        if before is not None and is_same and not points_known and self._is_latest_delivery(before, print_):
            return Diagnosis(Cause.LEFT_OVER, before.nonce)
        second = self._second(print_)
        same_second = (one for one in self._donors(row) if asks(one) != asks(print_) and self._second(one) == second)
        donor = next(same_second, None)
        return Diagnosis(Cause.SAME_SECOND, donor.nonce) if donor is not None else None

    def _donors(self, row: int) -> list[Print]:
        """Prints for which it would have been right: those in flight, the last one sent first, and the last before."""
        found = sorted(self._in_flight[row].values(), key=lambda one: (one.sent_ns, one.nonce), reverse=True)
        return [*found, self._before[row]] if row in self._before else found

    def _together(self, row: int, other: int) -> bool:
        """Whether both were in flight at one instant for certain."""
        sent_ns, answered_ns = self._prints.certain
        return bool(max(sent_ns[row], sent_ns[other]) <= min(answered_ns[row], answered_ns[other]))

    def _is_latest_delivery(self, donor: Print, print_: Print) -> bool:
        """Whether nothing was delivered to anybody between the two."""
        place = int(np.searchsorted(self._deliveries, print_.sent_ns)) - 1
        return place >= 0 and int(self._deliveries[place]) == donor.answered_ns

    @cached_property
    def _deliveries(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        return np.sort(self._prints.possible.answered_ns[self._prints.answered_with("document")])

    @cached_property
    def _writes(self) -> "_Writes":
        return _Writes(self._events)

    def _second(self, print_: Print) -> int:
        """In which second of the wall clock it was sent."""
        return (print_.sent_ns + self._wall_offset_ns) // 10**9


class _Spans:
    """Closed intervals, to be asked whether any of them has an instant in common with another."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(spans)
        self._begins = [begin_ns for begin_ns, _ in ordered]
        self._latest_ends = list(accumulate((end_ns for _, end_ns in ordered), max))

    def meet(self, begin_ns: int, end_ns: int) -> bool:
        """Of those that begin by its end, the one that lasts longest decides."""
        begun = bisect_right(self._begins, end_ns)
        return begin_ns <= end_ns and begun > 0 and self._latest_ends[begun - 1] >= begin_ns


class _Writes:
    """All images that were written into slots, in order of slot and time."""

    def __init__(self, events: Events) -> None:
        rows = np.flatnonzero(events.point == POINTS.index("written"))
        rows = rows[np.lexsort((events.at_ns[rows], events.slot[rows]))]
        self._print, self._at_ns = events.print_[rows], events.at_ns[rows]
        slots, begins, lengths = np.unique(events.slot[rows], return_index=True, return_counts=True)
        self._of_slot = {
            slot: (begin, begin + length)
            for slot, begin, length in zip(slots.tolist(), begins.tolist(), lengths.tolist(), strict=True)
        }

    def last_before(self, read: Reached, own: int) -> set[int]:
        """Number of the print that wrote last into the slot, at the time of the reading at the latest, but for one.

        Of several in one nanosecond nobody knows which was the last.
        """
        begin, end = self._of_slot.get(read.slot, (0, 0))
        place = bisect_right(self._at_ns, read.at_ns, begin, end) - 1
        while place >= begin and self._print[place] == own:
            place -= 1
        first = bisect_left(self._at_ns, self._at_ns[place], begin, place) if place >= begin else place + 1
        return set(self._print[first : place + 1].tolist()) - {own}


def asks(print_: Print) -> Asked:
    """What the print asked for."""
    return print_.applicant, print_.kind, print_.options


def _right_for(print_: Print, register: Register) -> set[Asked]:
    """Everything that could have been asked for to get, by right, what came out, or a part of it."""
    document = register.find(print_.checksum) if print_.checksum else None
    if document is not None:
        return {(applicant, document.kind, document.options) for applicant in document.applicants}
    return {(person, mark.kind, mark.options) for mark in print_.marks for person in mark.persons}


def _last_before(prints: Prints, asked: Mapping[int, set[Asked]]) -> dict[int, Print]:
    """Row -> the last print for what came out there that was answered before that of the row was sent."""
    numbers = {asked_: number for number, asked_ in enumerate(sorted(set().union(*asked.values())))}
    of_sort = np.array([numbers.get(asks(sort), -1) for sort in prints.sorts], dtype=np.int64)
    of_row = of_sort[prints.sort]
    rows = np.flatnonzero(of_row >= 0)
    answered_ns, sent_ns = prints.possible.answered_ns, prints.possible.sent_ns
    rows = rows[np.lexsort((rows, answered_ns[rows], of_row[rows]))]
    times, edges = answered_ns[rows], np.searchsorted(of_row[rows], np.arange(len(numbers) + 1))
    found: dict[int, list[int]] = {}
    for row, wanted in asked.items():
        for number in map(numbers.__getitem__, wanted):
            begin, end = int(edges[number]), int(edges[number + 1])
            after = bisect_left(times, sent_ns[row], begin, end)
            if after > begin:
                first = bisect_left(times, times[after - 1], begin, after)  # of those answered in one nanosecond
                found.setdefault(row, []).extend(rows[first:after].tolist())
    before = prints.fetch(other for others in found.values() for other in others)
    return {
        row: max((before[other] for other in others), key=lambda one: (one.answered_ns, one.nonce))
        for row, others in found.items()
    }


def _is_stale(print_: Print, register: Register) -> bool:
    document = register.find(print_.checksum)
    versions = register.right_by(document) if document is not None else []
    return bool(versions) and all(version.until_ns < print_.sent_ns for version in versions)


def _came_ns(print_: Print, points: Mapping[str, Reached]) -> int:
    return points["waiting"].at_ns if "waiting" in points else print_.sent_ns


def _release(run: SyncRun) -> tuple[int, int]:
    """When it released, as closely as it tells."""
    begin_ns = run.begin_ns if run.applied_ns is None else run.applied_ns
    return begin_ns, max(begin_ns, run.work_end_ns if run.released_ns is None else run.released_ns)
