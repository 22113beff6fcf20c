"""Reads the whole evidence of a run directory back, together with everything that is missing from it."""

from collections import defaultdict
from pathlib import Path

import msgspec

from harness.ledger import SEGMENT_DIRECTORY, RunDescription, SegmentReader, read_run, segment_path
from harness.records import Change, Document, ErrorNotice, Group, Issued, Print, PrintEvent, SyncRun
from harness.register import Register, RegisterError


class RunEvidence(msgspec.Struct, kw_only=True):
    """What is on record of one run.

    Args:
        applications: the attempts of each application, in the order in which they were made.
        issued: attempts that were sent, by segment.
        faults: one sentence for each thing that makes the evidence incomplete.
    """

    run: RunDescription
    register: Register
    applications: dict[str, list[Print]]
    sync_runs: list[SyncRun]
    events: list[PrintEvent]
    notices: list[ErrorNotice]
    issued: dict[str, int]
    faults: list[str]

    @property
    def prints(self) -> list[Print]:
        """All attempts."""
        return [print_ for attempts in self.applications.values() for print_ in attempts]

    @property
    def in_flight(self) -> int:
        """Attempts that were sent and have no end on record."""
        return max(0, sum(self.issued.values()) - len(self.prints))


def read_evidence(directory: Path) -> RunEvidence:
    """Read run.json and every segment that it lists.

    Raises:
        LedgerError: when the directory is no run directory.
    """
    run = read_run(directory)
    applications: defaultdict[str, list[Print]] = defaultdict(list)
    evidence = RunEvidence(
        run=run,
        register=Register(),
        applications=applications,
        sync_runs=[],
        events=[],
        notices=[],
        issued={},
        faults=list(run.faults),
    )
    clocks: set[str] = set()
    for segment in run.segments:
        reader = SegmentReader(segment_path(directory, segment))
        _read_segment(reader, segment, evidence)
        evidence.faults.extend(reader.faults)
        clocks.add(reader.clock)
    present = {path.stem for path in (directory / SEGMENT_DIRECTORY).glob("*.jsonl")}
    evidence.faults += [f"segment {stray} is not listed in run.json" for stray in sorted(present - set(run.segments))]
    if len(clocks - {""}) > 1:
        evidence.faults.append(f"the segments have different clocks ({', '.join(sorted(clocks))}): no time compares")
    for application, attempts in applications.items():
        attempts.sort(key=lambda print_: (print_.attempt, print_.sent_ns, print_.answered_ns))
        if len({print_.attempt for print_ in attempts}) < len(attempts):
            evidence.faults.append(f"an attempt of application {application} is on record twice")
    if len(evidence.prints) > sum(evidence.issued.values()):
        evidence.faults.append("more prints are on record than were counted as sent")
    if run.ended is None:
        evidence.faults.append("the run did not end: its process was killed, or it is still going on")
    elif run.ended == "interrupted":
        evidence.faults.append(f"the run was interrupted before its plan of {run.planned_s:g} s was through")
    return evidence


def _read_segment(reader: SegmentReader, segment: str, evidence: RunEvidence) -> None:
    register = evidence.register
    for record in reader:
        match record:
            case Print():
                evidence.applications[record.application].append(record)
            case PrintEvent():
                evidence.events.append(record)
            case Document():
                try:
                    register.add(record)
                except RegisterError as error:
                    evidence.faults.append(str(error))
            case Change():
                register.add_change(record)
            case SyncRun():
                register.add_sync_run(record)
                evidence.sync_runs.append(record)
            case Group():
                register.add_group(record)
            case ErrorNotice():
                evidence.notices.append(record)
            case Issued():
                evidence.issued[segment] = record.count
