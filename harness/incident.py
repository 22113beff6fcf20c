"""Incidents: who was handed whose document, during which sync run, and who was in flight beside it. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

import numpy as np

from harness.diagnosis import diagnose
from harness.evidence.prints import Prints
from harness.evidence.reader import RunEvidence
from harness.in_flight import InFlight
from harness.judging import Judged
from harness.oracle import Judgement
from harness.outcome import Outcome
from harness.ranges import changes
from harness.records import Print, Record, SyncRun

NOBODY = np.zeros(0, dtype=np.intp)


class Neighbour(Record, frozen=True, kw_only=True, omit_defaults=False, gc=False):
    """A print in flight at one instant together with an incident.

    Args:
        outcome: of the neighbour's whole application.
        error: how this attempt failed; empty when it brought a document.
        notice: the code of the error notice that the service raised for it; empty without one.
    """

    nonce: str
    applicant: str
    kind: str
    outcome: Outcome
    error: str = ""
    notice: str = ""


class Incident(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One misissued print.

    Args:
        recipient: who applied and got it (申請者).
        owners: everybody whose data is on it, as far as known.
        exposed_persons: those owners who are strangers to the recipient (漏えいした本人).
        kind, options: as applied for; delivered_kind, delivered_options: what came out.
        papers: 1 when a paper was handed out (件); persons: number of exposed_persons (名).
        at: when the answer arrived, by the clock on the wall; at_ns: on the run's clock.
        sync_run: the last sync run that began before the document was read back and met the print from its wait on;
            empty when none did.
        error_retried_ok: the neighbours whose error ended in a normal re-application: the only trace in the error log.
        cause: the suspected mechanism, one of `harness.diagnosis.Cause`; donor: nonce of the print for which what came
            out was made, empty where none is known.
    """

    nonce: str
    outcome: Outcome
    recipient: str
    owners: tuple[str, ...]
    exposed_persons: tuple[str, ...]
    kind: str
    options: tuple[str, ...] = ()
    delivered_kind: str = ""
    delivered_options: tuple[str, ...] = ()
    papers: int
    persons: int
    my_number: bool
    at: str
    at_ns: int
    checksum: str = ""
    sync_run: str = ""
    neighbours: tuple[Neighbour, ...] = ()
    error_retried_ok: tuple[str, ...] = ()
    cause: str = ""
    donor: str = ""


class RetriedError(Record, frozen=True, kw_only=True, omit_defaults=False, gc=False):
    """An attempt that failed, and whose application was printed normally when it was made again.

    In the error log of 2023 two of three such cases hid a misissuance to somebody else, so that nobody may close one
    without a look at who was in flight beside it.
    """

    nonce: str
    applicant: str
    kind: str
    error: str
    notice: str = ""
    at: str
    neighbours: tuple[Neighbour, ...]


def describe_errors(evidence: RunEvidence, judged: Judged) -> tuple[RetriedError, ...]:
    """Every failed attempt of an application that ended well, in the order in which they failed."""
    retried = judged.of_application(Outcome.ERROR_RETRIED_OK)
    failed = np.intersect1d(retried, judged.rows_of(Outcome.ERROR_FINAL, Outcome.LOST), assume_unique=True)
    describer = _Describer(evidence, judged, failed.tolist())
    prints = evidence.prints
    names, answered_ns = prints.nonces(failed), prints.possible.answered_ns[failed].tolist()
    found = sorted(
        (at_ns, names[row], row, prints.sorts[sort])
        for at_ns, row, sort in zip(answered_ns, failed.tolist(), prints.sort[failed].tolist(), strict=True)
    )
    return tuple(
        RetriedError(
            nonce=nonce,
            applicant=sort.applicant,
            kind=sort.kind,
            error=sort.error,
            notice=describer.notices.get(nonce, ""),
            at=describer.wall_time(at_ns),
            neighbours=describer.neighbours[row],
        )
        for at_ns, nonce, row, sort in found
    )


def find_incidents(evidence: RunEvidence, judged: Judged) -> tuple[Incident, ...]:
    """All incidents in the order in which they were handed out."""
    if not judged.misissued:
        return ()
    describer = _Describer(evidence, judged, list(judged.misissued))
    points = evidence.events.reached(print_.nonce for print_, _ in judged.misissued.values())
    prints = evidence.prints.fetch(np.concatenate([NOBODY, *describer.beside.values()]))
    diagnoses = diagnose(
        evidence,
        judged.misissued,
        {row: {other: prints[other] for other in others.tolist()} for row, others in describer.beside.items()},
    )
    runs = _Runs(evidence.sync_runs)

    def describe(row: int, print_: Print, judgement: Judgement) -> Incident:
        beside = describer.neighbours[row]
        at_ns = {point: reached.at_ns for point, reached in points[print_.nonce].items()}
        return Incident(
            nonce=print_.nonce,
            outcome=judgement.outcome,
            recipient=print_.applicant,
            owners=judgement.persons,
            exposed_persons=judgement.strangers,
            kind=print_.kind,
            options=print_.options,
            delivered_kind=judgement.kind,
            delivered_options=judgement.options,
            papers=1 if print_.answer == "document" else 0,
            persons=len(judgement.strangers),
            my_number="my_number" in judgement.options,
            at=describer.wall_time(print_.answered_ns),
            at_ns=print_.answered_ns,
            checksum=print_.checksum,
            # Where the service tells its points, the time between beginning to wait and being read back counts: a print
            # that is released by mistake while it waits may be overwritten once it is in the stage.
            sync_run=runs.last_during(at_ns.get("waiting", print_.sent_ns), at_ns.get("read", print_.answered_ns)),
            neighbours=beside,
            error_retried_ok=tuple(
                other.nonce for other in beside if other.error and other.outcome is Outcome.ERROR_RETRIED_OK
            ),
            cause=diagnoses[row].cause,
            donor=diagnoses[row].donor,
        )

    incidents = [describe(row, print_, judgement) for row, (print_, judgement) in judged.misissued.items()]
    return tuple(sorted(incidents, key=lambda incident: (incident.at_ns, incident.nonce)))


class _Describer:
    """Tells who was in flight beside some prints, and when something was by the clock on the wall.

    Attributes:
        beside: of each of the rows, those of the prints that were in flight at one instant together with it.
        neighbours: the same, in order of the time sent, and of their nonces where that is one.
    """

    def __init__(self, evidence: RunEvidence, judged: Judged, rows: Sequence[int]) -> None:
        self.notices = {notice.nonce: notice.code for notice in evidence.notices}
        in_flight = InFlight(evidence.prints.possible)
        self.beside = dict(zip(rows, in_flight.neighbours(np.array(rows, dtype=np.intp)), strict=True))
        self._started = datetime.fromisoformat(evidence.run.started)
        self._started_ns = evidence.run.started_ns
        self.neighbours = self._describe(evidence.prints, judged)

    def _describe(self, prints: Prints, judged: Judged) -> dict[int, tuple[Neighbour, ...]]:
        """All at once: most of what is told of a few prints would be spent on reaching into long columns."""
        lengths = np.array([len(others) for others in self.beside.values()], dtype=np.intp)
        others = np.concatenate([NOBODY, *self.beside.values()])
        whose, sent_ns = np.repeat(np.arange(len(lengths)), lengths), prints.possible.sent_ns[others]
        order = np.lexsort((sent_ns, whose))
        others, whose, sent_ns = others[order], whose[order], sent_ns[order]
        names = list(map(prints.nonces(others).__getitem__, others.tolist()))
        told = list(zip(names, prints.sort[others].tolist(), judged.outcomes_of(others), strict=True))
        until = np.cumsum(lengths)
        tied_ones = whose[1:][(whose[1:] == whose[:-1]) & (sent_ns[1:] == sent_ns[:-1])]
        for tied in tied_ones[changes(tied_ones)].tolist():
            begin, end = int(until[tied] - lengths[tied]), int(until[tied])
            told[begin:end] = [one for _, one in sorted(zip(sent_ns[begin:end].tolist(), told[begin:end], strict=True))]
        sorts, notices = prints.sorts, self.notices
        neighbours = [
            Neighbour(
                nonce=nonce,
                applicant=sorts[sort].applicant,
                kind=sorts[sort].kind,
                outcome=outcome,
                error=sorts[sort].error,
                notice=notices.get(nonce, ""),
            )
            for nonce, sort, outcome in told
        ]
        begins = (until - lengths).tolist()
        return {
            row: tuple(neighbours[begin:end])
            for row, begin, end in zip(self.beside, begins, until.tolist(), strict=True)
        }

    def wall_time(self, at_ns: int) -> str:
        """ISO 8601, to the millisecond."""
        moment = self._started + timedelta(microseconds=(at_ns - self._started_ns) / 1000)
        return moment.isoformat(timespec="milliseconds")


class _Runs:
    """Sync runs by time."""

    def __init__(self, runs: Iterable[SyncRun]) -> None:
        self._runs = sorted(runs, key=lambda run: (run.begin_ns, run.sync_run))
        self._begins = [run.begin_ns for run in self._runs]
        self._latest_ends = list(accumulate((run.work_end_ns for run in self._runs), max))

    def last_during(self, begin_ns: int, end_ns: int) -> str:
        """The last run that began by `end_ns` and was at work at some instant of the closed interval; or empty."""
        number = bisect_right(self._begins, end_ns) - 1
        while number >= 0 and self._latest_ends[number] >= begin_ns:
            if self._runs[number].work_end_ns >= begin_ns:
                return self._runs[number].sync_run
            number -= 1
        return ""
