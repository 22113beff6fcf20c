"""The timelines of some incidents out of the evidence of their run."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from harness.evidence.events import Reached
from harness.evidence.reader import RunEvidence
from harness.incident import Incident
from harness.records import ErrorNotice, Print
from harness.report.timeline import Side, Timeline, sync_runs_of, timeline_of


def timelines(evidence: RunEvidence, incidents: Sequence[Incident]) -> dict[str, Timeline]:
    """nonce -> timeline; looks at all prints and events once, however many incidents there are.

    Raises:
        OSError: when the ledger is gone meanwhile.
    """
    nonces = {nonce for incident in incidents for nonce in (incident.nonce, incident.donor) if nonce}
    finder = _Finder(evidence, nonces)
    found = {}
    for incident in incidents:
        a, b = finder.side(incident.nonce), finder.side(incident.donor)
        if a is not None:
            # Whoever holds a paper does not apply again; what B does when an error was told is the end of the story.
            a = Side(print_=a.print_, segment=a.segment, points=a.points, notice=a.notice)
            runs = sync_runs_of(incident.sync_run, a, b, evidence.sync_runs)
            found[incident.nonce] = timeline_of(a, b, runs, evidence.events.slots)
    return found


class _Finder:
    """Everything that is on record of some prints."""

    def __init__(self, evidence: RunEvidence, nonces: Iterable[str]) -> None:
        wanted = sorted(nonces)
        prints = evidence.prints
        rows = prints.fetch(prints.of_applications({_application(nonce) for nonce in wanted}).tolist())
        self._segments = {print_.nonce: evidence.segments[int(prints.segment[row])] for row, print_ in rows.items()}
        self._attempts: defaultdict[str, list[Print]] = defaultdict(list)
        for print_ in sorted(rows.values(), key=lambda print_: (print_.attempt, print_.sent_ns)):
            self._attempts[print_.application].append(print_)
        self._points: Mapping[str, Mapping[str, Reached]] = evidence.events.reached(wanted)
        self._notices: dict[str, ErrorNotice] = {}
        for notice in evidence.notices:
            self._notices.setdefault(notice.nonce, notice)

    def side(self, nonce: str) -> Side | None:
        """None when there is no such print."""
        attempts = self._attempts.get(_application(nonce), [])
        print_ = next((print_ for print_ in attempts if print_.nonce == nonce), None)
        if print_ is None:
            return None
        return Side(
            print_=print_,
            segment=self._segments[nonce],
            points=self._points[nonce],
            notice=self._notices.get(nonce),
            later=tuple(other for other in attempts if other.attempt > print_.attempt),
        )


def _application(nonce: str) -> str:
    return nonce.rpartition(".")[0]
