"""Turns answers into evidence while the run goes on: checksum, identity, ledger line.

Locust-free: users, the matrix and tests share it. Not thread-safe, and safe among greenlets of one thread, because
nothing but `settle` and `settle_all` waits for anything.
"""

import logging
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from random import Random

import msgspec

from harness.evidence.attempts import print_without_document
from harness.evidence.fingerprinting import Fingerprinting
from harness.evidence.segment import SegmentWriter
from harness.evidence.waiting import Waiting
from harness.fingerprint.exact import is_unreadable
from harness.live.tally import SelfTestSoFar, Tally, Tallying
from harness.oracle import judge_identity
from harness.outcome import Outcome
from harness.records import Application, Change, Document, Fault, Group, Print, SelfTest, self_test_id
from harness.register import Register
from harness.relearning import Relearning
from harness.target import Answer, Target

_log = logging.getLogger(__name__)
RIGHT_DOCUMENTS = 100
"""So many misissuances of a process are kept with what would have been right, for the others are not looked at."""
_POLL_S = 0.01
_OK = Outcome.OK  # looking a member up in its enumeration takes longer than judging by it


class Recorder:
    """Records the prints of one process.

    Attributes:
        segment: where they go; whoever sends an attempt counts it in its `issued` first.
        counts: of the attempts that are settled.
        faults: what went wrong in the harness itself, one sentence each; a run with any cannot pass.
        self_test: "planted" once the process has recorded a stranger's document of its own making, "caught" once that
            was found out; "none" before.
    """

    def __init__(self, target: Target, segment: SegmentWriter, incidents: Path) -> None:
        self.register = Register()
        self.segment = segment
        self.counts = Tallying()
        self.faults: list[str] = []
        self.self_test: SelfTestSoFar = "none"
        self._target = target
        self._fingerprinting = Fingerprinting(target.fingerprint)
        self._is_slow = target.fingerprint.is_slow
        self._checksum = _make_later if self._is_slow else target.fingerprint.checksum_on_record
        self._incidents = incidents
        self._unsettled: deque[tuple[Print, bytes, bool]] = deque()  # whether its marks have been read
        self._sample: tuple[Print, bytes] | None = None
        self._right_documents = 0
        self._relearning = target if isinstance(target, Relearning) else None
        self._waiting = Waiting()

    def record(
        self, application: Application, sent_ns: int, answered_ns: int, answer: Answer, intended_ns: int | None = None
    ) -> None:
        """Take one attempt's end. A document whose checksum is known is judged at once, any other by `settle`.

        Args:
            intended_ns: when the plan of arrivals wanted it sent; None without such a plan.
        """
        document = answer.document
        if document is None:
            self._end(print_without_document(application, sent_ns, answered_ns, answer, intended_ns))
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
            intended_ns=intended_ns,
            checksum=self._checksum(document),
            size_bytes=len(document),
        )
        if self._is_slow:
            self._fingerprinting.want_checksum(print_, document)
        elif judge_identity(print_, self.register).outcome is _OK:
            self.counts.count_right(print_)
            self.segment.write(print_)
        else:
            self._unsettled.append((print_, document, False))

    def settle(self) -> None:
        """Ask the target's truth about every document that was not known when it came, and whose fingerprint is made.

        Raises:
            TargetError: when the truth cannot be asked; what is not settled stays so.
        """
        self._unsettled += self._fingerprinting.take()
        for fault in self._fingerprinting.faults:
            self.add_fault(fault)
        while self._unsettled:
            print_, document, has_marks = self._unsettled[0]
            if not has_marks and self._is_unknown(print_):
                marks = () if is_unreadable(print_.checksum) else self._waiting.marks(print_.checksum)
                if marks is None and self._fingerprinting.reads_marks:
                    self._unsettled.popleft()
                    self._fingerprinting.want_marks(print_, document)
                    continue
                print_ = msgspec.structs.replace(print_, marks=self._target.marks(document) if marks is None else marks)
            if self.register.find(print_.checksum) is None:
                self._learn(print_)
            if print_.marks and self.register.find(print_.checksum) is not None:
                # The register tells everything that the marks could.
                print_ = msgspec.structs.replace(print_, marks=())
            # Taken out first: a disk that is full keeps the line for later, and a line must not be there twice.
            self._unsettled.popleft()
            if not self._waits(print_, document):
                self._settle(print_, document)

    def settle_all(self) -> None:
        """Settle everything that was recorded, also what waits for its fingerprint.

        Raises:
            TargetError: see `settle`.
        """
        self.settle()
        if self._fingerprinting.waiting:
            _log.info("%d documents wait for their fingerprints", self._fingerprinting.waiting)
        while self._fingerprinting.waiting:
            time.sleep(_POLL_S)
            self.settle()

    def close(self) -> None:
        """Close the segment, and end what was started to help; safe to call twice."""
        self.end_help()
        self.segment.close()

    def end_help(self) -> None:
        """End the process that makes slow fingerprints, if there is one."""
        self._fingerprinting.close()

    def relearn(self) -> None:
        """Learn from the target what is right after its changes; the load has stopped for good.

        Raises:
            TargetError: when it cannot be asked; what waits stays so.
        """
        if self._relearning is None:
            return
        learnt = self._relearning.relearn(self._waiting.prints())
        self._add_documents(learnt.documents)
        for text in learnt.faults:
            self.add_fault(text)

    def settle_waiting(self) -> None:
        """Settle what waited for the end of the run; what is still not known then is undecided."""
        kept = set()
        for print_, document in self._waiting.take():
            if self.register.find(print_.checksum) is not None:
                # The register tells everything that the marks could.
                print_ = msgspec.structs.replace(print_, marks=())
            elif self._may_be_right(print_):
                print_ = msgspec.structs.replace(print_, marks=())
                if print_.checksum in kept:  # nothing is known of them, and one is enough to look at
                    self._end(print_)
                    continue
                kept.add(print_.checksum)
            self._settle(print_, document)

    def plant_self_test(self, random: Random, now_ns: int) -> bool:
        """Record a document that came out for one person as if a stranger had been handed it.

        It takes the way of every other print, and is never asked of the target. False when there is nothing to plant
        yet: no right document was new, or nobody is a stranger to its owner.
        """
        if self.self_test != "none" or self._sample is None:
            return self.self_test != "none"
        print_, document = self._sample
        shown = self._shown(print_)
        strangers = [
            (person, group)
            for group, persons in self.register.groups()
            if persons.isdisjoint(shown)
            for person in sorted(persons)
        ]
        if not strangers:
            return False
        recipient, group = random.choice(strangers)
        self.segment.write(SelfTest(application=self._self_test_id))
        self.self_test = "planted"
        application = Application(
            application=self._self_test_id,
            applicant=recipient,
            group=group,
            kind=print_.kind,
            options=print_.options,
        )
        self.record(application, now_ns, now_ns, Answer(document=document))
        return True

    def add_group(self, group: Group) -> None:
        """Tell who may receive whose documents."""
        self.register.add_group(group)
        self.segment.write(group)

    def add_change(self, change: Change) -> None:
        """Tell of a change: before it is sent, and again when it was answered."""
        if self._relearning is not None:
            self._add_documents(self._relearning.note_change(change))
        self.register.add_change(change)
        self.segment.write(change)

    def add_fault(self, text: str) -> None:
        """Count what went wrong in this process, once; it is in the evidence from now on."""
        if text not in self.faults:
            self.faults.append(text)
            self.segment.write(Fault(text=text))

    def tally(self) -> Tally:
        """Everything that was counted so far."""
        return self.counts.tally(self.segment.segment, self.segment.issued, self.self_test, self.faults)

    def _learn(self, print_: Print) -> None:
        self._add_documents(self._target.expected(print_))

    def _add_documents(self, documents: Iterable[Document]) -> None:
        for document in documents:
            if self.register.add(document):
                self.segment.write(document)

    def _is_unknown(self, print_: Print) -> bool:
        """Whether its marks have to be read; where that is slow, the truth is asked without them first."""
        if self._fingerprinting.reads_marks and self.register.find(print_.checksum) is None:
            self._learn(print_)
        return self.register.find(print_.checksum) is None

    def _waits(self, print_: Print, document: bytes) -> bool:
        """Whether the print was put aside, because its bytes may be right by what is still to be learnt."""
        if self.register.find(print_.checksum) is not None or not self._may_be_right(print_):
            return False
        if not self._waiting.add(print_, document):
            self.add_fault("more documents than can be kept follow changes: some are undecided for that reason alone")
            self._settle(msgspec.structs.replace(print_, marks=()), document)
        else:
            self.counts.note_flight(print_)
        return True

    def _may_be_right(self, print_: Print) -> bool:
        if self._relearning is None or print_.application == self._self_test_id:
            return False
        # Whatever becomes of its version: marks of a stranger are a misissuance.
        return self._relearning.awaits(print_) and not judge_identity(print_, self.register).strangers

    def _settle(self, print_: Print, document: bytes) -> None:
        outcome = self._end(print_)
        if outcome is Outcome.OK:
            self._sample = self._sample or (print_, document)
        elif print_.application != self._self_test_id:
            self._keep(f"{print_.nonce}.document", document)
            if outcome.is_misissue:
                self._keep_right(print_)

    @property
    def _self_test_id(self) -> str:
        return self_test_id(self.segment.segment)

    def _shown(self, print_: Print) -> tuple[str, ...]:
        document = self.register.find(print_.checksum)
        return document.persons if document is not None else ()

    def _end(self, print_: Print) -> Outcome:
        judgement = judge_identity(print_, self.register)
        if print_.application != self._self_test_id:
            self.counts.count(print_, judgement)
        elif judgement.outcome is Outcome.WRONG_PERSON:
            self.self_test = "caught"
        self.segment.write(print_)
        return judgement.outcome

    def _keep_right(self, print_: Print) -> None:
        """What would have been right, beside what came out: a picture for people and no evidence, so it may fail."""
        if self._right_documents >= RIGHT_DOCUMENTS:
            return
        self._right_documents += 1
        name = f"{print_.nonce}.right.document"
        try:
            right = self._target.right_document(print_)
            if right is not None:
                self._keep(name, right)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing is missing from the evidence
            _log.warning("%s: what would have been right is not kept: %s", print_.nonce, error)
            (self._incidents / name).unlink(missing_ok=True)

    def _keep(self, name: str, document: bytes) -> None:
        """Documents are personal data: kept of incidents only, for their owner's eyes alone."""
        path = self._incidents / name
        path.touch(mode=0o600)
        path.write_bytes(document)


def _make_later(_document: bytes) -> str:
    return ""
