"""The records that travel through the harness and are kept, one JSON line each, in the ledger.

Times are int nanoseconds of the clock that the segment's header names. Intervals are closed at both ends: a print that
is answered in the very nanosecond in which another is sent was in flight together with it. For evidence of innocence
that is the safe reading, because it can only add a neighbour or a permitted version at an instant where clocks cannot
tell the order anyway; exposures, which must not be overcounted, demand a common instant of three closed intervals and
the points are stamped on the inner side (`written` after the write, `read` before the read).
"""

from typing import Annotated, Literal

import msgspec

Nanoseconds = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Attempt = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
# What a column of numbers can hold: beyond that a line is unreadable, and whoever reads it does not fail.
Answered = Literal["document", "refused", "error", "unanswered", "nothing"]


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all records: frozen, keyword-only; fields at their default are left out of the ledger line."""


class Refusal(Record, frozen=True, kw_only=True):
    """What a version of a group's record forbids to be issued to one of its people.

    Args:
        kind: of the documents; empty for every kind.
        option: without which the rule does not hold; empty for applications with and without options.
    """

    applicant: str
    kind: str = ""
    option: str = ""
    reason: str

    def covers(self, applicant: str, kind: str, options: tuple[str, ...]) -> bool:
        """Whether such an application has to be refused."""
        return applicant == self.applicant and self.kind in {"", kind} and self.option in {"", *options}


class Group(Record, frozen=True, kw_only=True, tag="group"):
    """People who may receive each other's documents (a household), as they were before the first change.

    Args:
        refusals: everything that may not be issued to them as they were then.
    """

    group: str
    persons: tuple[str, ...]
    refusals: tuple[Refusal, ...] = ()


class Application(Record, frozen=True, kw_only=True, tag="application"):
    """What a person asks for. A re-application keeps `application` and counts `attempt` up from 1."""

    application: str
    applicant: str
    group: str
    kind: str
    options: tuple[str, ...] = ()
    attempt: Attempt = 1

    @property
    def nonce(self) -> str:
        """Unique for each attempt; the service sees it, so a re-send by the client can be told from a second print."""
        return f"{self.application}.{self.attempt}"


class Mark(Record, frozen=True, kw_only=True, tag="mark"):
    """The identity mark of one page of a delivered document."""

    persons: tuple[str, ...]
    kind: str
    options: tuple[str, ...] = ()
    version: int
    page: int
    pages: int


class Print(Record, frozen=True, kw_only=True, tag="print", gc=False):
    """One attempt to get a document, as the client saw it.

    Args:
        intended_ns: when it should have been sent by the plan of arrivals; None when it was sent as soon as its sender
            was free, which is then the intended start.
        answer: "nothing" is a success that brings no document and tells no error. "unanswered" is every end that the
            client did not see whole, time-outs and cut-off bodies included: it may have printed, and what the client
            cut off is not the service's.
        error: a short fixed text for everything but a document.
        checksum: running checksum of the delivered bytes (see `harness.fingerprint`), empty without a document.
        size_bytes: length of the delivered bytes.
        marks: read only when the checksum is in no register entry, one for each page that shows one.
    """

    application: str
    attempt: Attempt = 1
    sent_ns: Nanoseconds
    answered_ns: Nanoseconds
    intended_ns: Nanoseconds | None = None
    # From here on, what prints of one sort have in common: `harness.evidence.prints` tells sorts by this part.
    applicant: str
    group: str
    kind: str
    options: tuple[str, ...] = ()
    answer: Answered = "document"
    error: str = ""
    checksum: str = ""
    size_bytes: int = 0
    marks: tuple[Mark, ...] = ()

    @property
    def nonce(self) -> str:
        """The nonce of the application that this print answers."""
        return f"{self.application}.{self.attempt}"


class Document(Record, frozen=True, kw_only=True, tag="document", gc=False):
    """A register entry: the one right sequence of bytes for (applicants, kind, options, version).

    Args:
        persons: everybody whose data the document shows.
        applicants: everybody for whom exactly this document is the right one.
        version: version of the group's record; counts up with each change of the group.
        checksum: as in `Print`; sha256: of the same bytes, hex.
        still: empty for the version that first brought these bytes. The document of an earlier version may be "right"
            by this one, too, because the change altered nothing of it; or that is "unknown", so that whoever was handed
            it was handed neither the right one nor an old one as far as anybody can say; or the change "altered" it,
            which is told only where it was "unknown" before.
    """

    persons: tuple[str, ...]
    applicants: tuple[str, ...]
    group: str
    kind: str
    options: tuple[str, ...] = ()
    version: int
    checksum: str
    sha256: str
    still: Literal["", "unknown", "altered", "right"] = ""


class Change(Record, frozen=True, kw_only=True, tag="change", gc=False):
    """A change (異動) as it was sent to the registry; it makes `version` of the group's record.

    Args:
        persons: the group's members after the change; refusals: everything that may not be issued to them from then on.
        answered_ns: None when the registry never acknowledged it, so that it may or may not have happened.
        answers_synchronised: the registry acknowledges a change no sooner than it is synchronised, so that no sync run
            has to tell of it.
    """

    change: str
    group: str
    kind: str
    version: int
    persons: tuple[str, ...]
    refusals: tuple[Refusal, ...] = ()
    sent_ns: Nanoseconds
    answered_ns: Nanoseconds | None = None
    answers_synchronised: bool = False


class SyncRun(Record, frozen=True, kw_only=True, tag="sync_run", gc=False):
    """One run of the synchronisation (随時連携処理).

    Args:
        applied: (group, version) pairs that the run brought into the issuer's copy.
        acknowledged_ns: when the registry was told; None when that never happened.
        end_ns: None for a run that was cut off.
        is_unplaced: its times are of a clock so uncertain that there is no instant at which it was at work for certain.
            It takes part in no exposure and in no coverage cell; what it acknowledges holds.
    """

    sync_run: str
    applied: tuple[tuple[str, int], ...]
    begin_ns: Nanoseconds
    applied_ns: Nanoseconds | None = None
    released_ns: Nanoseconds | None = None
    acknowledged_ns: Nanoseconds | None = None
    end_ns: Nanoseconds | None = None
    is_unplaced: bool = False

    @property
    def work_end_ns(self) -> int:
        """The latest point at which the run was at work for certain.

        The acknowledgement is left out, because it is the registry's and touches no print. A run that was cut off
        before any other point was at work for certain at its begin only, so it counts as that instant.
        """
        known = (self.begin_ns, self.applied_ns, self.released_ns, self.end_ns)
        return max(at_ns for at_ns in known if at_ns is not None)


class PrintEvent(Record, frozen=True, kw_only=True, tag="event", gc=False):
    """A print reached a named point inside the service."""

    nonce: str
    point: str
    at_ns: Nanoseconds
    slot: str = ""


class ErrorNotice(Record, frozen=True, kw_only=True, tag="notice"):
    """The service itself reported a failed application."""

    nonce: str
    code: str
    at_ns: Nanoseconds


class Batch(Record, frozen=True, kw_only=True, tag="batch"):
    """Ends what was written with one append; a batch or a line that is missing from the segment is seen by it.

    Args:
        batch: sequence number within the segment, from 1.
        issued: attempts that the process has sent so far; records: records between the header and this one.
    """

    batch: int
    issued: int
    records: int


class SelfTest(Record, frozen=True, kw_only=True, tag="self_test"):
    """The print of this application is the harness's own: a stranger's document that was never asked of the target.

    It has to be judged a misissuance; no other number of the run counts it.
    """

    application: str


def self_test_id(segment: str) -> str:
    """The application of the segment's self-test; nobody else's is called so."""
    return f"self-test-{segment}"


class ClockReading(Record, frozen=True, kw_only=True, tag="clock_reading"):
    """What the segment's clock was off by at one time.

    Args:
        at_ns: on the segment's own clock.
        offset_ns: to be added to it for the time of the run's clock.
        uncertainty_ns: the true offset lay within `offset_ns` plus or minus this.
    """

    at_ns: Nanoseconds
    offset_ns: Nanoseconds
    uncertainty_ns: Nanoseconds


class Fault(Record, frozen=True, kw_only=True, tag="fault"):
    """What went wrong in the harness's own process, in one sentence; a run with any cannot pass."""

    text: str


Evidence = (
    Group | Print | Document | Change | SyncRun | PrintEvent | ErrorNotice | Batch | SelfTest | ClockReading | Fault
)
