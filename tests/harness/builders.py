"""Small worlds of evidence: papers, prints, run directories and a target without a service.

Two households: G1 with A and B, G2 with X. Their papers are right at version 1 unless a test says otherwise.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from harness.fingerprint import checksum, sha256
from harness.ledger import (
    RUN_FILE,
    Criteria,
    RunDescription,
    SegmentWriter,
    create_run_directory,
    segment_path,
    write_json,
)
from harness.records import (
    Application,
    Change,
    Document,
    ErrorNotice,
    Evidence,
    Group,
    Issued,
    Mark,
    Print,
    PrintEvent,
    SyncRun,
)
from harness.register import Register
from harness.target import Answer, Request

HOME = Group(group="G1", persons=("A", "B"))
OTHER = Group(group="G2", persons=("X",))
HOUSEHOLD_OF = {"A": "G1", "B": "G1", "X": "G2"}
KIND = "juminhyo"
LOAD, TARGET = "load-1", "target"


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


def change(version: int, *, sent_ns: int, group: str = "G1", persons: tuple[str, ...] = ("A", "B")) -> Change:
    """A change that was acknowledged as entered at once."""
    return Change(
        change=f"C{version}",
        group=group,
        kind="relocate",
        version=version,
        persons=persons,
        sent_ns=sent_ns,
        answered_ns=sent_ns,
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
        "profile": "test",
        "target": "stub",
        "seed": 1,
        "started": "2023-04-30T00:00:00+09:00",
        "command": (),
        "parameters": {},
        "versions": {},
        "segments": (LOAD, TARGET),
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
    clocks: tuple[str, str] = ("monotonic", "monotonic"),
    **fields: Any,
) -> Path:
    """A run directory with both segments closed; every print counts as sent unless `issued` says how many were."""
    create_run_directory(directory)
    seen = list(load)
    prints = sum(isinstance(record, Print) for record in seen)
    seen.append(Issued(count=prints if issued is None else issued))
    for segment, clock, records in zip((LOAD, TARGET), clocks, (seen, target), strict=True):
        write_segment(directory, segment, records, clock=clock)
    write_json(directory / RUN_FILE, describe(**fields))
    return directory


def write_segment(directory: Path, segment: str, records: Iterable[Evidence], *, clock: str = "monotonic") -> Path:
    """One closed segment."""
    writer = SegmentWriter(directory, segment, clock)
    for record in records:
        writer.write(record)
    writer.close()
    return segment_path(directory, segment)


def strict(max_error_share: float) -> Criteria:
    """Criteria that limit the errors."""
    return Criteria(max_error_share=max_error_share)


class StubTarget:
    """A target without a service: a test plays the service and sets what the target tells.

    Attributes:
        told: what `sync_runs`, `print_events` and `error_notices` tell; broken: names of methods that raise `OSError`;
            calls: names of the methods that were called.
    """

    name = "stub"
    clock = "monotonic"
    client_timeout_s: float | None = 1.0
    reapply_after_s = (0.0, 0.0)
    shows_points = False

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

    def marks(self, document: bytes) -> tuple[Mark, ...]:
        self._call("marks")
        return self.marks_of.get(document, ())

    def sync_runs(self) -> Iterable[SyncRun]:
        self._call("sync_runs")
        return [record for record in self.told if isinstance(record, SyncRun)]

    def print_events(self) -> Iterable[PrintEvent]:
        return [record for record in self.told if isinstance(record, PrintEvent)]

    def error_notices(self) -> Iterable[ErrorNotice]:
        return [record for record in self.told if isinstance(record, ErrorNotice)]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.broken:
            raise OSError(f"{name} is broken")
