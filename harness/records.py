"""The records that travel through the harness and are kept, one JSON line each, in the ledger.

Times are int nanoseconds of the clock that the segment's header names. Intervals are closed at both ends: a print that
is answered in the very nanosecond in which another is sent was in flight together with it. For evidence of innocence
that is the safe reading, because it can only add a neighbour or a permitted version at an instant where clocks cannot
tell the order anyway; exposures, which must not be overcounted, demand a common instant of three closed intervals and
the points are stamped on the inner side (`written` after the write, `read` before the read).
"""

from typing import Literal

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all records: frozen, keyword-only; fields at their default are left out of the ledger line."""


class Group(Record, frozen=True, kw_only=True, tag="group"):
    """People who may receive each other's documents (a household), as they were before the first change."""

    group: str
    persons: tuple[str, ...]


class Application(Record, frozen=True, kw_only=True, tag="application"):
    """What a person asks for. A re-application keeps `application` and counts `attempt` up from 1."""

    application: str
    applicant: str
    group: str
    kind: str
    options: tuple[str, ...] = ()
    attempt: int = 1

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


class Print(Record, frozen=True, kw_only=True, tag="print"):
    """One attempt to get a document, as the client saw it.

    Args:
        answer: "document", "refused" or "error"; "error" covers every answer that is neither, time-outs included, and
            every answer that the client did not get whole: a body that it cut off itself is not the service's.
        error: a short fixed text for an error or refusal, empty for a document.
        checksum: running checksum of the delivered bytes (see `harness.fingerprint`), empty without a document.
        size_bytes: length of the delivered bytes.
        marks: read only when the checksum is in no register entry, one for each page that shows one.
    """

    application: str
    attempt: int = 1
    applicant: str
    group: str
    kind: str
    options: tuple[str, ...] = ()
    sent_ns: int
    answered_ns: int
    answer: Literal["document", "refused", "error"] = "document"
    error: str = ""
    checksum: str = ""
    size_bytes: int = 0
    marks: tuple[Mark, ...] = ()

    @property
    def nonce(self) -> str:
        """The nonce of the application that this print answers."""
        return f"{self.application}.{self.attempt}"


class Document(Record, frozen=True, kw_only=True, tag="document"):
    """A register entry: the one right sequence of bytes for (applicants, kind, options, version).

    Args:
        persons: everybody whose data the document shows.
        applicants: everybody for whom exactly this document is the right one.
        version: version of the group's record; counts up with each change of the group.
        checksum: as in `Print`; sha256: of the same bytes, hex.
    """

    persons: tuple[str, ...]
    applicants: tuple[str, ...]
    group: str
    kind: str
    options: tuple[str, ...] = ()
    version: int
    checksum: str
    sha256: str


class Change(Record, frozen=True, kw_only=True, tag="change"):
    """A change (異動) as it was sent to the registry; it makes `version` of the group's record.

    Args:
        persons: the group's members after the change.
        answered_ns: None when the registry never acknowledged it, so that it may or may not have happened.
    """

    change: str
    group: str
    kind: str
    version: int
    persons: tuple[str, ...]
    sent_ns: int
    answered_ns: int | None = None


class SyncRun(Record, frozen=True, kw_only=True, tag="sync_run"):
    """One run of the synchronisation (随時連携処理).

    Args:
        applied: (group, version) pairs that the run brought into the issuer's copy.
        acknowledged_ns: when the registry was told; None when that never happened.
        end_ns: None for a run that was cut off.
    """

    sync_run: str
    applied: tuple[tuple[str, int], ...]
    begin_ns: int
    applied_ns: int | None = None
    released_ns: int | None = None
    acknowledged_ns: int | None = None
    end_ns: int | None = None


class PrintEvent(Record, frozen=True, kw_only=True, tag="event"):
    """A print reached a named point inside the service."""

    nonce: str
    point: str
    at_ns: int
    slot: str = ""


class ErrorNotice(Record, frozen=True, kw_only=True, tag="notice"):
    """The service itself reported a failed application."""

    nonce: str
    code: str
    at_ns: int


class Issued(Record, frozen=True, kw_only=True, tag="issued"):
    """Running count of the attempts that were sent; in flight = issued - prints on record."""

    count: int


Evidence = Group | Print | Document | Change | SyncRun | PrintEvent | ErrorNotice | Issued
