"""Any HTTP service that a target.toml describes, as the harness sees it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from harness.records import Application, Change, Group
from harness.target import Answer, Request, TargetError
from targets.http.answers import Received
from targets.http.conversation import Conversation
from targets.http.description import Source
from targets.http.requests import make_request, values_of
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
        self.source = Source(Path(settings["file"]))
        self.described = self.source.description
        self.people = self.source.people
        self.name = self.described.service.name
        self.client_timeout_s: float | None = self.described.service.timeout_s
        shortest_s, longest_s = self.described.service.reapply_after_s
        self.reapply_after_s = (shortest_s, longest_s)
        self._secrets: Mapping[str, str] = {}
        self._kinds = list(self.described.kinds)
        self._weights = [kind.weight for kind in self.described.kinds.values()]
        self._right = RightDocuments(())

    def open(self, directory: Path) -> Mapping[str, object]:  # noqa: ARG002 - somebody else's service keeps its own logs
        """Look for what the run needs; the service itself is there already."""
        self.attach({})
        version = self._version()
        command = f"misissue calibrate {self.source.path}"
        self._right = RightDocuments(
            read_golden(golden_path(self.source.path), service=self.name, version=version, command=command).specimens
        )
        return {"file": str(self.source.path), "base_url": self.described.service.base_url, "persons": len(self.people)}

    def share(self) -> Mapping[str, str]:
        """Nothing but the target.toml, which every process reads by itself."""
        return {"file": str(self.source.path)}

    def attach(self, shared: Mapping[str, str]) -> None:  # noqa: ARG002 - protocol
        """Secrets are read by each process for itself, so that none travels."""
        self._secrets = read_secrets(self.described.secrets, self.source.path.parent)

    def addresses(self) -> Mapping[str, str]:
        """Of the service."""
        return {"service": self.described.service.base_url}

    def close(self) -> None:
        """Whoever started the service stops it."""

    def failure(self) -> str:
        """A dead service shows as errors of all prints."""
        return ""

    def groups(self) -> Sequence[Group]:
        """The test persons."""
        return self.people.groups

    def draw_application(self, application: str, group: Group, random: Random) -> Application:
        """By the weights of the kinds, with each option as often as its share says."""
        (kind,) = random.choices(self._kinds, self._weights)
        table = self.described.kinds[kind]
        return Application(
            application=application,
            applicant=random.choice(self.people.applicants[group.group]),
            group=group.group,
            kind=kind,
            options=tuple(option for option in table.options if random.random() < table.option_share),
        )

    def print_request(self, application: Application) -> Request:
        """The first request of the conversation that the description makes of an application."""
        person = self.people.individuals[application.applicant]
        values = values_of(application, person, self._secrets)
        options = {option for kind in self.described.kinds.values() for option in kind.options}
        values |= {f"option:{name}": "true" if name in application.options else "false" for name in options}
        return Conversation(self.described, values).begin()

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """Every request of ours knows how its answer is read."""
        raise AssertionError("this should never happen, because every request of ours brings its reader")

    def draw_change(self, change: str, group: Group, kinds: Sequence[str], random: Random) -> tuple[Change, Request]:
        """No profile for a described service enters changes."""
        raise TargetError(f"{self.source.path}: no change is described; right is a profile without changes")

    def expected(self, print_: Print) -> Iterable[Document]:
        """From the golden file."""
        return self._right.expected(print_)

    def right_document(self, print_: Print) -> bytes | None:  # noqa: ARG002 - protocol
        """The golden file has checksums only."""
        return None

    def marks(self, document: bytes) -> tuple[Mark, ...]:  # noqa: ARG002 - protocol
        """None is known; a document that is nobody's is undecided."""
        return ()

    def new_sync_runs(self, rest: bool = False) -> Iterable[SyncRun]:  # noqa: ARG002 - protocol
        """None."""
        return ()

    def new_print_events(self) -> Iterable[PrintEvent]:
        """Only the outside is seen."""
        return ()

    def new_error_notices(self) -> Iterable[ErrorNotice]:
        """None."""
        return ()

    def kinds(self) -> Mapping[str, Sequence[str]]:
        """As described."""
        return {name: kind.options for name, kind in self.described.kinds.items()}

    def applicants(self, group: Group) -> Sequence[str]:
        """Of a proxy's group, the proxy alone."""
        return self.people.applicants[group.group]

    def keep(self, specimens: Sequence[Specimen]) -> str:
        """Into the golden file beside the target.toml."""
        path = golden_path(self.source.path)
        golden = Golden(service=self.name, version=self._version(), specimens=tuple(specimens))
        write_golden(path, golden)
        return str(path)

    def _version(self) -> str:
        """Of the service as it is now; empty where it does not tell."""
        table = self.described.service.version
        if table is None or isinstance(table, str):
            return table or ""
        request = make_request(table, self.described.service.base_url, self._secrets)
        try:
            received = Received(*send(request, timeout_s=self.client_timeout_s))
        except (OSError, http.client.HTTPException) as error:
            raise TargetError(f"service.version: {request.url} does not answer ({error})") from error
        found = received.field(table.at) if table.at is not None else received.text.strip()
        if received.status != 200 or not found:
            raise TargetError(f"service.version: {request.url} answered {received.status} without a version")
        return found
