"""Turns answers into evidence while the run goes on: checksum, identity, ledger line.

Locust-free: users, the matrix and tests share it. Not thread-safe, and safe among greenlets of one thread, because
nothing but `settle` waits for anything.
"""

from collections import Counter, deque
from pathlib import Path

import msgspec

from harness.fingerprint import checksum
from harness.ledger import SegmentWriter
from harness.oracle import judge_identity
from harness.outcome import Outcome
from harness.records import Application, Change, Group, Issued, Print
from harness.register import Register
from harness.target import Answer, Target

_OK = Outcome.OK  # looking a member up in its enumeration takes longer than judging by it


class Recorder:
    """Records the prints of one process.

    Attributes:
        issued: attempts that were sent so far; whoever sends one counts it first.
        tallies: outcomes of the attempts that are settled, by identity alone: what needs the history of the whole run
            (stale) is judged when it is closed.
        faults: what went wrong in the harness itself, one sentence each; a run with any cannot pass.
    """

    def __init__(self, target: Target, writer: SegmentWriter, incidents: Path) -> None:
        self.register = Register()
        self.issued = 0
        self.tallies: Counter[Outcome] = Counter()
        self.faults: list[str] = []
        self._target = target
        self._writer = writer
        self._incidents = incidents
        self._issued_on_record = 0
        self._unsettled: deque[tuple[Print, bytes]] = deque()

    def record(self, application: Application, sent_ns: int, answered_ns: int, answer: Answer) -> None:
        """Take one attempt's end. A document whose checksum is known is judged at once, any other by `settle`."""
        document = answer.document
        if document is None:
            self._end(
                Print(
                    application=application.application,
                    attempt=application.attempt,
                    applicant=application.applicant,
                    group=application.group,
                    kind=application.kind,
                    options=application.options,
                    sent_ns=sent_ns,
                    answered_ns=answered_ns,
                    answer="refused" if answer.refused else "error",
                    error=answer.refused or answer.error,
                )
            )
            return
        print_ = Print(
            application=application.application,
            attempt=application.attempt,
            applicant=application.applicant,
            group=application.group,
            kind=application.kind,
            options=application.options,
            sent_ns=sent_ns,
            answered_ns=answered_ns,
            checksum=checksum(document),
            size_bytes=len(document),
        )
        if judge_identity(print_, self.register).outcome is _OK:
            self.tallies[_OK] += 1
            self._writer.write(print_)
        else:
            self._unsettled.append((print_, document))

    def settle(self) -> None:
        """Ask the target's truth about every document that was not known when it came.

        Raises:
            TargetError: when the truth cannot be asked; what is not settled stays so.
        """
        while self._unsettled:
            print_, document = self._unsettled[0]
            if self.register.find(print_.checksum) is None:
                print_ = msgspec.structs.replace(print_, marks=self._target.marks(document))
                for expected in self._target.expected(print_):
                    if self.register.add(expected):
                        self._writer.write(expected)
                if self.register.find(print_.checksum) is not None:
                    # The register tells everything that the marks could.
                    print_ = msgspec.structs.replace(print_, marks=())
            # Taken out first: a disk that is full keeps the line for later, and a line must not be there twice.
            self._unsettled.popleft()
            if self._end(print_) is not Outcome.OK:
                self._keep(print_, document)

    def add_group(self, group: Group) -> None:
        """Tell who may receive whose documents."""
        self.register.add_group(group)
        self._writer.write(group)

    def add_change(self, change: Change) -> None:
        """Tell of a change: before it is sent, and again when it was answered."""
        self.register.add_change(change)
        self._writer.write(change)

    def flush(self) -> None:
        """Bring everything so far to the disk, with the number of attempts that were sent.

        Raises:
            LedgerError: when the disk takes no more.
        """
        if self.issued != self._issued_on_record:
            self._writer.write(Issued(count=self.issued))
            self._issued_on_record = self.issued
        self._writer.flush()

    def _end(self, print_: Print) -> Outcome:
        outcome = judge_identity(print_, self.register).outcome
        self.tallies[outcome] += 1
        self._writer.write(print_)
        return outcome

    def _keep(self, print_: Print, document: bytes) -> None:
        """Documents are personal data: kept of incidents only, for their owner's eyes alone."""
        path = self._incidents / f"{print_.nonce}.document"
        path.touch(mode=0o600)
        path.write_bytes(document)
