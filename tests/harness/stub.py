"""A target without a service: a test plays the service and sets what the target tells."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

from harness.fingerprint import Fingerprint
from harness.records import (
    Application,
    Change,
    Document,
    ErrorNotice,
    Group,
    Mark,
    Print,
    PrintEvent,
    SyncRun,
)
from harness.target import Answer, Request
from tests.harness.builders import HOME, KIND, OTHER, entry, paper, sync_run

_Told = TypeVar("_Told", SyncRun, PrintEvent, ErrorNotice)


class StubTarget:
    """One household of two, one of a single person, and whatever a test makes of them.

    Attributes:
        told: what it tells next, and no longer when it was told; broken: names of methods that raise `OSError`;
            calls: names of the methods that were called.
    """

    name = "stub"
    clock = "monotonic"
    client_timeout_s: float | None = 1.0
    reapply_after_s = (0.0, 0.0)
    shows_points = False
    fingerprint = Fingerprint()
    synchronises = True

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.settings = settings or {}
        self.told: list[SyncRun | PrintEvent | ErrorNotice] = [sync_run()]
        self.documents = [entry("A"), entry("B"), entry("X")]
        self.marks_of: dict[bytes, tuple[Mark, ...]] = {}
        self.broken: set[str] = set()
        self.calls: list[str] = []
        self.dead = ""

    def open(self, directory: Path) -> Mapping[str, object]:
        self._call("open")
        directory.mkdir()
        return {"build": "stub"}

    def share(self) -> Mapping[str, str]:
        return {}

    def attach(self, shared: Mapping[str, str]) -> None:  # noqa: ARG002 - protocol
        self._call("attach")

    def addresses(self) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        self._call("close")

    def failure(self) -> str:
        self._call("failure")
        return self.dead

    def groups(self) -> Sequence[Group]:
        self._call("groups")
        return [HOME, OTHER]

    def draw_application(self, application: str, group: Group, random: Random) -> Application:
        return Application(
            application=application, applicant=random.choice(group.persons), group=group.group, kind=KIND
        )

    def print_request(self, application: Application) -> Request:
        return Request(url=f"http://stub/{application.nonce}")

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:  # noqa: ARG002 - protocol
        return Answer(document=body) if status == 200 else Answer(error="broken")

    def draw_change(
        self,
        change: str,
        group: Group,
        kinds: Sequence[str],
        random: Random,  # noqa: ARG002 - protocol
    ) -> tuple[Change, Request]:
        made = Change(change=change, group=group.group, kind=kinds[0], version=2, persons=group.persons, sent_ns=0)
        return made, Request(url="http://stub/change")

    def expected(self, print_: Print) -> Iterable[Document]:
        self._call("expected")
        return [document for document in self.documents if document.checksum == print_.checksum]

    def right_document(self, print_: Print) -> bytes | None:
        self._call("right_document")
        return paper(print_.applicant, kind=print_.kind, options=print_.options)

    def marks(self, document: bytes) -> tuple[Mark, ...]:
        self._call("marks")
        return self.marks_of.get(document, ())

    def new_sync_runs(self, rest: bool = False) -> Iterable[SyncRun]:
        self._call("new_sync_runs")
        return self._new(SyncRun, lambda run: rest or run.acknowledged_ns is not None)

    def new_print_events(self) -> Iterable[PrintEvent]:
        self._call("new_print_events")
        return self._new(PrintEvent)

    def new_error_notices(self) -> Iterable[ErrorNotice]:
        return self._new(ErrorNotice)

    def _new(self, kind: type[_Told], is_known: Callable[[_Told], bool] = lambda _: True) -> list[_Told]:
        new = [record for record in self.told if isinstance(record, kind) and is_known(record)]
        for record in new:
            self.told.remove(record)  # in place: threads of a test may add to it
        return new

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.broken:
            raise OSError(f"{name} is broken")
