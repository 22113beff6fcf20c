"""One judged run: its directory, its target, its evidence, its verdict. Knows nothing of what drives the load."""

import importlib
import importlib.metadata
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import cast

import msgspec

from harness.gate import Verdict, decide, write_verdict
from harness.ledger import (
    INCIDENT_DIRECTORY,
    RUN_FILE,
    Criteria,
    RunDescription,
    SegmentWriter,
    create_run_directory,
    write_json,
)
from harness.recorder import Recorder
from harness.target import Target, TargetError

LOAD_SEGMENT = "load-1"
LOAD_CLOCK = "monotonic"
"""CLOCK_MONOTONIC of the machine, by which users and counters are timed."""
TARGET_SEGMENT = "target"
TARGET_DIRECTORY = "target"
_SYNC_LIMIT_S = 10.0
_SYNC_POLL_S = 0.05
_PACKAGES = ("misissue", "locust", "gevent", "geventhttpclient", "msgspec", "xxhash", "reportlab", "asyncpg", "aiohttp")


class JudgedRun:
    """From `open` to `close`, which says the verdict.

    Args:
        directory: of the run; must not hold one already.
        planned_s: how long the plan takes; a run that ends earlier was interrupted.
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
    ) -> None:
        self.target = target
        self.directory = directory
        self.died = ""
        self.started_ns = 0
        self._writer: SegmentWriter | None = None
        self._description = RunDescription(
            profile=profile,
            target=target.name,
            seed=seed,
            started=datetime.now().astimezone().isoformat(timespec="seconds"),
            command=tuple(sys.argv),
            parameters=parameters,
            versions=_versions(),
            segments=(LOAD_SEGMENT, TARGET_SEGMENT),
            criteria=criteria,
            planned_s=planned_s,
            shows_points=target.shows_points,
        )
        self.recorder: Recorder

    def open(self) -> None:
        """Make the run directory and start the target.

        Raises:
            LedgerError: when the directory cannot be used.
            TargetError: when the target cannot be started; nothing is left running.
        """
        create_run_directory(self.directory)
        self._describe()
        settings = self.target.open(self.directory / TARGET_DIRECTORY)
        try:
            self._describe(parameters={**self._description.parameters, "settings": settings})
            self._writer = SegmentWriter(self.directory, LOAD_SEGMENT, LOAD_CLOCK)
            self.recorder = Recorder(self.target, self._writer, self.directory / INCIDENT_DIRECTORY)
            for group in self.target.groups():
                self.recorder.add_group(group)
        except BaseException:
            self.target.close()
            raise
        self.started_ns = time.monotonic_ns()

    def restart_clock(self) -> None:
        """The plan begins now: the target was opened some time before the load."""
        self.started_ns = time.monotonic_ns()

    @property
    def elapsed_s(self) -> float:
        """Since the plan began."""
        return (time.monotonic_ns() - self.started_ns) / 1e9

    def check_target(self) -> bool:
        """False, for good, once the target has died."""
        if not self.died and (failure := self.target.failure()):
            self.died = f"the target died after {self.elapsed_s:.1f} s: {failure}"
        return not self.died

    def close(self, *, interrupted: bool = False) -> Verdict:
        """Settle what is open, copy what the target tells into the ledger, stop the target and decide.

        Raises:
            LedgerError: when the ledger cannot be read back.
        """
        recorder = self.recorder
        for step in (
            recorder.settle,
            self._copy_target_evidence,
            recorder.flush,
            self.check_target,
            self.target.close,
        ):
            _guard(step, recorder.faults)
        if self._writer is not None:
            _guard(self._writer.close, recorder.faults)
        self._describe(
            ended="interrupted" if interrupted else "complete", faults=tuple(recorder.faults), died=self.died
        )
        verdict = decide(self.directory)
        write_verdict(self.directory, verdict)
        return verdict

    def _copy_target_evidence(self) -> None:
        self._wait_for_sync()
        writer = SegmentWriter(self.directory, TARGET_SEGMENT, self.target.clock)
        for evidence in (self.target.sync_runs(), self.target.print_events(), self.target.error_notices()):
            for record in evidence:
                writer.write(record)
        writer.close()

    def _wait_for_sync(self) -> None:
        """Until every change that was sent has been synchronised, for the target's word on it to be whole."""
        sent = self.recorder.register.newest_versions()
        give_up_ns = time.monotonic_ns() + int(_SYNC_LIMIT_S * 1e9)
        while sent and self.check_target() and time.monotonic_ns() < give_up_ns:
            done = {pair for run in self.target.sync_runs() if run.acknowledged_ns for pair in run.applied}
            if all((group, version) in done for group, version in sent.items()):
                return
            time.sleep(_SYNC_POLL_S)
        if sent and not self.died:
            self.recorder.faults.append(f"changes were not synchronised within {_SYNC_LIMIT_S:g} s of the end")

    def _describe(self, **fields: object) -> None:
        self._description = msgspec.structs.replace(self._description, **fields)
        write_json(self.directory / RUN_FILE, self._description)


def load_attribute(name: str) -> object:
    """What `module:attribute` names.

    Raises:
        TargetError: when there is nothing by that name.
    """
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"{name!r} not found ({error}); write MODULE:ATTRIBUTE of something importable"
        raise TargetError(message) from error


def load_target(name: str, settings: Mapping[str, str]) -> Target:
    """The target that `module:attribute` makes of the settings, among which there always is `seed`.

    Raises:
        TargetError: when there is none by that name, or it refuses the settings.
    """
    factory = load_attribute(name)
    if not callable(factory):
        message = f"{name!r} is no target, but {type(factory).__name__}; write MODULE:ATTRIBUTE of a target's class"
        raise TargetError(message)
    return cast("Target", factory(settings))


def default_directory(profile: str) -> Path:
    """runs/<time>-<profile> below the working directory."""
    return Path("runs") / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{profile}"


def _guard(step: Callable[[], object], faults: list[str]) -> None:
    """Run one step of the end; whatever goes wrong becomes a fault, so that the steps after it are still made."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 - nothing may keep the verdict from being written
        faults.append(f"{type(error).__name__} at the end of the run: {error}")


def _versions() -> dict[str, str]:
    versions = {"python": sys.version.split()[0]}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
