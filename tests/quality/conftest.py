"""Runs `misissue verify` and reads back what it left."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

import msgspec
import pytest

from harness.evidence.ledger import INCIDENT_DIRECTORY, VERDICT_FILE, segments_in
from harness.evidence.segment import SegmentReader
from harness.records import Change, ErrorNotice, Evidence, Group, Print, PrintEvent, SelfTest, SyncRun
from harness.run import TARGET_DIRECTORY
from harness.verdict import Verdict
from targets.link_faults import FaultBegun, read_faults
from targets.municipal.deployment import FAULT_LOG
from targets.municipal.settings import Settings, read_settings
from tests.e2e.conftest import Command


class Verification:
    """A finished `misissue verify` of one load process, by its ledger and its verdict."""

    def __init__(self, directory: Path, settings: Settings, exit_code: int, output: str) -> None:
        self.directory = directory
        self.settings = settings
        self.exit_code = exit_code
        self.output = output
        self.verdict = msgspec.json.decode((directory / VERDICT_FILE).read_bytes(), type=Verdict)
        (self.process,) = self.verdict.processes.values()

    @cached_property
    def evidence(self) -> list[Evidence]:
        """All records of all segments."""
        return [record for path in segments_in(self.directory) for record in SegmentReader(path)]

    @cached_property
    def prints(self) -> dict[str, Print]:
        """nonce -> attempt, without that of the self-test."""
        planted = {record.application for record in self.evidence if isinstance(record, SelfTest)}
        attempts = [record for record in self.evidence if isinstance(record, Print)]
        return {attempt.nonce: attempt for attempt in attempts if attempt.application not in planted}

    @cached_property
    def failed(self) -> list[Print]:
        """Attempts that brought neither a document nor a refusal."""
        return [attempt for attempt in self.prints.values() if attempt.answer not in {"document", "refused"}]

    @cached_property
    def notices(self) -> dict[str, str]:
        """nonce -> code."""
        return {record.nonce: record.code for record in self.evidence if isinstance(record, ErrorNotice)}

    @cached_property
    def print_events(self) -> list[PrintEvent]:
        """Of the AP server."""
        return [record for record in self.evidence if isinstance(record, PrintEvent)]

    @cached_property
    def sync_runs(self) -> set[str]:
        """By name."""
        return {record.sync_run for record in self.evidence if isinstance(record, SyncRun)}

    @cached_property
    def household_of(self) -> dict[str, str]:
        """Everybody who was ever on record."""
        told = [record for record in self.evidence if isinstance(record, Group | Change)]
        return {person: record.group for record in told for person in record.persons}

    @cached_property
    def faults(self) -> list[FaultBegun]:
        """Of the link, as far as they began while prints were made."""
        last_ns = max(attempt.sent_ns for attempt in self.prints.values())
        faults = read_faults(self.directory / TARGET_DIRECTORY / f"{FAULT_LOG}.jsonl")
        return [fault for fault in faults if fault.at_ns <= last_ns]

    def misissued_paper(self, nonce: str) -> bytes:
        """What was handed out."""
        return (self.directory / INCIDENT_DIRECTORY / f"{nonce}.document").read_bytes()

    def figures(self) -> str:
        """One line for whoever reads the output."""
        verdict = self.verdict
        told = (
            f"{verdict.profile} seed {verdict.seed} build {self.settings.build}: {verdict.verdict}",
            f"{self.process.judged} judged, {self.process.failed} failed, {verdict.exposures} exposures",
            _list(verdict.outcomes),
            f"errors: {_list(Counter(attempt.error for attempt in self.failed))}",
            f"faults: {_list(Counter(fault.kind for fault in self.faults))}",
        )
        return "; ".join(told)


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number)


Verify = Callable[..., Verification]


@pytest.fixture
def verify(tmp_path: Path) -> Iterator[Verify]:
    """Run `misissue verify PROFILE`, with settings of the target and further arguments, and read what it left."""
    commands: list[Command] = []

    def run(profile: str, *arguments: str, seed: int, **settings: str) -> Verification:
        directory = tmp_path / f"run-{len(commands)}"
        given = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        options = ("--seed", str(seed), "--out", str(directory), *given)
        command = Command("harness", "verify", profile, *options, *arguments, cwd=tmp_path)
        commands.append(command)
        exit_code = command.wait()
        assert not command.left_behind()
        read = read_settings({"seed": str(seed), **settings})
        return Verification(directory, read, exit_code, command.stdout + command.stderr)

    yield run
    for command in commands:
        command.end()
