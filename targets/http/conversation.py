"""One application's conversation with a described service: log in, apply, ask until the job is done, fetch the link.

Each step is a request that knows how its answer is read; the answer may say how the conversation goes on. Whoever sends
the requests need not know of steps.
"""

import time
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from harness.target import Answer, Request
from targets.http.answers import Received
from targets.http.models import AnswerTable, Description, DocumentTable, LoginTable
from targets.http.requests import is_sendable, make_request
from targets.http.safety import may_be_asked

Reader = Callable[[int, Mapping[str, str], bytes], Answer]


class Conversation:
    """Of one attempt of one application.

    Args:
        values: of the placeholders.
        now_s: a clock that never goes back, for the limit of a job.
    """

    def __init__(
        self, described: Description, values: Mapping[str, str], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._described = described
        self._values = dict(values)
        self._now_s = now_s
        self._cookies = ""
        self._headers: Mapping[str, str] = {}
        self._give_up_s = 0.0

    def begin(self) -> Request:
        """The first request."""
        login = self._described.login
        if login is None:
            return self._apply()
        request = make_request(login, self._described.service.base_url, self._values)
        return replace(request, read=lambda *answer: self._read_login(login, Received(*answer)))

    def read_last(self, received: Received) -> Answer:
        """What the answer means that brought the document itself, whoever sent the requests of the conversation."""
        table = self._described.answer
        if table.job is not None and received.matches(table.job.pending):
            return Answer(unanswered="job: not done")  # it may be printed all the same
        if table.document.where == "link":
            return self._read_link(received)
        return self._bad(table, received) or self._document(table.document, received, "")

    def _read_login(self, login: LoginTable, received: Received) -> Answer:
        if not 200 <= received.status < 400:
            return self._error(received, "login: ")
        if login.token is not None:
            token = received.at(login.token)
            if not token:
                return Answer(error="login: no token in the answer")
            self._values["token"] = token
        else:
            self._cookies = received.cookies()
            if not self._cookies:
                return Answer(error="login: no cookie in the answer")
        request = self._apply()
        if not all(map(is_sendable, request.headers.values())):
            return Answer(error="login: no header can carry what it brought")
        return Answer(follow=request)

    def _apply(self) -> Request:
        request = self._with_cookies(
            make_request(self._described.application, self._described.service.base_url, self._values)
        )
        # What follows is asked by the same person.
        self._headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in {"content-type", "content-length"}
        }
        return replace(request, read=lambda *answer: self._read(Received(*answer), request.url))

    def _read(self, received: Received, url: str) -> Answer:
        """Of the application itself."""
        table = self._described.answer
        bad = self._bad(table, received)
        if bad is not None:
            return bad
        job = table.job
        if job is not None and received.matches(job.accepted):
            place = received.link(job.location, url)
            if place is None:
                return Answer(error="job: the answer does not say where to ask")
            self._give_up_s = self._now_s() + job.within_s
            return self._ask(place, after_s=job.every_s)
        return self._document(table.document, received, url)

    def _ask(self, url: str, *, after_s: float) -> Answer:
        if not may_be_asked(self._described, url):
            return Answer(error="job: at another host")
        request = Request(url=url, method="GET", headers=self._headers)
        return Answer(
            follow=replace(request, read=lambda *answer: self._read_job(Received(*answer), url)), after_s=after_s
        )

    def _read_job(self, received: Received, url: str) -> Answer:
        table = self._described.answer
        job = table.job
        if job is not None and received.matches(job.pending):
            if self._now_s() > self._give_up_s:
                return Answer(unanswered="job: not done in time")  # it may be printed all the same
            return self._ask(url, after_s=job.every_s)
        return self._bad(table, received) or self._document(table.document, received, url)

    def _bad(self, table: AnswerTable, received: Received) -> Answer | None:
        if received.matches(table.refused):
            return Answer(refused=f"status {received.status}")
        if received.matches(table.retry_later):
            return Answer(error=f"status {received.status}: later", retry_after_s=received.retry_after_s(time.time()))
        if received.matches(table.error):
            return self._error(received)
        return None

    def _document(self, table: DocumentTable, received: Received, url: str) -> Answer:
        document = received.base64(table.path or "") if table.where == "json" else received.body
        if received.status not in table.status:
            return self._handed_out(received, None if table.where == "link" else document) or self._error(received)
        if table.where == "body":
            return Answer(document=document)
        if table.where == "json":
            return Answer(nothing="no document in the answer") if document is None else Answer(document=document)
        link = None if table.link is None else received.link(table.link, url)
        if link is None:
            return Answer(nothing="no link in the answer")
        if not may_be_asked(self._described, link):
            return Answer(error="link: to another host")
        request = Request(url=link, method="GET", headers=self._headers)
        return Answer(follow=replace(request, read=lambda *answer: self._read_link(Received(*answer))))

    def _read_link(self, received: Received) -> Answer:
        return (
            self._bad(self._described.answer, received)
            or (Answer(document=received.body) if received.status == 200 else None)
            or self._handed_out(received, received.body)
            or self._error(received, "link: ")
        )

    def _handed_out(self, received: Received, document: bytes | None) -> Answer | None:
        """Another success, such as a part of a document: whatever it hands out is judged by its bytes."""
        return Answer(document=document) if document and 200 <= received.status < 300 else None

    def _error(self, received: Received, step: str = "") -> Answer:
        # Few and fixed texts, because Locust counts by them.
        return Answer(error=f"{step}status {received.status}")

    def _with_cookies(self, request: Request) -> Request:
        if not self._cookies:
            return request
        return replace(request, headers={**request.headers, "Cookie": self._cookies})
