"""Any HTTP service that a target.toml describes, as the harness sees it."""

import http.client
import ssl
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from types import MappingProxyType

from harness.calibration import Calibration, CalibrationError
from harness.exchange import send
from harness.records import Application, Change, Document, ErrorNotice, Group, Mark, Print, PrintEvent, Refusal, SyncRun
from harness.relearning import Relearnt
from harness.target import Answer, Request, TargetError
from targets.http.answers import Received
from targets.http.certificates import ca_file_of
from targets.http.changing import Changing
from targets.http.conversation import Conversation
from targets.http.description import Source
from targets.http.fingerprints import make_fingerprint
from targets.http.golden import (
    RightDocuments,
    golden_of,
    golden_path,
    note_changes,
    read_golden,
    was_changed,
    write_golden,
)
from targets.http.requests import make_request, values_of
from targets.http.safety import check_load
from targets.http.secrets import read_secrets

CLOCK = "monotonic"


class HttpTarget:
    """What a target.toml describes.

    Args:
        settings: `file` names the target.toml.

    Raises:
        TargetError: with one line for everything that is wrong with it.
    """

    clock = CLOCK
    shows_points = False

    def __init__(self, settings: Mapping[str, str]) -> None:
        unknown = sorted(settings.keys() - {"file", "seed"})
        if unknown or "file" not in settings:
            found = ", ".join(unknown) or "no file"
            raise TargetError(f"--set: found {found}, right is what stands in the target.toml alone")
        self._source = Source(Path(settings["file"]))
        self._described = self._source.description
        self._people = self._source.people
        self.name = self._described.service.name
        self.client_timeout_s: float | None = self._described.service.timeout_s
        shortest_s, longest_s = self._described.service.reapply_after_s
        self.reapply_after_s = (shortest_s, longest_s)
        self._secrets: Mapping[str, str] = MappingProxyType({})
        self._kinds = list(self._described.kinds)
        self._weights = [kind.weight for kind in self._described.kinds.values()]
        self._options = [option for kind in self._described.kinds.values() for option in kind.options]
        self.ca_file = ca_file_of(self._described.service, self._source.path.parent)
        self._described_fingerprint = make_fingerprint(self._described.fingerprint, self._people)
        self.fingerprint = self._described_fingerprint
        self._golden = golden_path(self._source.path)
        self._right = RightDocuments(())
        self._version = ""
        self._changing = Changing(self._described, self._people)
        self.synchronises = self._changing.synchronises

    def open(self, directory: Path) -> Mapping[str, object]:  # noqa: ARG002 - somebody else's service keeps its own logs
        """Look for what the run needs; the service itself is there already."""
        self.reach()
        if not self.recall():
            raise TargetError(
                f"{self._golden}: there is none; right is to learn the right documents first: {self._how}"
            )
        self._changing.begin(self._secrets, self._source.path.parent, self._source.tell)
        return {
            "file": str(self._source.path),
            "base_url": self._described.service.base_url,
            "version": self._version,
            "persons": len(self._people),
        }

    def share(self) -> Mapping[str, str] | None:
        """The version that was found; everything else each process reads from the files by itself.

        None with changes: which were made, and what is right since, is known in one process only.
        """
        return None if self.most_changes else {"version": self._version}

    def attach(self, shared: Mapping[str, str]) -> None:
        """Secrets are read by each process for itself, so that none travels."""
        self._read_secrets()
        self._version = shared["version"]
        if not self.recall():
            raise TargetError(
                f"{self._golden}: is not there; right is the golden file of the process that began the run"
            )

    def addresses(self) -> Mapping[str, str]:
        """Of the service."""
        return {"service": self._described.service.base_url}

    def close(self) -> None:
        """Whoever started the service stops it."""
        self._changing.end()

    def failure(self) -> str:
        """A dead service shows as errors of all prints."""
        return ""

    def groups(self) -> Sequence[Group]:
        """The test persons, with what may not be issued to them as far as that is known."""
        return [
            Group(group=group.group, persons=group.persons, refusals=self._refusals(group.group))
            for group in self._people.groups
        ]

    def draw_application(self, application: str, group: Group, random: Random) -> Application:
        """By the weights of the kinds, with each option as often as its share says."""
        (kind,) = random.choices(self._kinds, self._weights)
        table = self._described.kinds[kind]
        return Application(
            application=application,
            applicant=random.choice(self._people.applicants[group.group]),
            group=group.group,
            kind=kind,
            options=tuple(option for option in table.options if random.random() < table.option_share),
        )

    def print_request(self, application: Application) -> Request:
        """The first request of the conversation that the description makes of an application."""
        self._changing.note_application(application)
        values = values_of(application, self._people.individuals[application.applicant], self._secrets)
        asked = {f"option:{name}": "true" if name in application.options else "false" for name in self._options}
        return Conversation(self._described, values | asked).begin()

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """Of somebody else's request that brought the document itself; those of ours bring a reader of their own."""
        return Conversation(self._described, {}).read_last(Received(status, headers, body))

    def draw_change(
        self, change: str, group: Group, kinds: Sequence[str], random: Random
    ) -> tuple[Change, Request] | None:
        """One of the described kinds, for somebody of the group; a group is changed once in a run."""
        drawn = self._changing.draw(change, group, kinds, random, self._secrets)
        if drawn is not None:
            note_changes(self._golden)
        return drawn

    @property
    def most_changes(self) -> int:
        """One for each group that can be changed at all."""
        return self._changing.changes.most

    def note_change(self, change: Change) -> Iterable[Document]:
        """Of which more is known now; the golden file's documents of its group may be the past."""
        self._changing.note(change)
        return self._right.perhaps_right_by(change)

    def awaits(self, print_: Print) -> bool:
        """Documents that come out after a change of their group."""
        return self._changing.awaits(print_)

    def relearn(self, waiting: Sequence[Print]) -> Relearnt:
        """From the service, which is asked by nobody else now."""
        return self._changing.relearn(self, self._right, waiting)

    def expected(self, print_: Print) -> Iterable[Document]:
        """From the golden file."""
        return self._right.expected(print_)

    def right_document(self, print_: Print) -> bytes | None:  # noqa: ARG002 - protocol
        """The golden file has checksums only."""
        return None

    def marks(self, document: bytes) -> tuple[Mark, ...]:
        """As described; where nothing is, a document that is nobody's is undecided."""
        return self.fingerprint.marks(document)

    def new_sync_runs(self, rest: bool = False) -> Iterable[SyncRun]:
        """As the service tells of them, or as they are known by its changes."""
        return self._changing.sync_runs(rest=rest)

    def new_print_events(self) -> Iterable[PrintEvent]:
        """Only the outside is seen."""
        return ()

    def new_error_notices(self) -> Iterable[ErrorNotice]:
        """None."""
        return ()

    def check_load(self, *, rate_per_s: float | None, seconds: float, urls: Sequence[str] = ()) -> None:
        """What the description allows."""
        check_load(self._described, rate_per_s=rate_per_s, seconds=seconds, urls=urls)

    def reach(self) -> None:
        """Secrets, and the version that the service tells."""
        self._read_secrets()
        self._version = self._ask_version()

    def recall(self) -> bool:
        """From the golden file beside the target.toml."""
        if not self._golden.exists():
            return False
        golden = read_golden(
            self._golden,
            service=self.name,
            version=self._version,
            described=self._described_fingerprint,
            command=self._how,
        )
        if was_changed(self._golden):
            text = "documents were changed by a run since it was learnt; right is to learn them again"
            raise TargetError(f"{self._golden}: {text}: {self._how}")
        self.fingerprint = golden.fingerprint(self._described_fingerprint)
        self._right = RightDocuments(golden.specimens)
        return True

    def kinds(self) -> Mapping[str, Sequence[str]]:
        """As described."""
        return {name: kind.options for name, kind in self._described.kinds.items()}

    def applicants(self, group: Group) -> Sequence[str]:
        """Of a proxy's group, the proxy alone."""
        return self._people.applicants[group.group]

    def keep(self, calibration: Calibration) -> str:
        """Into the golden file beside the target.toml."""
        if self._people.refused is not None:
            problems = [*self._people.refused.contradictions(calibration.specimens)]
            if problems:
                raise CalibrationError("\n".join(problems))
        described = self._described_fingerprint
        write_golden(
            self._golden, golden_of(calibration, service=self.name, version=self._version, described=described)
        )
        return str(self._golden)

    def secrets(self) -> Collection[str]:
        """Those of the description."""
        return self._secrets.values()

    def _refusals(self, group: str) -> tuple[Refusal, ...]:
        """What may not be issued: by the people's file where it says who has to be refused, else as it was learnt."""
        if self._people.refused is None:
            return self._right.refusals(group)
        return self._people.refused.of(self._people.applicants[group])

    @property
    def _how(self) -> str:
        """The command that makes a golden file."""
        return f"misissue calibrate {self._source.path}"

    def _read_secrets(self) -> None:
        self._secrets = read_secrets(self._described.secrets, self._source.path.parent, self._source.tell)
        self._source.check_secrets(self._secrets)

    def _ask_version(self) -> str:
        """Of the service as it is now; empty where it does not tell."""
        table = self._described.service.version
        if table is None or isinstance(table, str):
            return table or ""
        request = make_request(table, self._described.service.base_url, self._secrets)
        where = "service", "version"
        try:
            received = Received(*send(request, timeout_s=self.client_timeout_s, ca_file=self.ca_file))
        except ssl.SSLCertVerificationError as error:
            told, by = error.verify_message, self.ca_file or "the authorities of this system"
            text = (
                f"the certificate of {self._described.service.base_url} is not trusted by {by} ({told}); right is "
                "service.ca_file with the authority that vouches for it"
            )
            raise TargetError(self._source.tell(where, text)) from error
        except (OSError, http.client.HTTPException) as error:
            text = (
                f"{table.path} of {self._described.service.base_url} does not answer ({error}); is the service running?"
            )
            raise TargetError(self._source.tell(where, text)) from error
        found = received.field(table.at) if table.at is not None else received.text.strip()
        if received.status != 200 or not found:
            text = f"{table.path} answered with status {received.status} and no version, right is 200 with one"
            raise TargetError(self._source.tell(where, text))
        return found
