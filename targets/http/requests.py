"""From the tables of a description to requests. Pure."""

import string
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec

from harness.records import Application
from harness.target import Request
from targets.http.people import Individual
from targets.http.placeholders import fill, fill_shape
from targets.http.tables import RequestTable


def values_of(application: Application, person: Individual, secrets: Mapping[str, str]) -> dict[str, str]:
    """Placeholder -> value, for an application."""
    return {
        **person.columns,
        **secrets,
        "person": application.applicant,
        "group": application.group,
        "kind": application.kind,
        "options": ",".join(application.options),
        "nonce": application.nonce,
        "application": application.application,
        "attempt": str(application.attempt),
    }


def sendable_url(url: str | bytes) -> str:
    """The URL with everything encoded that no request line can carry; what is encoded already stays as it is."""
    return quote(url.encode(errors="replace") if isinstance(url, str) else url, safe=string.punctuation)


def is_sendable(text: str) -> bool:
    """Whether a header can carry it."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return text.isprintable()


def make_request(table: RequestTable, base_url: str, values: Mapping[str, str]) -> Request:
    """The request of a table; whatever goes into a URL is quoted."""
    quoted = {name: quote(value, safe="") for name, value in values.items()}
    # Joined as text, so that nothing in the path leads to another host.
    url = sendable_url(base_url.rstrip("/") + fill(table.path, quoted))
    if table.query:
        mark = "&" if "?" in url else "?"
        url += mark + urlencode({name: fill(text, values) for name, text in table.query.items()})
    headers = {name: fill(text, values) for name, text in table.headers.items()}
    body, kind = b"", ""
    if table.json_body is not None:
        body, kind = msgspec.json.encode(fill_shape(table.json_body, values)), "application/json"
    elif table.form is not None:
        form = urlencode({name: fill(text, values) for name, text in table.form.items()})
        body, kind = form.encode(), "application/x-www-form-urlencoded"
    elif table.text is not None:
        body, kind = fill(table.text, values).encode(), "text/plain; charset=utf-8"
    if kind and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    return Request(url=url, method=table.method, headers=headers, body=body)
