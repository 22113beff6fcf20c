"""The people of the load: kiosk users who apply for documents, counter users who enter changes."""

from typing import Any, ClassVar

import gevent
import msgspec
from locust import FastHttpUser, task
from locust.contrib.fasthttp import FastResponse
from locust.env import Environment
from locust.event import EventHook

from harness.load.active_run import ActiveRun
from harness.load.arrivals import Arrivals
from harness.load.plugin import LoadPlugin
from harness.load.responses import read_response
from harness.records import Application, Group
from harness.target import Answer, Request
from harness.trust import ca_file_of, trust

_IDLE_S = 0.05
_CHANGE_TRIES = 20
_FOLLOWED = "followed"  # name in Locust's statistics of every request after the first one of an attempt
_FOR_EVER_S = 24 * 3600.0


class _PluggedUser(FastHttpUser):
    abstract = True
    host = "http://target"  # Locust wants one; every request of ours has an absolute URL
    insecure = False  # Locust would believe every certificate
    plugin: ClassVar[LoadPlugin]

    def __init__(self, environment: Environment) -> None:
        active = self.plugin.active
        if active is not None:
            self.network_timeout = self.connection_timeout = active.target.client_timeout_s or _FOR_EVER_S
            ca_file = ca_file_of(active.target)
            # What the client proposes besides would be trusted, too.
            self.ssl_context_factory = lambda cafile=None: trust(ca_file)  # noqa: ARG005 - as it is called
        super().__init__(environment)
        # One kiosk serves one person after the other: what a service remembers of one of them must not go along with
        # the next one's application, or the harness itself would mix them up. Without the jar a print is cheaper, too.
        self.client.client.cookiejar = None
        client: Any = self.client
        client.request_event = _WithoutAddress(client.request_event)

    def send(self, request: Request, name: str) -> FastResponse:
        """Send it; `name` groups it in Locust's statistics."""
        client: Any = self.client  # Locust's annotations are narrower than what it takes
        response: FastResponse = client.request(
            request.method,
            request.url,
            name=name,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,  # what a redirection means, and what its cookies are for, says the target
        )
        return response


class _WithoutAddress:
    """Locust's event of a request, whose errors name no URL: statistics keep them, and there may be a secret in it."""

    def __init__(self, event: EventHook) -> None:
        self._event = event

    def fire(self, *, exception: Exception | None, **told: Any) -> None:
        """Tell the error itself in place of one that names the URL, too."""
        self._event.fire(exception=getattr(exception, "original", exception), **told)


class KioskUser(_PluggedUser):
    """Applies, waits for the document, and re-applies after an error, as people at a kiosk do.

    Attributes:
        reapply_share: share of the errors after which the person tries again, after the target's pause.
        attempts: how often one person tries at the most.
    """

    abstract = True
    reapply_share: ClassVar[float] = 0.9
    attempts: ClassVar[int] = 3
    _pause_s = _IDLE_S

    def wait_time(self) -> float:
        """The pause of the phase in which the last application began."""
        return self._pause_s

    @task
    def apply(self) -> None:
        """One application with its re-applications."""
        active = self.plugin.active
        phase = active.phase if active is not None else None
        if active is None or phase is None:
            # The plan is through: nobody begins what Locust would cut off when it stops the users.
            self._pause_s = _IDLE_S
            return
        self._pause_s = phase.think_s
        try:
            if active.arrivals is None:
                self._apply(active, None)
            else:
                self._apply_when_due(active, active.arrivals)
        except Exception as error:  # noqa: BLE001 - counted, and the run fails closed
            active.fault("a kiosk user", error)

    def _apply_when_due(self, active: ActiveRun, arrivals: Arrivals) -> None:
        due_s = arrivals.take()
        if due_s is None:
            self._pause_s = _IDLE_S
            return
        self._pause_s = 0.0
        gevent.sleep(max(0.0, due_s - active.elapsed_s))
        if active.phase is not None:
            self._apply(active, active.intended_ns(due_s))

    def _apply(self, active: ActiveRun, intended_ns: int | None) -> None:
        with active.applicants.lease() as group:
            name = f"A{active.prefix}{next(active.next_application)}"
            application = active.target.draw_application(name, group, active.random)
            while True:
                answer = self._attempt(active, application, intended_ns)
                if not (answer.calls_for_reapplication and self._reapplies(active, application)):
                    break
                # A service that asks to be left alone for a while is.
                gevent.sleep(max(active.random.uniform(*active.target.reapply_after_s), answer.retry_after_s or 0.0))
                application = msgspec.structs.replace(application, attempt=application.attempt + 1)
                intended_ns = None

    def _attempt(self, active: ActiveRun, application: Application, intended_ns: int | None) -> Answer:
        """Send one attempt and record its end: however many requests it takes, it is one print with one nonce."""
        request = active.target.print_request(application)
        active.recorder.segment.issued += 1
        sent_ns = active.now_ns()
        response = self.send(request, application.kind)
        answered_ns = active.now_ns()
        answer = _read(active, request, response)
        while answer.follow is not None:
            gevent.sleep(answer.after_s)
            request = answer.follow
            response = self.send(request, _FOLLOWED)
            answered_ns = active.now_ns()
            answer = _read(active, request, response)
        active.recorder.record(application, sent_ns, answered_ns, answer, intended_ns)
        return answer

    def _reapplies(self, active: ActiveRun, application: Application) -> bool:
        return application.attempt < self.attempts and active.random.random() < self.reapply_share


class CounterUser(_PluggedUser):
    """A clerk who enters changes at the rate of the phase, one after the other."""

    abstract = True
    fixed_count = 1

    def on_start(self) -> None:
        """Start on time."""
        self._due_s = 0.0

    def wait_time(self) -> float:
        """Until the next change is due by the rate; a clerk who is late does not hurry to catch up."""
        active = self.plugin.active
        phase = active.phase if active is not None else None
        if active is None or phase is None or phase.changes_per_s == 0:
            return _IDLE_S
        now_s = active.elapsed_s
        self._due_s = max(self._due_s + self.fixed_count / phase.changes_per_s, now_s)
        return self._due_s - now_s

    @task
    def enter(self) -> None:
        """Enter one change, and again until the registry has acknowledged it; rest when none is left."""
        active = self.plugin.active
        phase = active.phase if active is not None else None
        if active is None or phase is None or phase.changes_per_s == 0:
            return
        group = None
        try:
            with active.changed.lease() as group:
                self._enter(active, f"C{active.prefix}{next(active.next_change)}", group)
        except Exception as error:  # noqa: BLE001 - counted, and the run fails closed
            if group is not None:
                # The truth may know a change that the registry never took: with a second one it would be wrong.
                active.changed.withdraw(group)
            if active.target.failure() == "":
                active.fault("a counter user", error)

    def _enter(self, active: ActiveRun, name: str, group: Group) -> None:
        drawn = active.target.draw_change(name, group, self.plugin.change_kinds, active.random)
        if drawn is None:
            return
        change, request = drawn
        change = msgspec.structs.replace(change, sent_ns=active.now_ns())
        active.recorder.add_change(change)
        tries = 0
        while tries < _CHANGE_TRIES:
            answer = _read(active, request, self.send(request, "change"))
            if answer.document is not None:
                active.recorder.add_change(msgspec.structs.replace(change, answered_ns=active.now_ns()))
                return
            if answer.follow is not None:
                gevent.sleep(answer.after_s)
                request = answer.follow
                continue
            tries += 1
            gevent.sleep(_IDLE_S)
        told = answer.error or answer.refused or answer.unanswered or answer.nothing
        message = f"change {name} was not acknowledged in {_CHANGE_TRIES} tries ({told})"
        raise ChangeLostError(message)


class ChangeLostError(Exception):
    """Raised when the registry does not acknowledge a change, so that nobody knows which version is right."""


def _read(active: ActiveRun, request: Request, response: FastResponse) -> Answer:
    return read_response(response, request.read or active.target.read_answer)
