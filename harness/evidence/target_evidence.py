"""What the target tells of itself, put on record while the run goes on."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from harness.evidence.ledger import LedgerError
from harness.evidence.segment import SegmentWriter
from harness.records import ErrorNotice, PrintEvent, SyncRun
from harness.target import Target

_RECORDS_AT_ONCE = 500
_Record = TypeVar("_Record", SyncRun, PrintEvent, ErrorNotice)


class Told(NamedTuple):
    """What a target told of itself since it was last asked."""

    sync_runs: list[SyncRun]
    events: list[PrintEvent]
    notices: list[ErrorNotice]


class TargetEvidence:
    """Asks the target what is new, and keeps it.

    Args:
        writer: of the target's segment.
        has_died: what cannot be asked of a target that died is no fault.

    Attributes:
        synchronised: (group, version) pairs of which the registry was told that they are synchronised.
    """

    def __init__(
        self, target: Target, writer: SegmentWriter, *, has_died: Callable[[], bool], add_fault: Callable[[str], None]
    ) -> None:
        self.synchronised: set[tuple[str, int]] = set()
        self._target = target
        self._writer = writer
        self._has_died = has_died
        self._add_fault = add_fault

    def pull(self, *, rest: bool) -> Told:
        """Everything that is new; gives way to others after every few records.

        Args:
            rest: the last time.
        """
        told = Told([], [], [])
        self._ask(lambda: self._target.new_sync_runs(rest), told.sync_runs)
        self._ask(self._target.new_print_events, told.events)
        self._ask(self._target.new_error_notices, told.notices)
        self._write(self._writer.flush)
        for run in told.sync_runs:
            if run.acknowledged_ns is not None:
                self.synchronised.update(run.applied)
        return told

    def close(self) -> None:
        """Nothing more is told.

        Raises:
            LedgerError: when the disk takes no more.
        """
        self._writer.close()

    def _ask(self, ask: Callable[[], Iterable[_Record]], new: list[_Record]) -> None:
        try:
            for number, record in enumerate(ask(), 1):
                new.append(record)
                self._write(self._writer.write, record)
                if number % _RECORDS_AT_ONCE == 0:
                    time.sleep(0)
        except Exception as error:  # noqa: BLE001 - whatever the target does, the rest is still asked for
            if not self._has_died():
                self._add_fault(f"{type(error).__name__} when the target was asked what is new: {error}")

    def _write(self, work: Callable[..., None], *records: _Record) -> None:
        try:
            work(*records)
        except LedgerError as error:  # what was not written waits for the disk to take it
            self._add_fault(str(error))
