"""Small worlds of evidence: papers, prints, run directories and a target without a service.

Two households: G1 with A and B, G2 with X. Their papers are right at version 1 unless a test says otherwise.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from harness.criteria import Criteria, Limit
from harness.evidence.ledger import RUN_FILE, RunDescription, create_run_directory, segment_path, write_json
from harness.evidence.reader import RunEvidence, read_evidence
from harness.evidence.segment import SegmentReader, SegmentWriter
from harness.fingerprint import checksum, sha256
from harness.records import (
    Batch,
    Change,
    ClockReading,
    Document,
    ErrorNotice,
    Evidence,
    Fault,
    Group,
    Mark,
    Print,
    PrintEvent,
    Refusal,
    SelfTest,
    SyncRun,
)
from harness.register import Register
from harness.verdict import Verdict

HOME = Group(group="G1", persons=("A", "B"))
OTHER = Group(group="G2", persons=("X",))
HOUSEHOLD_OF = {"A": "G1", "B": "G1", "X": "G2"}
KIND = "juminhyo"
LOAD, TARGET = "load-1", "target"
RUN, CLOCK = "run-1", "monotonic"


def paper(*persons: str, kind: str = KIND, options: tuple[str, ...] = (), version: int = 1) -> bytes:
    """The bytes of the one right document."""
    return f"{kind} {'+'.join(options)} of {','.join(persons)} as of {version}".encode()


def entry(
    *persons: str,
    kind: str = KIND,
    options: tuple[str, ...] = (),
    version: int = 1,
    applicants: tuple[str, ...] | None = None,
) -> Document:
    """The register entry of `paper` with the same arguments."""
    data = paper(*persons, kind=kind, options=options, version=version)
    return Document(
        persons=persons,
        applicants=persons if applicants is None else applicants,
        group=HOUSEHOLD_OF[persons[0]],
        kind=kind,
        options=options,
        version=version,
        checksum=checksum(data),
        sha256=sha256(data),
    )


def delivery(
    application: str,
    applicant: str,
    document: bytes,
    *,
    attempt: int = 1,
    kind: str = KIND,
    options: tuple[str, ...] = (),
    at: tuple[int, int] = (100, 200),
    marks: tuple[Mark, ...] = (),
) -> Print:
    """A print that brought a document; `at` is (sent_ns, answered_ns)."""
    return Print(
        application=application,
        attempt=attempt,
        applicant=applicant,
        group=HOUSEHOLD_OF[applicant],
        kind=kind,
        options=options,
        sent_ns=at[0],
        answered_ns=at[1],
        checksum=checksum(document),
        size_bytes=len(document),
        marks=marks,
    )


def failed(application: str, applicant: str, *, attempt: int = 1, at: tuple[int, int] = (100, 200)) -> Print:
    """A print that ended in an error."""
    return Print(
        application=application,
        attempt=attempt,
        applicant=applicant,
        group=HOUSEHOLD_OF[applicant],
        kind=KIND,
        sent_ns=at[0],
        answered_ns=at[1],
        answer="error",
        error="no image",
    )


def mark(*persons: str, kind: str = KIND, options: tuple[str, ...] = (), page: int = 1) -> Mark:
    """The identity mark of one page of three."""
    return Mark(persons=persons, kind=kind, options=options, version=1, page=page, pages=3)


def refused(
    application: str, applicant: str, *, attempt: int = 1, kind: str = KIND, at: tuple[int, int] = (100, 200)
) -> Print:
    """A print that was refused."""
    return msgspec.structs.replace(
        failed(application, applicant, attempt=attempt, at=at), kind=kind, answer="refused", error="moved_out"
    )


def change(
    version: int,
    *,
    sent_ns: int,
    group: str = "G1",
    persons: tuple[str, ...] = ("A", "B"),
    refusals: tuple[Refusal, ...] = (),
    synchronised_ns: int | None = None,
) -> Change:
    """A change that was acknowledged as entered at once, or else as synchronised."""
    return Change(
        change=f"C{version}",
        group=group,
        kind="relocate",
        version=version,
        persons=persons,
        refusals=refusals,
        sent_ns=sent_ns,
        answered_ns=sent_ns if synchronised_ns is None else synchronised_ns,
        answers_synchronised=synchronised_ns is not None,
    )


def sync_run(
    name: str = "S1", begin_ns: int = 120, end_ns: int = 180, applied: Iterable[tuple[str, int]] = ()
) -> SyncRun:
    """A sync run that was acknowledged when it ended."""
    return SyncRun(
        sync_run=name,
        applied=tuple(applied),
        begin_ns=begin_ns,
        applied_ns=end_ns,
        acknowledged_ns=end_ns,
        end_ns=end_ns,
    )


def register(*records: Group | Document | Change | SyncRun) -> Register:
    """A register of both households and these."""
    made = Register()
    for record in (HOME, OTHER, *records):
        match record:
            case Group():
                made.add_group(record)
            case Document():
                made.add(record)
            case Change():
                made.add_change(record)
            case SyncRun():
                made.add_sync_run(record)
    return made


INNOCENT: tuple[Evidence, ...] = (
    HOME,
    OTHER,
    entry("A"),
    entry("X"),
    delivery("A1", "A", paper("A")),
    delivery("A2", "X", paper("X")),
)
"""What the load saw of two right prints, both in flight from 100 to 200."""


def describe(**fields: Any) -> RunDescription:
    """run.json of a run that went to its end."""
    known: dict[str, Any] = {
        "run": RUN,
        "clock": CLOCK,
        "profile": "test",
        "target": "stub",
        "seed": 1,
        "started": "2023-04-30T00:00:00+09:00",
        "command": (),
        "parameters": {},
        "versions": {},
        "segments": (TARGET, LOAD),
        "criteria": Criteria(self_test=False),
        "ended": "complete",
        "shows_points": False,
    }
    return RunDescription(**(known | fields))


def write_run(
    directory: Path,
    load: Iterable[Evidence] = INNOCENT,
    target: Iterable[Evidence] = (sync_run(),),
    *,
    issued: int | None = None,
    clocks: tuple[str, str] = (CLOCK, CLOCK),
    **fields: Any,
) -> Path:
    """A run directory with both segments closed; every print counts as sent unless `issued` says how many were."""
    create_run_directory(directory)
    write_segment(directory, LOAD, load, clock=clocks[0], issued=issued)
    write_segment(directory, TARGET, target, clock=clocks[1])
    write_json(directory / RUN_FILE, describe(**fields))
    return directory


def write_segment(
    directory: Path, segment: str, records: Iterable[Evidence], *, clock: str = CLOCK, issued: int | None = None
) -> Path:
    """One closed segment; every print counts as sent unless `issued` says how many were, planted ones do not."""
    writer = SegmentWriter(directory, segment, run=RUN, clock=clock)
    seen = list(records)
    planted = {record.application for record in seen if isinstance(record, SelfTest)}
    prints = sum(isinstance(record, Print) and record.application not in planted for record in seen)
    for record in seen:
        writer.write(record)
    writer.issued = prints if issued is None else issued
    writer.close()
    return segment_path(directory, segment)


def strict(max_error_share: float) -> Criteria:
    """Criteria that limit the errors, and do without a self-test."""
    return Criteria(self_test=False, maximum=(Limit(metric="error_share", value=max_error_share),))


def sentences(verdict: Verdict) -> tuple[str, ...]:
    """Its reasons, in English."""
    return tuple(reason.text for reason in verdict.reasons)


def evidence_of(directory: Path, load: Iterable[Evidence] = INNOCENT, **fields: Any) -> RunEvidence:
    """What is read back of a run directory with these records of the load."""
    return read_evidence(write_run(directory, load, **fields))


def read_segment(path: Path) -> tuple[list[Evidence], list[str]]:
    """Records but for the ends of batches, and faults."""
    reader = SegmentReader(path)
    return [record for record in reader if not isinstance(record, Batch)], reader.faults


EVERY_KIND: tuple[Evidence, ...] = (
    HOME,
    msgspec.structs.replace(entry("A", options=("my_number",)), still="right"),
    delivery("A1", "A", paper("A"), marks=(mark("A"), mark("X", page=2))),
    failed("A1", "A", attempt=2),
    change(2, sent_ns=5, synchronised_ns=6),
    msgspec.structs.replace(change(3, sent_ns=6), answered_ns=None),
    sync_run(applied=[("G1", 2)]),
    msgspec.structs.replace(sync_run("S2"), end_ns=None, acknowledged_ns=None, is_unplaced=True),
    PrintEvent(nonce="A1.1", point="written", at_ns=7, slot="2"),
    ErrorNotice(nonce="A1.2", code="証明書エラー", at_ns=8),
    SelfTest(application="self-test-load-1"),
    ClockReading(at_ns=9, offset_ns=-4, uncertainty_ns=1),
    Fault(text="something of ours broke"),
)


def ended(
    answer: str, application: str, applicant: str, *, attempt: int = 1, at: tuple[int, int] = (100, 200)
) -> Print:
    """A print that ended without a document, in one of the four ways in which one can."""
    text = {"nothing": "done, without a document", "unanswered": "timed out"}.get(answer, "no image")
    return msgspec.structs.replace(failed(application, applicant, attempt=attempt, at=at), answer=answer, error=text)


def planted(
    applicant: str, document: bytes, *, segment: str = LOAD, at: tuple[int, int] = (150, 150)
) -> list[Evidence]:
    """The self-test of a load segment as a recorder writes it: a paper as if the applicant had been handed it."""
    application = f"self-test-{segment}"
    return [SelfTest(application=application), delivery(application, applicant, document, at=at)]


def prints_of(evidence: RunEvidence) -> list[Print]:
    """All of them, in the order of their rows."""
    return list(evidence.prints.fetch(range(len(evidence.prints))).values())
