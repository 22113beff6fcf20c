"""A run that goes on without Locust's runner, and a user of a locustfile in it."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent

from harness.criteria import Criteria
from harness.evidence.recorder import Recorder
from harness.evidence.segment import SegmentWriter
from harness.load.clock import Clock
from harness.load.plan import Phase, Plan
from harness.records import Print
from harness.report.language import ENGLISH
from tests.harness.builders import HOME, KIND, OTHER, read_segment
from tests.harness.stub import StubTarget

Load = Callable[[str], Any]
"""Imports a module by its name."""


class EnumeratedTarget(StubTarget):
    """Tells what there is to apply for."""

    def kinds(self) -> dict[str, tuple[str, ...]]:
        return {KIND: ("my_number",)}

    def applicants(self, group: Any) -> tuple[str, ...]:
        persons: tuple[str, ...] = group.persons
        return persons


class Desk:
    """A run that goes on, and a user of a locustfile in it."""

    def __init__(self, load: Load, directory: Path, *, share: tuple[int, ...] = (0, 1), rate: float | None = None):
        self.now_ns = 1000
        setup = load("harness.load.options").Setup(
            profile="test",
            target="",
            settings={},
            plan=Plan((Phase(name="load", seconds=60.0, think_s=0.0),)),
            seed=7,
            criteria=Criteria(),
            rate_per_s=rate,
            regular=True,
            stop_on_misissuance=False,
            directory=None,
            parameters={},
            language=ENGLISH,
        )
        self.path = directory / "segments" / "load-1.jsonl"
        (directory / "incidents").mkdir()
        self.recorder = Recorder(
            EnumeratedTarget(),
            SegmentWriter(directory, "load-1", run="r", clock="monotonic"),
            directory / "incidents",
        )
        for group in (HOME, OTHER):
            self.recorder.add_group(group)
        module = load("harness.load.active_run")
        self.active = module.ActiveRun(
            setup,
            EnumeratedTarget(),
            self.recorder,
            share=module.Share(number=0, parts=1, groups=share),
            clock=Clock("here", lambda: self.now_ns),
            on_misissuance=lambda: None,
        )
        plugin = SimpleNamespace(active=self.active)
        self.plugin = plugin
        self.user = type("User", (load("harness.load.checked").Checked,), {"plugin": plugin})()

    def prints(self) -> list[Print]:
        """On record by now."""
        self.recorder.settle()
        self.recorder.segment.flush()
        records, _ = read_segment(self.path)
        return [record for record in records if isinstance(record, Print)]

    def is_free(self, applicant: str) -> bool:
        """Nobody is being served by that person's group."""
        with gevent.Timeout(0.05, False), self.user.checked(applicant, KIND) as print_:
            print_.refused("asked only whether there is a turn")
            return True
        return False
