"""Incidents: who was handed whose document, during which sync run, and who was in flight beside it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from harness.evidence import RunEvidence
from harness.oracle import Judgement
from harness.outcome import Outcome
from harness.overlap import InFlight, neighbours, run_end_ns
from harness.records import Print, PrintEvent, Record, SyncRun


class Neighbour(Record, frozen=True, kw_only=True, omit_defaults=False):
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
        kind, options: as applied for; delivered_kind: what came out.
        papers: 1 when a paper was handed out (件); persons: number of exposed_persons (名).
        at_ns: when the answer arrived, on the ledger's clock.
        sync_run: the last sync run that began before the document was read back and met the print from its wait on;
            empty when none did.
        error_retried_ok: the neighbours whose error ended in a normal re-application: the only trace in the error log.
    """

    nonce: str
    outcome: Outcome
    recipient: str
    owners: tuple[str, ...]
    exposed_persons: tuple[str, ...]
    kind: str
    options: tuple[str, ...] = ()
    delivered_kind: str = ""
    papers: int
    persons: int
    my_number: bool
    at_ns: int
    checksum: str = ""
    sync_run: str = ""
    neighbours: tuple[Neighbour, ...] = ()
    error_retried_ok: tuple[str, ...] = ()


def find_incidents(
    evidence: RunEvidence, judged: Iterable[tuple[Print, Judgement]], outcomes: Mapping[str, Outcome]
) -> tuple[Incident, ...]:
    """All incidents in the order in which they were handed out.

    Args:
        judged: every print with its judgement; outcomes: by application.
    """
    misissued = [(print_, judgement) for print_, judgement in judged if judgement.outcome.is_misissue]
    if not misissued:
        return ()
    in_flight = InFlight(evidence.prints)
    notices = {notice.nonce: notice.code for notice in evidence.notices}
    points: defaultdict[str, list[PrintEvent]] = defaultdict(list)
    for event in evidence.events:
        points[event.nonce].append(event)
    runs = sorted(evidence.sync_runs, key=lambda run: (run.begin_ns, run.sync_run))

    def describe(print_: Print, judgement: Judgement) -> Incident:
        beside = tuple(
            Neighbour(
                nonce=other.nonce,
                applicant=other.applicant,
                kind=other.kind,
                outcome=outcomes[other.application],
                error=other.error,
                notice=notices.get(other.nonce, ""),
            )
            for other in neighbours(print_, in_flight)
        )
        return Incident(
            nonce=print_.nonce,
            outcome=judgement.outcome,
            recipient=print_.applicant,
            owners=judgement.persons,
            exposed_persons=judgement.strangers,
            kind=print_.kind,
            options=print_.options,
            delivered_kind=judgement.kind,
            papers=1 if print_.answer == "document" else 0,
            persons=len(judgement.strangers),
            my_number="my_number" in judgement.options,
            at_ns=print_.answered_ns,
            checksum=print_.checksum,
            sync_run=_sync_run(print_, points[print_.nonce], runs),
            neighbours=beside,
            error_retried_ok=tuple(
                other.nonce for other in beside if other.error and other.outcome is Outcome.ERROR_RETRIED_OK
            ),
        )

    incidents = [describe(print_, judgement) for print_, judgement in misissued]
    return tuple(sorted(incidents, key=lambda incident: (incident.at_ns, incident.nonce)))


def _sync_run(print_: Print, points: Sequence[PrintEvent], runs: Sequence[SyncRun]) -> str:
    """The sync run that an incident is charged to; see `Incident`.

    Where the service tells its points, the time between beginning to wait and being read back counts: a print that is
    released by mistake while it waits may be overwritten once it is in the stage. Elsewhere it is the time in flight.
    """
    at_ns = {event.point: event.at_ns for event in points}
    begin_ns, end_ns = at_ns.get("waiting", print_.sent_ns), at_ns.get("read", print_.answered_ns)
    for run in reversed(runs):
        if run.begin_ns <= end_ns and run_end_ns(run) >= begin_ns:
            return run.sync_run
    return ""
