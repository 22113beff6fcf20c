"""One judged run: its directory, its target, its evidence, its verdict. Knows nothing of what drives the load."""

import importlib
import importlib.metadata
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from random import Random

import msgspec

from harness.criteria import Criteria
from harness.evidence.ledger import (
    INCIDENT_DIRECTORY,
    LOAD_PREFIX,
    RUN_FILE,
    TARGET_SEGMENT,
    Ended,
    LedgerError,
    Report,
    RunDescription,
    create_run_directory,
    write_json,
)
from harness.evidence.recorder import Recorder
from harness.evidence.segment import SegmentWriter
from harness.evidence.target_evidence import TargetEvidence, Told
from harness.gate import examine
from harness.report.files import write_reports
from harness.report.language import ENGLISH, Language
from harness.target import Target
from harness.verdict import Verdict, write_verdict

CLOCK = "monotonic"
"""CLOCK_MONOTONIC of the machine of the run's owner, by which everything of the run is timed."""
TARGET_DIRECTORY = "target"
_SYNC_LIMIT_S = 10.0
_SYNC_POLL_S = 0.05
_PACKAGES = (
    *("misissue", "locust", "gevent", "geventhttpclient", "msgspec", "numpy", "xxhash"),
    *("reportlab", "pypdfium2", "zxing-cpp", "asyncpg", "aiohttp", "pydantic"),
)


class JudgedRun:
    """From `open` to `close`, which says the verdict. The process that has it owns the run.

    Args:
        directory: of the run; must not hold one already.
        planned_s: how long the plan takes; a run that ends earlier was interrupted.
        planned_prints, planned_changes: see `RunDescription`.
        language: of what a person reads of the run.

    Attributes:
        faults: what went wrong in this process, one sentence each; a run with any cannot pass.
        recorder: of this process's own prints; there is none where other processes drive all of the load.
    """

    def __init__(
        self,
        target: Target,
        directory: Path,
        *,
        profile: str,
        seed: int,
        parameters: Mapping[str, object],
        criteria: Criteria,
        planned_s: float,
        planned_prints: int | None = None,
        planned_changes: int = 0,
        language: Language = ENGLISH,
    ) -> None:
        self.target = target
        self.language = language
        self.directory = directory
        self.died = ""
        self.faults: list[str] = []
        self.started_ns = 0
        self.recorder: Recorder | None = None
        self._random = Random(seed)
        self._newest: dict[str, int] = {}
        self._evidence: TargetEvidence | None = None  # there is one from `open` on
        self._description = RunDescription(
            run=uuid.uuid4().hex,
            clock=CLOCK,
            profile=profile,
            target=target.name,
            seed=seed,
            started="",
            command=tuple(sys.argv),
            parameters=parameters,
            versions=_versions(),
            segments=(TARGET_SEGMENT,),
            criteria=criteria,
            planned_s=planned_s,
            planned_prints=planned_prints,
            planned_changes=planned_changes,
            shows_points=target.shows_points,
            synchronises=target.synchronises,
        )

    @property
    def description(self) -> RunDescription:
        """As run.json has it."""
        return self._description

    @property
    def id(self) -> str:
        """Of the run, by which its segments are known."""
        return self._description.run

    def open(self) -> None:
        """Make the run directory and start the target.

        Raises:
            LedgerError: when the directory cannot be used.
            TargetError: when the target cannot be started; nothing is left running.
        """
        create_run_directory(self.directory)
        self.restart_clock()
        settings = self.target.open(self.directory / TARGET_DIRECTORY)
        try:
            checksum = self.target.fingerprint.name  # known only now: it may have learnt masks
            self._describe(parameters={**self._description.parameters, "settings": settings}, checksum=checksum)
            writer = SegmentWriter(
                self.directory, TARGET_SEGMENT, run=self.id, clock=self.target.clock, checksum=checksum
            )
            self._evidence = TargetEvidence(self.target, writer, has_died=self._has_died, add_fault=self.add_fault)
        except BaseException:
            self.target.close()
            raise

    def open_recorder(self) -> Recorder:
        """Record the prints of this process.

        Raises:
            LedgerError: when its segment cannot be written.
        """
        self.recorder = Recorder(
            self.target,
            SegmentWriter(
                self.directory, self.add_segment(), run=self.id, clock=CLOCK, checksum=self._description.checksum
            ),
            self.directory / INCIDENT_DIRECTORY,
        )
        for group in self.target.groups():
            self.recorder.add_group(group)
        return self.recorder

    def add_segment(self) -> str:
        """The name of one more load segment; from now on it has to be there."""
        segments = self._description.segments
        name = f"{LOAD_PREFIX}{len(segments)}"
        self._describe(segments=(*segments, name))
        return name

    def restart_clock(self) -> None:
        """The plan begins now: the target was opened some time before the load."""
        self.started_ns = time.monotonic_ns()
        started = datetime.now().astimezone().isoformat(timespec="milliseconds")
        self._describe(started=started, started_ns=self.started_ns)

    @property
    def elapsed_s(self) -> float:
        """Since the plan began."""
        return (time.monotonic_ns() - self.started_ns) / 1e9

    def check_target(self) -> bool:
        """False, for good, once the target has died."""
        if not self.died and (failure := self.target.failure()):
            self.died = f"the target died after {self.elapsed_s:.1f} s: {failure}"
        return not self.died

    def add_fault(self, text: str) -> None:
        """Count what went wrong outside the load processes, once."""
        if text not in self.faults:
            self.faults.append(text)

    def pull(self, *, rest: bool = False) -> Told:
        """Put on record what the target tells of itself that is new; asked about once a second, and at the end.

        So the run directory is at any time a ledger of the run so far. What goes wrong is a fault of the run, unless
        the target has died.

        Args:
            rest: the last time.
        """
        return self._target_evidence.pull(rest=rest)

    def abandon(self) -> None:
        """Stop the target of an open run that cannot begin; its ledger stays without an end."""
        try:
            if self.recorder is not None:
                self.recorder.end_help()
            self._target_evidence.close()
        finally:
            self.target.close()

    @property
    def is_synchronised(self) -> bool:
        """Every change that this process has sent, or been told of, was synchronised when the target was last asked."""
        told = self._target_evidence.synchronised
        if self.recorder is not None:
            self.expect_versions(self.recorder.register.newest_versions())
            told = told.union(self.recorder.register.synchronised_versions())
        return told.issuperset(self._newest.items())

    def expect_versions(self, newest: Mapping[str, int]) -> None:
        """Tell of changes that another process sent: group -> the newest version that was made."""
        for group, version in newest.items():
            self._newest[group] = max(version, self._newest.get(group, 0))

    def close(
        self,
        ended: Ended = "complete",
        *,
        reports: Mapping[str, Report] | None = None,
        beside: Callable[[Callable[[], Verdict]], Verdict] = lambda decide: decide(),
    ) -> Verdict:
        """Settle what is open, copy what the target tells into the ledger, stop the target and decide.

        Args:
            reports: the last word of other load processes, by segment.
            beside: makes the decision, which may take minutes; it touches nothing but the run directory.

        Raises:
            LedgerError: when the ledger cannot be read back, or a verdict other than FAIL cannot be written.
        """
        elapsed_s = self.elapsed_s
        recorder = self.recorder
        self._guard(self._wait_for_sync)
        if recorder is not None:
            self._guard(recorder.settle_all)
            if ended != "interrupted":  # else somebody wants it to end
                self._guard(recorder.relearn)
            self._guard(lambda: close_recorder(recorder, self._random, time.monotonic_ns()))
        for step in (
            lambda: self.pull(rest=True),
            self._target_evidence.close,
            self.check_target,
            self.target.close,
        ):
            self._guard(step)
        told = {"elapsed_s": elapsed_s, "ended": ended, "died": self.died, "reports": reports or {}}
        self._guard(lambda: self._describe(**told, faults=tuple(self.faults)))
        return beside(self._decide)

    def _decide(self) -> Verdict:
        decision = examine(self.directory)
        verdict = decision.verdict
        try:
            write_verdict(self.directory, verdict)
        except LedgerError as error:
            self.add_fault(str(error))
            if verdict.verdict != "FAIL":  # which is told, and shown, although it cannot be kept
                raise
        write_reports(self.directory, decision, self.language)
        return verdict

    def _has_died(self) -> bool:
        try:
            return not self.check_target()
        except Exception:  # noqa: BLE001 - a target of which that is not known has not died
            return False

    @property
    def _target_evidence(self) -> TargetEvidence:
        if self._evidence is None:
            message = "this should never happen, because nobody asks before the run is open"
            raise AssertionError(message)
        return self._evidence

    def _wait_for_sync(self) -> None:
        """Until every change that was sent has been synchronised, for the target's word on it to be whole."""
        give_up_ns = time.monotonic_ns() + int(_SYNC_LIMIT_S * 1e9)
        if not self._description.synchronises:
            return
        if self.recorder is not None:
            self.expect_versions(self.recorder.register.newest_versions())
        while self._newest and self.check_target() and time.monotonic_ns() < give_up_ns:
            self.pull()
            if self.is_synchronised:
                return
            time.sleep(_SYNC_POLL_S)
        if self._newest and not self.died:
            self.add_fault(f"changes were not synchronised within {_SYNC_LIMIT_S:g} s of the end")

    def _guard(self, step: Callable[[], object]) -> None:
        """Run one step of the end; what goes wrong becomes a fault, so that the steps after it are still made."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - nothing may keep the verdict from being written
            self.add_fault(f"{type(error).__name__} at the end of the run: {error}")
            for text in self.recorder.faults if self.recorder is not None else ():
                self.add_fault(text)  # they may not have reached the disk

    def _describe(self, **fields: object) -> None:
        self._description = msgspec.structs.replace(self._description, **fields)
        write_json(self.directory / RUN_FILE, self._description)


def close_recorder(recorder: Recorder, random: Random, now_ns: int) -> None:
    """Settle everything, make sure of the self-test, and close the segment.

    Args:
        now_ns: on the segment's clock.

    Raises:
        LedgerError: when the disk takes no more.
        TargetError: when the truth cannot be asked; the segment is closed all the same.
    """
    try:
        recorder.settle_all()
        recorder.settle_waiting()
        recorder.plant_self_test(random, now_ns)
        recorder.settle_all()
    finally:
        recorder.close()


def _versions() -> dict[str, str]:
    versions = {"python": sys.version.split()[0]}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
