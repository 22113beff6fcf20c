"""What a target.toml may hold: one model a table. Unknown keys are refused, and every default stands here."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from targets.http.change_models import ChangeTable, SyncTable
from targets.http.fingerprint_models import FingerprintTable
from targets.http.tables import (
    Fraction,
    Matcher,
    Method,
    Name,
    Pause,
    Place,
    RequestTable,
    Seconds,
    Status,
    Table,
    exactly_one,
)


class DocumentTable(Table):
    """How an answer brings the document.

    Args:
        where: `body`; `json`, in base64 at `path`; `link`, the URL at `link`, which is fetched.
    """

    status: Annotated[list[Status], Field(min_length=1)] = [200]
    where: Annotated[Literal["body", "json", "link"], Field(alias="in")] = "body"
    path: str | None = None
    link: Place | None = None

    @model_validator(mode="after")
    def _complete(self) -> "DocumentTable":
        wanted = {"body": (None, None), "json": ("path", self.path), "link": ("link", self.link)}
        name, value = wanted[self.where]
        if name is not None and value is None:
            raise ValueError(f'lacks {name}, which in = "{self.where}" needs')
        for other, given in (("path", self.path), ("link", self.link)):
            if given is not None and other != name:
                raise ValueError(f'found {other}, which in = "{self.where}" has no use for')
        return self


class JobTable(Table):
    """An application that is accepted first, and whose document is asked for until it is there.

    Args:
        accepted: the answer that starts the job; location: where that answer says to ask.
        pending: answers that say "not yet"; every_s: pause between two questions; within_s: after that long it is an
            error.
    """

    accepted: Matcher
    location: Place
    pending: Matcher
    every_s: Seconds = 0.1
    within_s: Seconds = 30.0


class AnswerTable(Table):
    """What an answer means, looked at in this order; whatever matches nothing and hands out nothing is an error."""

    refused: Matcher | None = None
    retry_later: Matcher | None = None
    error: Matcher | None = None
    job: JobTable | None = None
    document: DocumentTable = DocumentTable()


class VersionTable(RequestTable):
    """Where the service tells its version; `at` is a dotted path in its JSON, the whole body without it."""

    method: Method = "GET"
    at: str | None = None


class ServiceTable(Table):
    """The service as a whole.

    Args:
        version: as a text, or the request that asks for it.
        ca_file: the certificates, in PEM, of the authorities that vouch for the service; without it the system's.
        timeout_s: how long the client waits for one answer.
        reapply_after_s: shortest and longest pause before somebody applies again after an error.
    """

    name: Name
    base_url: Annotated[str, Field(pattern=r"^https?://[^/?#]+(/[^?#]*)?$")]
    version: str | VersionTable | None = None
    ca_file: Annotated[str, Field(min_length=1)] | None = None
    timeout_s: Seconds = 10.0
    reapply_after_s: Annotated[list[Pause], Field(min_length=2, max_length=2)] = [0.2, 0.5]

    @field_validator("base_url")
    @classmethod
    def _readable(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            named = parts.port != 0 and parts.hostname
        except ValueError as error:
            raise ValueError(f"found {url!r}, right is such as http://127.0.0.1:8080 ({error})") from error
        if not named or parts.username is not None or parts.password is not None:
            raise ValueError("right is a host with or without a port; who logs in stands in [login] or in headers")
        return url

    @model_validator(mode="after")
    def _in_order(self) -> "ServiceTable":
        if self.reapply_after_s[0] > self.reapply_after_s[1]:
            raise ValueError(
                f"reapply_after_s: found {self.reapply_after_s}, right is the shortest and then the longest pause"
            )
        return self


class SafetyTable(Table):
    """What may be loaded, and with whom. Without this table only the machine's own loopback may be loaded.

    Args:
        allowed_hosts: other hosts that may be; statement: says that they are one's own (see `targets.http.safety`).
        max_rate_per_s, max_duration_s: bounds of every run against them.
        forbidden_persons: ranges of numbers such as 100000-199999, or patterns such as PROD-*.
    """

    allowed_hosts: list[Annotated[str, Field(min_length=1)]] = []
    statement: str = ""
    max_rate_per_s: Annotated[float, Field(gt=0)] | None = None
    max_duration_s: Annotated[float, Field(gt=0)] | None = None
    forbidden_persons: list[Annotated[str, Field(min_length=1, max_length=200)]] = []


class GenerateTable(Table):
    """Test persons by number; `person` has {number}, and a format such as {number:05}."""

    count: Annotated[int, Field(ge=2, le=1_000_000)]
    person: Annotated[str, Field(pattern=r"^[^{}]*\{number(:0?\d{1,2})?\}[^{}]*$", max_length=100)]
    group_of: Annotated[int, Field(ge=1)] = 1


class PeopleTable(Table):
    """Who may be asked for: a file, or generated."""

    file: str | None = None
    generate: GenerateTable | None = None

    @model_validator(mode="after")
    def _one(self) -> "PeopleTable":
        exactly_one(self, "file", "generate")
        return self


class KindTable(Table):
    """A kind of document; each of its options is asked for by `option_share` of the applications."""

    weight: Annotated[float, Field(gt=0)] = 1.0
    options: list[Name] = []
    option_share: Fraction = 0.2


class LoginTable(RequestTable):
    """A request before each application, whose cookies or token are kept for this application alone."""

    token: Place | None = None
    cookie: bool = False

    @model_validator(mode="after")
    def _one(self) -> "LoginTable":
        if (self.token is None) is not self.cookie:
            raise ValueError("found both or none of token and cookie, right is exactly one of them")
        return self


class SecretTable(Table):
    """Where a secret comes from: a variable of the environment, or a file."""

    env: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "SecretTable":
        exactly_one(self, "env", "file")
        return self


class Description(Table):
    """A whole target.toml."""

    service: ServiceTable
    safety: SafetyTable = SafetyTable()
    people: PeopleTable
    kinds: Annotated[dict[Name, KindTable], Field(min_length=1)]
    application: RequestTable
    answer: AnswerTable = AnswerTable()
    login: LoginTable | None = None
    secrets: dict[Name, SecretTable] = {}
    changes: dict[Name, ChangeTable] = {}
    sync: SyncTable | None = None
    fingerprint: FingerprintTable = FingerprintTable()
