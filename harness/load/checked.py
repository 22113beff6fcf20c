"""For a locustfile that was there before: its own users, with their own tasks and requests, make judged prints.

    class Employee(Checked, HttpUser):
        @task
        def payslip(self):
            with self.checked("E001", "payslip") as print_:
                response = self.client.get("/documents/payslip", headers={"X-Request-Id": print_.nonce, ...})
                print_.delivered(response)

The locustfile then takes the options of every judged run, and its run ends in a verdict. docs/existing-locustfile.md
shows a whole one.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn, Self

import gevent
from locust.exception import RescheduleTask
from msgspec.structs import replace

from harness.load.guest import GuestPlugin
from harness.load.leases import Lease
from harness.load.plugin import LoadPlugin
from harness.load.responses import read_response, was_asked_with
from harness.records import Application
from harness.target import Answer

_IDLE_S = 0.05
_PLACE = "checked()"


class CheckedError(Exception):
    """Raised when a print is told what cannot be, such as a second end; says what would be right."""


class Checked:
    """Mixin for a user class of whatever client, to stand before it: `class Employee(Checked, HttpUser)`.

    Attributes:
        plugin: of the locustfile, made with its first such class.
    """

    plugin: ClassVar[LoadPlugin]

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if not hasattr(cls, "plugin"):
            Checked.plugin = GuestPlugin(cls.__module__.rpartition(".")[2])

    def checked(
        self, applicant: str | None = None, kind: str | None = None, options: Sequence[str] = ()
    ) -> "CheckedPrint":
        """A context in which the task makes one print, with requests of its own.

        When the run is about to end, or has not begun, entering it raises RescheduleTask: Locust leaves the task, and
        nothing is sent.

        Args:
            applicant: a test person of the target. Entering waits while that person's group is being served: of two
                users with one identity a mix-up between the two could not be seen. None takes whoever is free.
            kind: of the document; None draws one, with its options, as the target weighs them.
            options: that are asked for; they take a kind.

        Raises:
            CheckedError, NamedError: on entering, when there is no such person or document.
            NoGroupFreeError: on entering without an applicant, when nobody is free.
        """
        return CheckedPrint(self.plugin, applicant, kind, tuple(options))


class CheckedPrint:
    """One print that a task makes itself; it is told how each attempt ended.

    An attempt that is left without a word, also by an exception, is put on record as unanswered, so that none is lost,
    and as a fault of the run, because nobody has seen what came. One that Locust kills is in flight at the stop.

    Attributes:
        answer: how the last attempt ended; None before.
    """

    def __init__(self, plugin: LoadPlugin, applicant: str | None, kind: str | None, options: tuple[str, ...]) -> None:
        self.answer: Answer | None = None
        self._plugin = plugin
        self._asked = applicant, kind, options
        self._is_open = self._is_sent = False

    def __enter__(self) -> Self:
        active = self._plugin.active
        if active is None or active.phase is None:
            _leave_task()
        self._active = active
        intended_ns = self._wait_until_due()
        try:
            self._lease = self._find_lease()
            group = self._lease.__enter__()
            try:
                if active.phase is None:
                    _leave_task()
                application = self._apply(group)
            except BaseException:
                self._lease.__exit__()
                raise
        except Exception as error:
            if not isinstance(error, RescheduleTask):
                active.fault(_PLACE, error)
            raise
        self._begin(application, intended_ns)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if self._is_open:
                self._leave(error)
        finally:
            self._lease.__exit__()

    @property
    def nonce(self) -> str:
        """New in every attempt; to be sent with it, where the service can show it, and asked for only then.

        The print is in flight from now on, and not since the task began to prepare it.
        """
        if self._is_open and not self._is_sent:
            self._is_sent = True
            self._sent_ns = self._active.now_ns()
        return self._application.nonce

    @property
    def applicant(self) -> str:
        """Who applies."""
        return self._application.applicant

    @property
    def kind(self) -> str:
        """Of the document that is applied for."""
        return self._application.kind

    @property
    def options(self) -> tuple[str, ...]:
        """That are asked for."""
        return self._application.options

    def delivered(self, what: Any) -> None:
        """The attempt ended with this answer: to be told at once, whatever it is.

        Args:
            what: the document, or the response that brought it, of HttpUser's or FastHttpUser's client; a response is
                read as the target says, so that it may also be an error or a refusal. One that the client did not get
                whole is unanswered.

        Raises:
            CheckedError: when the attempt has ended already, or `what` is neither.
        """
        answered_ns = self._active.now_ns()
        if isinstance(what, bytes | bytearray | memoryview):
            self._end(Answer(document=bytes(what)), answered_ns)
        elif hasattr(what, "status_code"):
            self._end(read_response(what, self._active.target.read_answer), answered_ns)
        else:
            self._refuse(f"found {type(what).__name__}, right is the response of the client or the document's bytes")

    def refused(self, reason: str) -> None:
        """The service refused the document; `reason` is one of few fixed texts, as in the others.

        Raises:
            CheckedError: as from `delivered`.
        """
        self._end(Answer(refused=reason or "refused"))

    def error(self, text: str) -> None:
        """The service told an error."""
        self._end(Answer(error=text or "error"))

    def unanswered(self, text: str) -> None:
        """No answer came, or not the whole of it: it may have been printed all the same."""
        self._end(Answer(unanswered=text or "no answer"))

    def again(self) -> None:
        """The person applies again, after an error: a new attempt begins, with a nonce of its own.

        Raises:
            CheckedError: when the last attempt goes on, or when the person was served or refused.
        """
        if self._is_open or self.answer is None or not self.answer.calls_for_reapplication:
            self._refuse("again() found no error before it, right is to apply again after one only")
        if self._active.phase is None:
            _leave_task()
        self._begin(replace(self._application, attempt=self._application.attempt + 1), None)

    def _wait_until_due(self) -> int | None:
        """Where there is a plan of arrivals, the time at which this one was due."""
        active = self._active
        if active.arrivals is None:
            return None
        due_s = active.arrivals.take()
        if due_s is None:
            _leave_task()
        gevent.sleep(max(0.0, due_s - active.elapsed_s))
        if active.phase is None:
            _leave_task()
        return active.intended_ns(due_s)

    def _find_lease(self) -> Lease:
        active, (applicant, _, _) = self._active, self._asked
        if applicant is None:
            return active.applicants.lease()
        group = active.named.group_of(applicant)
        try:
            return active.applicants.turn(group)
        except KeyError:
            message = (
                "found an applicant who belongs to another load process, right with several of them is to leave the "
                "choice to checked(), and to ask the print for its applicant"
            )
            raise CheckedError(message) from None

    def _apply(self, group: Any) -> Application:
        active, (applicant, kind, options) = self._active, self._asked
        if kind is None and options:
            raise CheckedError(f"found the options {', '.join(options)} and no kind, right is to name the kind, too")
        name = f"A{active.prefix}{next(active.next_application)}"
        drawn = active.target.draw_application(name, group, active.random)
        if kind is not None:
            drawn = replace(drawn, kind=kind, options=active.named.check(kind, options))
        return drawn if applicant is None else replace(drawn, applicant=applicant)

    def _begin(self, application: Application, intended_ns: int | None) -> None:
        self._application, self._intended_ns = application, intended_ns
        self._active.recorder.segment.issued += 1
        self._is_open, self._is_sent = True, False
        self._sent_ns = self._active.now_ns()

    def _end(self, answer: Answer, answered_ns: int | None = None) -> None:
        if not self._is_open:
            self._refuse("found a second end of one attempt, right is one; again() begins the next attempt")
        self._is_open, self.answer = False, answer
        active = self._active
        try:
            active.recorder.record(
                self._application,
                self._sent_ns,
                active.now_ns() if answered_ns is None else answered_ns,
                answer,
                self._intended_ns,
            )
        except Exception as error:
            active.fault(_PLACE, error)
            raise

    def _leave(self, error: BaseException | None) -> None:
        """Of an attempt whose end nobody told."""
        if error is not None and not isinstance(error, Exception | gevent.Timeout):
            return  # Locust kills the user
        response = getattr(error, "response", None)
        # Of raise_for_status and the like; that of another request says nothing of this print.
        if response is not None and was_asked_with(response, self._application.nonce):
            self.delivered(response)
            return
        found = "the end of the block" if error is None else type(error).__name__
        self._end(Answer(unanswered=found))
        # A check of the task's own may have seen the very document that should have been judged.
        message = f"found {found} before a word on how the print ended, right is to tell delivered() or the like first"
        self._active.fault(_PLACE, CheckedError(message))

    def _refuse(self, message: str) -> NoReturn:
        error = CheckedError(message)
        self._active.fault(_PLACE, error)
        raise error


def _leave_task() -> NoReturn:
    gevent.sleep(_IDLE_S)
    raise RescheduleTask
