"""The municipal deployment as the harness sees it: the first implementation of `harness.target.Target`."""

import http.client
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from urllib.parse import urlencode, urlsplit

import msgspec

from harness.fingerprint import Fingerprint
from harness.records import Application, Change, Document, ErrorNotice, Group, Mark, Print, PrintEvent, SyncRun
from harness.target import Answer, Request, TargetError
from targets.municipal.certificates import read_marks
from targets.municipal.deployment import Deployment, Server, url
from targets.municipal.event_logs import EventLogs
from targets.municipal.forms import ApplicationForm, DocumentQuery, DrawnChange
from targets.municipal.people import Person, population
from targets.municipal.points import CLOCK
from targets.municipal.refusals import refusals
from targets.municipal.settings import read_settings

_KINDS = (("juminhyo", 50), ("inkan", 30), ("koseki", 10), ("zei", 10))
_OPTION_SHARE = 0.2
_REAPPLY_AFTER_S = (20.0, 90.0)  # real seconds; assumed, like the share of people who try again
_POINTS_LIMIT_S = 30.0
_ATTACH_LIMIT_S = 5.0
_JSON = {"Content-Type": "application/json"}


class Municipal:
    """The split AP/DB deployment of the release.

    Args:
        settings: see `targets.municipal.settings.Settings`.

    Raises:
        TargetError: when a setting is unknown or wrong.
    """

    name = "municipal"
    clock = CLOCK
    shows_points = True
    fingerprint = Fingerprint()
    synchronises = True

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.settings = read_settings(settings)
        self._deployment: Deployment | None = None
        self._truth: Server | None = None
        self._logs: EventLogs | None = None
        self._attached = False
        self._shared: Mapping[str, str] = {}  # the addresses that are needed to drive the deployment
        self._idle: list[http.client.HTTPConnection] = []
        self._households: dict[str, list[Person]] = {}
        for person in population(self.settings.seed, self.settings.households):
            self._households.setdefault(person.household, []).append(person)
        timeout_s = self.settings.kiosk_timeout_s / self.settings.time_scale
        self.client_timeout_s = timeout_s if timeout_s > 0 else None
        self.reapply_after_s = (
            _REAPPLY_AFTER_S[0] / self.settings.time_scale,
            _REAPPLY_AFTER_S[1] / self.settings.time_scale,
        )

    def open(self, directory: Path) -> Mapping[str, object]:
        """Start the truth and the deployment."""
        deployment = self._deployment = Deployment(self.settings, directory)
        self._logs = EventLogs(deployment)
        directory.mkdir(parents=True, exist_ok=True)
        try:
            self._truth = Server(
                "targets.municipal.truth",
                [
                    *("--seed", str(self.settings.seed), "--households", str(self.settings.households)),
                    *("--host", self.settings.host),
                ],
                {},
                directory / "truth.err",
            )
            deployment.start()
            facts = self._truth.wait_ready()
        except BaseException:
            self.close()
            raise
        self._shared = {"center": deployment.center, "registry": deployment.registry, "truth": url(facts)}
        return msgspec.to_builtins(self.settings)  # type: ignore[no-any-return] # a struct becomes a dict

    def share(self) -> Mapping[str, str]:
        """Addresses of center, registry and truth."""
        return self._shared

    def attach(self, shared: Mapping[str, str]) -> None:
        """Use the deployment at these addresses, which has to have the same settings as this object."""
        center = urlsplit(shared["center"])
        try:
            socket.create_connection((center.hostname, center.port), _ATTACH_LIMIT_S).close()
        except OSError as error:
            message = f"center: nobody answers at {shared['center']} ({error}), right would be an address within reach"
            raise TargetError(message) from error
        self._attached, self._shared = True, shared

    def addresses(self) -> Mapping[str, str]:
        """Of the servers that somebody outside would talk to, or that have /metrics."""
        running = self.running
        return {
            "center": running.center,
            "registry": running.registry,
            "ap-server": running.ap,
            "sync-agent": running.sync_agent,
        }

    @property
    def running(self) -> Deployment:
        """The deployment that `open` started."""
        if self._deployment is None:
            message = "this should never happen, because the deployment is asked for between open and close only"
            raise AssertionError(message)
        return self._deployment

    def close(self) -> None:
        """Stop both; what was attached to goes on."""
        while self._idle:
            self._idle.pop().close()
        if self._deployment is not None:
            self._deployment.stop()
        if self._truth is not None:
            self._truth.stop()
            self._truth = None

    def failure(self) -> str:
        """Which process ended; of an attached deployment only its owner knows."""
        if self._attached:
            return ""
        if self._deployment is None or self._truth is None:
            return "the deployment is not running"
        return self._deployment.failure() or self._truth.failure()

    def groups(self) -> Sequence[Group]:
        """The households in which somebody may apply."""
        return [
            Group(
                group=household,
                persons=tuple(person.person for person in members),
                refusals=refusals(members),
            )
            for household, members in self._households.items()
            if any(map(_may_apply, members))
        ]

    def draw_application(self, application: str, group: Group, random: Random) -> Application:
        """By the shares of the kinds; every fifth resident record with My Number, every fifth for the household.

        Nothing that the issuing rules refuse by the records as they were at first. People go on like that whatever
        becomes of them: so after a change they apply for what has to be refused.
        """
        members = self._households[group.group]
        applicant = random.choice([person for person in members if _may_apply(person)])
        (kind,) = random.choices([kind for kind, _ in _KINDS], [weight for _, weight in _KINDS])
        if kind == "inkan" and applicant.seal is None:
            kind = "juminhyo"
        options: tuple[str, ...] = ()
        if kind == "juminhyo":
            options = tuple(option for option in ("household", "my_number") if random.random() < _OPTION_SHARE)
            if any(person.protected for person in members):
                options = tuple(option for option in options if option != "household")
        return Application(
            application=application,
            applicant=applicant.person,
            group=group.group,
            kind=kind,
            options=options,
        )

    def print_request(self, application: Application) -> Request:
        """POST to the center."""
        form = msgspec.json.encode(_form(application))
        return Request(url=f"{self._shared['center']}/applications", headers=_JSON, body=form)

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:  # noqa: ARG002 - protocol
        """200 is a document, even one of no bytes; 202 and 204 bring none; 409 is a refusal, the others are errors."""
        if status == 200:
            return Answer(document=body)
        if status in {202, 204}:
            return Answer(nothing="accepted, no document")
        try:
            told = msgspec.json.decode(body, type=dict[str, str])
        except ValueError:  # of msgspec, or for a text that is not UTF-8
            told = {}
        if status == 409:
            return Answer(refused=told.get("refused", "refused"))
        return Answer(error=f"{status} {told.get('error', 'unknown')}")

    def draw_change(self, change: str, group: Group, kinds: Sequence[str], random: Random) -> tuple[Change, Request]:
        """Let the truth draw it, so that it is known there before anybody can see it."""
        query = {"change": change, "household": group.group, "kinds": kinds, "seed": random.getrandbits(32)}
        drawn = msgspec.json.decode(self._ask_truth("/changes", query), type=DrawnChange)
        record = Change(
            change=change,
            group=group.group,
            kind=str(type(drawn.change).__struct_config__.tag),
            version=drawn.version,
            persons=drawn.persons,
            refusals=drawn.refusals,
            sent_ns=0,
        )
        request = Request(
            url=f"{self._shared['registry']}/changes", headers=_JSON, body=msgspec.json.encode(drawn.change)
        )
        return record, request

    def expected(self, print_: Print) -> Iterable[Document]:
        """The certificates that the delivery's marks claim to be, rendered by the truth."""
        claimed = {
            DocumentQuery(persons=mark.persons, kind=mark.kind, options=mark.options, version=mark.version)
            for mark in print_.marks
        }
        return msgspec.json.decode(self._ask_truth("/documents", list(claimed)), type=list[Document])

    def right_document(self, print_: Print) -> bytes | None:
        """The certificate that the truth renders for the application."""
        return self._ask_truth("/right", _form(print_)) or None

    def marks(self, document: bytes) -> tuple[Mark, ...]:
        """One a page."""
        return read_marks(document)

    def new_sync_runs(self, rest: bool = False) -> Iterable[SyncRun]:
        """From the sync agent's event log."""
        return self._event_logs.new_sync_runs(rest=rest)

    def new_print_events(self) -> Iterable[PrintEvent]:
        """From the AP server's event log."""
        return self._event_logs.new_print_events()

    def new_error_notices(self) -> Iterable[ErrorNotice]:
        """From the center's log."""
        return self._event_logs.new_error_notices()

    @property
    def _event_logs(self) -> EventLogs:
        if self._logs is None:
            message = "this should never happen, because nobody but the owner of the run asks, after open"
            raise AssertionError(message)
        return self._logs

    def await_points(self, wanted: Mapping[str, int]) -> None:
        """Ask the AP server, which answers when it is so."""
        connection = http.client.HTTPConnection(urlsplit(self.running.ap).netloc, timeout=_POINTS_LIMIT_S)
        try:
            connection.request("GET", f"/points?{urlencode(wanted)}")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            message = f"no slot had {dict(wanted)} within {_POINTS_LIMIT_S:g} s: {error}"
            raise TargetError(message) from error
        finally:
            connection.close()

    def _ask_truth(self, path: str, query: object) -> bytes:
        """POST, on a connection of its own for as long as it takes: greenlets and threads may ask at the same time."""
        address = urlsplit(self._shared["truth"]).netloc
        connection = self._idle.pop() if self._idle else http.client.HTTPConnection(address, timeout=60)
        try:
            connection.request("POST", path, msgspec.json.encode(query), _JSON)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            message = f"the truth does not answer: {error}"
            raise TargetError(message) from error
        self._idle.append(connection)
        if response.status not in {200, 204}:
            message = f"the truth answered {response.status}: {answer.decode(errors='replace')}"
            raise TargetError(message)
        return answer


def _form(asked: Application | Print) -> ApplicationForm:
    return ApplicationForm(nonce=asked.nonce, applicant=asked.applicant, kind=asked.kind, options=asked.options)


def _may_apply(person: Person) -> bool:
    return person.status == "resident" and not person.protected
