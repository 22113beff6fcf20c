"""The protocol by which a system under test is described to the harness.

A target says how an application becomes a request, what the answer means, who may receive whose document, which
document would be right, and what the service tells about itself. It imports nothing of Locust. One object lives in
each process of a run: the one that owns the run calls `open`, the others `attach`, all of them `close`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Protocol, runtime_checkable

from harness.fingerprint import Fingerprint
from harness.records import Application, Change, Document, ErrorNotice, Group, Mark, Print, PrintEvent, Record, SyncRun


class TargetError(Exception):
    """Raised when the system under test cannot be started, or cannot be described with the given settings."""


class Request(Record, frozen=True, kw_only=True):
    """One HTTP request.

    Args:
        read: what its answer (status, headers, body) means, where `Target.read_answer` does not tell.
    """

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = {}
    body: bytes = b""
    read: "Callable[[int, Mapping[str, str], bytes], Answer] | None" = None


class Answer(Record, frozen=True, kw_only=True):
    """What an HTTP answer means: a document, or one of the others with a short fixed text; or how it goes on.

    Args:
        error: the service told an error.
        unanswered: the client did not get the answer whole, so that a document may have been handed out all the same.
        nothing: the service took the application for done, and neither a document nor an error came of it.
        follow: the request that has to be sent next, `after_s` seconds later, for the attempt to come to its end (a job
            to be asked for, a link to be fetched); everything else is empty then.
        retry_after_s: how long the service asks to wait before the application is made again; None when it does not.
    """

    document: bytes | None = None
    refused: str = ""
    error: str = ""
    unanswered: str = ""
    nothing: str = ""
    follow: Request | None = None
    after_s: float = 0.0
    retry_after_s: float | None = None

    @property
    def calls_for_reapplication(self) -> bool:
        """Whether a person would apply again."""
        return bool(self.error or self.unanswered or self.nothing)


def read_assignments(texts: Iterable[str], *, beside: Mapping[str, str] | None = None) -> dict[str, str]:
    """Settings given as KEY=VALUE, and those beside them that have an option of their own.

    Raises:
        TargetError: for a text of another form, or one that contradicts an option.
    """
    settings = dict(beside or {})
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            message = f"--set: found {text!r}, right would be KEY=VALUE"
            raise TargetError(message)
        if beside is not None and beside.get(key, value) != value:
            message = f"--set: found {text!r} and --{key} {beside[key]}, right would be one of them"
            raise TargetError(message)
        settings[key] = value
    return settings


@runtime_checkable
class Bounded(Protocol):
    """A target that must not be loaded just as one likes."""

    def check_load(self, *, rate_per_s: float | None, seconds: float, urls: Sequence[str] = ()) -> None:
        """Refuse a load that is not allowed.

        Args:
            rate_per_s: of the plan of arrivals; None when users apply as soon as they are free, which nothing bounds.
            seconds: length of the plan; infinite when it is not known beforehand.
            urls: of servers that are loaded besides what the target describes.

        Raises:
            TargetError: naming what was found and what would be right.
        """


@runtime_checkable
class Enumerated(Protocol):
    """A target that can tell everything that may be applied for."""

    def kinds(self) -> Mapping[str, Sequence[str]]:
        """Kind of documents -> the options that may be asked for."""

    def applicants(self, group: Group) -> Sequence[str]:
        """Those of the group's persons who apply by it; the others are only applied for."""


@runtime_checkable
class WithAuthority(Protocol):
    """A target whose certificates come from an authority of its own."""

    ca_file: Path | None
    """In PEM, the authorities that are trusted; None: those that the system trusts."""


class Target(Protocol):
    """A document-issuing service as the harness sees it."""

    name: str
    clock: str
    """Names the clock of all times that the target reports. What it reports by another one than the run's
    (`harness.run.CLOCK`) counts for nothing, and the run cannot pass."""
    client_timeout_s: float | None
    """How long a requester waits for an answer; None for ever."""
    reapply_after_s: tuple[float, float]
    """Shortest and longest pause before a requester tries again after an error."""
    shows_points: bool
    """Whether it tells when a print waits for its slot and lies in it; else only its outside is seen."""
    fingerprint: Fingerprint
    """How its documents are told apart; of an open or attached target the same in all processes of a run."""
    synchronises: bool
    """Whether it has sync runs; without any, prints that are in flight together are what can go wrong."""

    def open(self, directory: Path) -> Mapping[str, object]:
        """Start or reach the service, with logs under `directory`; returns the parameters to keep with the run.

        Raises:
            TargetError: with a sentence that says what was found and what would be right.
        """

    def share(self) -> Mapping[str, str] | None:
        """What `attach` needs in another process, perhaps on another host, to drive the service opened here.

        None when only this process can, for instance because what is right is known in its memory alone.
        """

    def attach(self, shared: Mapping[str, str]) -> None:
        """In place of `open`, in a process that drives the service but does not own it; `close` only lets go of it.

        Raises:
            TargetError: when it cannot be reached from here.
        """

    def addresses(self) -> Mapping[str, str]:
        """Where the parts of the opened service can be reached, by name."""

    def close(self) -> None:
        """Stop what `open` started; safe to call twice."""

    def failure(self) -> str:
        """Why the service can no longer be measured (a process died), or an empty text."""

    def groups(self) -> Sequence[Group]:
        """Everybody who may apply, by the group that shares its documents."""

    def draw_application(self, application: str, group: Group, random: Random) -> Application:
        """A plausible application of somebody of the group."""

    def print_request(self, application: Application) -> Request:
        """The request that asks for the document."""

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """What an answer that arrived whole means."""

    def draw_change(
        self, change: str, group: Group, kinds: Sequence[str], random: Random
    ) -> tuple[Change, Request] | None:
        """A plausible change of one of the kinds, known to the target's truth from now on, and its request.

        None when nothing of the group is left to change. What else has to be asked until the change is acknowledged,
        the answers say by `Answer.follow`; the acknowledgement is an `Answer.document` of whatever bytes.

        The caller keeps changes of one group strictly one after the other and repeats an unanswered request.
        `sent_ns` is 0; the sender stamps it.
        """

    def expected(self, print_: Print) -> Iterable[Document]:
        """The right documents that a delivery could be, made from the truth and never from the delivery.

        Asked when the checksum is in no register entry yet: those that would be right for the application, or those
        that the delivery's marks claim to be.
        """

    def right_document(self, print_: Print) -> bytes | None:
        """The document that would be right for the application by the newest version of its group's record.

        Asked of a few misissued prints, for people to look at. None when it has to be refused, or is not known.

        Raises:
            TargetError: when the truth cannot be asked.
        """

    def marks(self, document: bytes) -> tuple[Mark, ...]:
        """The identity marks that the document shows, in order of its pages.

        Those of `fingerprint`, or of the target's own reading where it has one; not asked where `fingerprint` reads
        slowly, because then another process does.
        """

    def new_sync_runs(self, rest: bool = False) -> Iterable[SyncRun]:
        """The sync runs that were acknowledged since this was last asked, each told once and as a whole.

        The owner of the run asks this and the next two again and again, in this order: about once a second while the
        run goes on, and more often at its end. What was told is on record and cannot be told better later.

        Args:
            rest: the last time: those that were never acknowledged, too.
        """

    def new_print_events(self) -> Iterable[PrintEvent]:
        """Named points (waiting, written, read, ...) that prints reached since this was last asked, each told once.

        In the order of time, at least about; nothing where nothing is known.
        """

    def new_error_notices(self) -> Iterable[ErrorNotice]:
        """Errors that the service itself reported since this was last asked, each told once."""
