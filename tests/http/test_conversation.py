"""An attempt is one conversation (login, application, job, link), and each of its answers is read right."""

import base64
import json
import tomllib
from collections.abc import Mapping

import pytest

from harness.target import Answer, Request
from targets.http.answers import Received
from targets.http.conversation import Conversation
from targets.http.models import Description
from tests.http.conftest import VALID

VALUES = {"person": "P001", "kind": "annual", "options": "", "nonce": "A1.1", "secret:KEY": "s3 cret"}
PAPER = b"\x00paper"
IN_BASE64 = base64.b64encode(PAPER).decode()
BASE = VALID.partition("[answer]")[0]
JOB = """
[answer.job]
accepted = { status = [202] }
location = { header = "Location" }
pending = { status = [202] }
every_s = 0.5
within_s = 3.0
"""
LOGIN = '[login]\npath = "/login"\njson = { user = "{person}", password = "{secret:KEY}" }\n'


class Clock:
    """Goes on only when a test says so."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def begin(text: str, clock: Clock | None = None) -> Request:
    """The first request of a conversation by this description."""
    return Conversation(Description.model_validate(tomllib.loads(text)), VALUES, clock or Clock()).begin()


def told(request: Request, status: int, body: bytes | object = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """How the answer is read."""
    assert request.read is not None
    return request.read(status, headers or {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def follow(answer: Answer) -> Request:
    """The request that has to be sent next."""
    assert answer.follow is not None
    return answer.follow


def test_request() -> None:
    """Whatever stands in the description is in the request, with values in place of placeholders."""
    request = begin(BASE)
    assert (request.method, request.url) == ("POST", "http://127.0.0.1:8080/payslips")
    assert request.headers == {"X-Request-Id": "A1.1", "Content-Type": "application/json"}
    assert json.loads(request.body) == {"employee": "P001", "kind": "annual", "options": ""}


ANSWERS = """
[answer]
refused = { status = [409, 200], json = { "state.0" = "refused" } }
retry_later = { status = [503] }
error = { text = "^ERROR" }
"""
READ: list[tuple[str, str, int, bytes | object, dict[str, str], Answer]] = [
    ("body", ANSWERS, 200, PAPER, {}, Answer(document=PAPER)),
    ("refused", ANSWERS, 409, {"state": ["refused"]}, {}, Answer(refused="status 409")),
    ("another state", ANSWERS, 409, {"state": ["done"]}, {}, Answer(error="status 409")),
    ("refused with 200", ANSWERS, 200, {"state": ["refused"]}, {}, Answer(refused="status 200")),
    ("later", ANSWERS, 503, b"", {"retry-AFTER": "2"}, Answer(error="status 503: later", retry_after_s=2.0)),
    ("later, some day", ANSWERS, 503, b"", {}, Answer(error="status 503: later")),
    ("later, nonsense", ANSWERS, 503, b"", {"Retry-After": "soon"}, Answer(error="status 503: later")),
    ("later, long ago", ANSWERS, 503, b"", {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"},
     Answer(error="status 503: later", retry_after_s=0.0)),
    ("later, in a year", ANSWERS, 503, b"", {"Retry-After": "99999999"},
     Answer(error="status 503: later", retry_after_s=3600.0)),
    ("an error's text", ANSWERS, 200, b"ERROR 5", {}, Answer(error="status 200")),
    ("a text in other letters", '[answer]\nrefused = { text = "発行できません" }\n', 200,
     "発行できません".encode("shift_jis"), {"Content-Type": "text/html; Charset=Shift_JIS"},
     Answer(refused="status 200")),
    ("a text in letters of nobody", '[answer]\nrefused = { text = "発行" }\n', 200, "発行".encode(),
     {"Content-Type": "text/html; charset=idna"}, Answer(refused="status 200")),
    ("unknown status", ANSWERS, 302, PAPER, {}, Answer(error="status 302")),
    ("a part", ANSWERS, 206, PAPER, {}, Answer(document=PAPER)),
    ("another success", ANSWERS, 203, PAPER, {}, Answer(document=PAPER)),
    ("success with nothing", ANSWERS, 204, b"", {}, Answer(error="status 204")),
    ("base64 of another success", '[answer.document]\nin = "json"\npath = "a"\n', 203, {"a": IN_BASE64}, {},
     Answer(document=PAPER)),
    ("another success without", '[answer.document]\nin = "json"\npath = "a"\n', 202, {}, {},
     Answer(error="status 202")),
    ("base64", '[answer.document]\nin = "json"\npath = "a.pdf"\n', 200, {"a": {"pdf": IN_BASE64}}, {},
     Answer(document=PAPER)),
    ("no base64", '[answer.document]\nin = "json"\npath = "a"\n', 200, {"a": "%"}, {},
     Answer(nothing="no document in the answer")),
    ("no field", '[answer.document]\nin = "json"\npath = "a"\n', 200, b"[", {},
     Answer(nothing="no document in the answer")),
    ("no link", '[answer.document]\nin = "link"\nlink = { json = "url" }\n', 200, {}, {},
     Answer(nothing="no link in the answer")),
    ("a link elsewhere", '[answer.document]\nin = "link"\nlink = { json = "url" }\n', 200, {"url": "http://10.0.0.1/x"},
     {}, Answer(error="link: to another host")),
    ("a link into a file", '[answer.document]\nin = "link"\nlink = { json = "url" }\n', 200,
     {"url": "file://127.0.0.1/etc/passwd"}, {}, Answer(error="link: to another host")),
    ("a broken link", '[answer.document]\nin = "link"\nlink = { json = "url" }\n', 200, {"url": "http://[::1"},
     {}, Answer(error="link: to another host")),
    ("a job nowhere", JOB, 202, b"", {}, Answer(error="job: the answer does not say where to ask")),
    ("a job elsewhere", JOB, 202, b"", {"Location": "https://10.0.0.1/"}, Answer(error="job: at another host")),
]  # fmt: skip


@pytest.mark.parametrize(("what", "table", "status", "body", "headers", "answer"), READ, ids=[row[0] for row in READ])
def test_read(
    what: str, table: str, status: int, body: bytes | object, headers: dict[str, str], answer: Answer
) -> None:
    """Each answer means what the description says; whatever it does not know is an error, if it hands out nothing."""
    assert told(begin(BASE + table), status, body, headers) == answer, what


def test_link() -> None:
    """A link is fetched from the service, by the same person."""
    request = begin(BASE + '[answer.document]\nin = "link"\nlink = { header = "Location" }\nstatus = [201]\n')
    link = follow(told(request, 201, b"", {"location": "/papers/7"}))
    assert (link.method, link.url) == ("GET", "http://127.0.0.1:8080/papers/7")
    assert link.headers == {"X-Request-Id": "A1.1"}
    assert told(link, 200, PAPER) == Answer(document=PAPER)
    assert told(link, 206, PAPER) == Answer(document=PAPER)
    assert told(link, 404) == Answer(error="link: status 404")


@pytest.mark.parametrize(
    ("told_in", "link", "url"),
    [
        ("json", "/papers/年金 1.pdf", "/papers/%E5%B9%B4%E9%87%91%201.pdf"),
        ("json", "/papers/%E5%B9%B4?a=b&c=d", "/papers/%E5%B9%B4?a=b&c=d"),
        ("header", "/papers/年金".encode().decode("latin-1"), "/papers/%E5%B9%B4%E9%87%91"),
    ],
)
def test_a_link_that_is_not_encoded(told_in: str, link: str, url: str) -> None:
    """What no request line can carry is encoded, as browsers do; what is encoded already stays."""
    request = begin(f'{BASE}[answer.document]\nin = "link"\nlink = {{ {told_in} = "url" }}\n')
    answer = told(request, 200, {"url": link}) if told_in == "json" else told(request, 200, b"", {"url": link})
    assert follow(answer).url == f"http://127.0.0.1:8080{url}"


@pytest.mark.parametrize("link", ["http://127.0.0.1:papers/1", "http://127.0.0.1:99999/1", "http://[::1/1"])
def test_a_link_that_leads_nowhere(link: str) -> None:
    """That is the service's error."""
    request = begin(f'{BASE}[answer.document]\nin = "link"\nlink = {{ json = "url" }}\n')
    assert told(request, 200, {"url": link}) == Answer(error="link: to another host")


def test_a_path_in_letters_of_ones_own() -> None:
    """It is encoded when it is sent."""
    assert begin(BASE.replace("/payslips", "/給与/{person}")).url.endswith("/%E7%B5%A6%E4%B8%8E/P001")


@pytest.mark.parametrize("token", ["a\nb", "鍵"])
def test_a_token_that_no_header_can_carry(token: str) -> None:
    """That is the service's error, too."""
    text = BASE.replace("{ X-Request-Id", '{ Authorization = "{token}", X-Request-Id')
    request = begin(f'{text}{LOGIN}token = {{ json = "token" }}\n')
    assert told(request, 200, {"token": token}) == Answer(error="login: no header can carry what it brought")


def test_job() -> None:
    """A job is asked for at the pace that is described until it is done; then its answer is read."""
    clock = Clock()
    accepted = told(begin(BASE + JOB, clock), 202, b"", {"Location": "jobs/7"})
    assert (follow(accepted).url, accepted.after_s) == ("http://127.0.0.1:8080/jobs/7", 0.5)
    clock.now_s = 3.0
    pending = told(follow(accepted), 202)
    assert (follow(pending).url, pending.after_s) == ("http://127.0.0.1:8080/jobs/7", 0.5)
    assert told(follow(pending), 200, PAPER) == Answer(document=PAPER)
    assert told(follow(pending), 500) == Answer(error="status 500")
    clock.now_s = 3.1
    assert told(follow(pending), 202) == Answer(unanswered="job: not done in time")


def test_login_with_a_token() -> None:
    """The token goes with the application of the one who logged in, and is asked for anew each time."""
    text = BASE.replace("{ X-", '{ Authorization = "Bearer {token}", X-') + LOGIN + 'token = { json = "token" }\n'
    request = begin(text)
    assert json.loads(request.body) == {"user": "P001", "password": "s3 cret"}
    applied = follow(told(request, 200, {"token": "t1"}))
    assert applied.headers["Authorization"] == "Bearer t1"
    assert told(applied, 200, PAPER) == Answer(document=PAPER)
    assert told(request, 200, {}) == Answer(error="login: no token in the answer")
    assert told(request, 401) == Answer(error="login: status 401")


def test_login_with_cookies() -> None:
    """So do cookies, however many, also to the link that follows."""
    text = BASE + LOGIN + 'cookie = true\n[answer.document]\nin = "link"\nlink = { json = "url" }\n'
    request = begin(text)
    cookies = {"Set-Cookie": "sid=1; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT, lang=ja; HttpOnly"}
    applied = follow(told(request, 302, b"", cookies))
    assert applied.headers["Cookie"] == "sid=1; lang=ja"
    assert follow(told(applied, 200, {"url": "/x"})).headers["Cookie"] == "sid=1; lang=ja"
    assert told(request, 200) == Answer(error="login: no cookie in the answer")


class Lines(dict[str, str]):
    """Headers as some clients tell them: one name several times."""

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override] # which is what it is about
        return [("Set-Cookie", "a=1"), ("set-cookie", "b=2")]


def test_cookies_line_by_line() -> None:
    """Headers of one name are one list."""
    assert Received(200, Lines(), b"").cookies() == "a=1; b=2"


@pytest.mark.parametrize(
    ("answer", "status", "body", "read"),
    [
        ('in = "body"', 200, PAPER, Answer(document=PAPER)),
        ('in = "json"\npath = "paper"', 200, {"paper": IN_BASE64}, Answer(document=PAPER)),
        ('in = "link"\nlink = { json = "url" }', 200, PAPER, Answer(document=PAPER)),
        (f'in = "body"\n{JOB}', 200, PAPER, Answer(document=PAPER)),
        (f'in = "body"\n{JOB}', 202, b"", Answer(unanswered="job: not done")),
        ('in = "body"', 404, b"", Answer(error="status 404")),
        ('in = "body"\n[answer]\nrefused = { status = [403] }', 403, b"", Answer(refused="status 403")),
    ],
)
def test_somebody_elses_last_answer(answer: str, status: int, body: bytes | object, read: Answer) -> None:
    """Who made the conversation without us tells of the answer that brought the document, or none."""
    table, _, others = answer.partition("\n[answer]\n")
    text = f"{BASE}[answer]\n{others}\n[answer.document]\nstatus = [200]\n{table}"
    received = Received(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())
    assert Conversation(Description.model_validate(tomllib.loads(text)), VALUES).read_last(received) == read
