"""What the answers of a described service mean. Pure."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

from targets.http.requests import sendable_url
from targets.http.tables import Matcher, Place

_NOTHING = object()
_CHARSET = re.compile(r"(?i);\s*charset\s*=\s*\"?([\w.:-]+)")
_MOST_RETRY_AFTER_S = 3600.0


class Received:
    """One answer, looked into only as far as somebody asks."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers: dict[str, str] = {}
        for name, value in headers.items():  # of which some kinds tell one name several times
            known = self.headers.get(name.lower())
            self.headers[name.lower()] = value if known is None else f"{known}, {value}"
        self.body = body
        self._json: Any = _NOTHING

    def matches(self, matcher: Matcher | None) -> bool:
        """Whether everything that the matcher asks for is so; no matcher matches nothing."""
        if matcher is None or (matcher.status is not None and self.status not in matcher.status):
            return False
        return (
            all(_is(self.headers.get(name.lower()), wanted) for name, wanted in matcher.header.items())
            and all(_is(self.field(path), wanted) for path, wanted in matcher.json_field.items())
            and (matcher.text is None or re.search(matcher.text, self.text) is not None)
        )

    @property
    def text(self) -> str:
        """The body as text, in the letters that it says it is in; UTF-8 when it does not."""
        told = _CHARSET.search(self.headers.get("content-type", ""))
        try:
            return self.body.decode(told[1] if told is not None else "utf-8", "replace")
        except (LookupError, UnicodeError):  # no letters that anybody knows
            return self.body.decode(errors="replace")

    def field(self, path: str) -> str | None:
        """What stands at a dotted path of its JSON, as text; numbers in the path count the items of a list."""
        value = value_at(self.json, path)
        return value if isinstance(value, str) or value is None else json.dumps(value)

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        if self._json is _NOTHING:
            try:
                self._json = json.loads(self.body)
            except (ValueError, RecursionError):
                self._json = None
        return self._json

    def at(self, place: Place) -> str | None:
        """What stands there, None when nothing does."""
        return (
            self.field(place.json_field)
            if place.json_field is not None
            else self.headers.get((place.header or "").lower())
        )

    def link(self, place: Place, base: str) -> str | None:
        """The URL that stands there, in full; None when none does."""
        found = self.at(place)
        if not found:
            return None
        # Whatever bytes stood in a header were read as Latin-1.
        url = sendable_url(found if place.header is None else found.encode("latin-1", "replace"))
        try:
            return urljoin(base, url)
        except ValueError:
            return url  # which leads nowhere

    def base64(self, path: str) -> bytes | None:
        """The bytes that stand in base64 at the path; None when none do."""
        found = self.field(path)
        if found is None:
            return None
        try:
            return base64.b64decode(found, validate=True)
        except (binascii.Error, ValueError):
            return None

    def cookies(self) -> str:
        """What the answer asks to be sent along with the next request, as the header Cookie has it."""
        told = self.headers.get("set-cookie", "")
        # Several may have been joined with a comma, which also stands in the dates of Expires.
        return "; ".join(match.group(1) for match in re.finditer(r"(?:^|,\s*)([^=;,\s]+=[^;,]*)", told))

    def retry_after_s(self, now_s: float) -> float | None:
        """How long the service asks to wait; None when it does not.

        Args:
            now_s: Unix time, for a header that names a date.
        """
        told = self.headers.get("retry-after", "").strip()
        if not told:
            return None
        if told.isdecimal():
            return min(float(told), _MOST_RETRY_AFTER_S)
        try:
            return min(max(0.0, parsedate_to_datetime(told).timestamp() - now_s), _MOST_RETRY_AFTER_S)
        except ValueError:
            return None


def value_at(value: Any, path: str) -> Any:
    """What stands at a dotted path of a JSON value; None where nothing does."""
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _is(found: str | None, wanted: str) -> bool:
    return found is not None and wanted in {"*", found}
