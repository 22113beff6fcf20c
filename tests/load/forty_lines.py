"""A system under test described to the harness in about forty lines: a service that hands out "document of PERSON"."""

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random

import msgspec

from harness.fingerprint import Fingerprint, checksum, sha256
from harness.records import Application, Change, Document, ErrorNotice, Group, Mark, Print, PrintEvent, SyncRun
from harness.target import Answer, Request, TargetError

SERVICE = Path(__file__).with_name("paper_service.py")


class Target:
    """The service in a process of its own; the setting `wrong_every` is the one of the service."""

    name = "forty lines"
    clock = "monotonic"
    client_timeout_s: float | None = 5.0
    reapply_after_s = (0.1, 0.2)
    shows_points = False
    fingerprint = Fingerprint()
    synchronises = True

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.wrong_every = settings.get("wrong_every", "0")
        self.versions: dict[str, int] = {}
        self.told = 0

    def open(self, directory: Path) -> Mapping[str, object]:
        directory.mkdir(mode=0o700)
        command = [sys.executable, str(SERVICE), str(directory), self.wrong_every]
        self.service = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.service.stdout is not None
        self.url, self.sync_log = self.service.stdout.readline().strip(), directory / "sync-runs.jsonl"
        return {"wrong_every": self.wrong_every, "pid": self.service.pid}

    def share(self) -> None:
        return None

    def attach(self, shared: Mapping[str, str]) -> None:  # noqa: ARG002 - protocol
        message = "forty lines: only the process that opened it knows its versions; right would be a single process"
        raise TargetError(message)

    def addresses(self) -> Mapping[str, str]:
        return {"service": self.url}

    def close(self) -> None:
        self.service.communicate()  # the end of its standard input ends it

    def failure(self) -> str:
        return "" if self.service.poll() is None else "the service ended"

    def groups(self) -> Sequence[Group]:
        return [Group(group=f"G{number}", persons=(f"P{number}",)) for number in range(100)]

    def draw_application(self, application: str, group: Group, random: Random) -> Application:
        return Application(
            application=application, applicant=random.choice(group.persons), group=group.group, kind="paper"
        )

    def print_request(self, application: Application) -> Request:
        return Request(url=f"{self.url}/print", body=f"{application.nonce} {application.applicant}".encode())

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:  # noqa: ARG002 - protocol
        return Answer(document=body) if status == 200 else Answer(error=f"status {status}")

    def draw_change(self, change: str, group: Group, kinds: Sequence[str], random: Random) -> tuple[Change, Request]:
        version = self.versions[group.group] = self.versions.get(group.group, 1) + 1
        request = Request(url=f"{self.url}/change", body=f"{group.persons[0]} {version}".encode())
        kind = random.choice(kinds)
        return Change(
            change=change, group=group.group, kind=kind, version=version, persons=group.persons, sent_ns=0
        ), request

    def expected(self, print_: Print) -> Iterable[Document]:
        for person in {print_.applicant, *(person for mark in print_.marks for person in mark.persons)}:
            group = person.replace("P", "G")
            for version in range(1, self.versions.get(group, 1) + 1):
                data = f"document of {person} as of {version}".encode()
                yield Document(
                    persons=(person,),
                    applicants=(person,),
                    group=group,
                    kind="paper",
                    version=version,
                    checksum=checksum(data),
                    sha256=sha256(data),
                )

    def right_document(self, print_: Print) -> bytes | None:
        return f"document of {print_.applicant} as of {self.versions.get(print_.group, 1)}".encode()

    def marks(self, document: bytes) -> tuple[Mark, ...]:
        found = re.fullmatch(rb"document of (\w+) as of (\d+)", document)
        if found is None:
            return ()
        return (Mark(persons=(found[1].decode(),), kind="paper", version=int(found[2]), page=1, pages=1),)

    def new_sync_runs(self, rest: bool = False) -> Iterable[SyncRun]:  # noqa: ARG002 - none is told before its end
        lines = self.sync_log.read_bytes().splitlines() if self.sync_log.exists() else []
        new, self.told = lines[self.told :], len(lines)
        return [msgspec.json.decode(line, type=SyncRun) for line in new]

    def new_print_events(self) -> Iterable[PrintEvent]:
        return []

    def new_error_notices(self) -> Iterable[ErrorNotice]:
        return []
