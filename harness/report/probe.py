"""A probe and a calibration on a terminal. Secrets are shown nowhere."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from harness.exchange import Exchange
from harness.probe import Step
from harness.report.language import Language
from harness.report.screen import Screen
from harness.target import Request

_SHOWN = 400  # characters of a body
_HIDDEN = "***"
_CONFIDENTIAL = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
_COLOURS = {"ok": "green", "failed": "bold red", "unreachable": "bold red", "skipped": "yellow"}


def print_step(step: Step, language: Language, secrets: Collection[str]) -> None:
    """One line; where it failed also what was sent and what came back."""
    console = Screen()
    word = Text(language.text(f"terminal.probe_{step.result}"), style=_COLOURS[step.result])
    console.print(word, "·", language.text(f"terminal.probe_step_{step.name}"))
    if not step.found:
        return
    console.print(f"  {hide(language.text(f'terminal.probe_found_{step.found}', **step.values), secrets)}")
    if step.result != "skipped":
        for exchange in step.exchanges:
            for line in lines_of(exchange, secrets):
                console.print(f"  {line}")


@contextmanager
def progress(language: Language) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr; what it gives is told how many prints were made, of how many."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(language.text("terminal.calibrating"), total=None)
        yield lambda made, all_: bar.update(task, completed=made, total=all_)


def lines_of(exchange: Exchange, secrets: Collection[str]) -> Iterator[str]:
    """Every request with its answer, without secrets and without what a login brought."""
    hidden = {*secrets, *_brought(exchange)}
    for place, request in enumerate(exchange.requests):
        yield from (hide(line, hidden) for line in _request(request))
        if place < len(exchange.answers):
            status, headers, body = exchange.answers[place]
            yield f"< {status}"
            yield from (hide(line, hidden) for line in _parts("<", headers, body))
        else:
            yield "< -"


def hide(text: str, secrets: Collection[str]) -> str:
    """The text without the secrets, in whatever way they were written into a request."""
    ways = {way for secret in secrets for way in (secret, quote(secret, safe=""), quote_plus(secret), _in_json(secret))}
    for way in sorted(filter(None, ways), key=len, reverse=True):
        text = text.replace(way, _HIDDEN)
    return text


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _brought(exchange: Exchange) -> Iterator[str]:
    """Tokens and cookies that were sent: the last word of such a header, and each cookie's value."""
    for request in exchange.requests:
        for name, value in request.headers.items():
            if name.lower() == "cookie":
                yield from (pair.partition("=")[2].strip() for pair in value.split(";"))
            elif name.lower() in _CONFIDENTIAL:
                yield value.split(" ")[-1]


def _request(request: Request) -> Iterator[str]:
    yield f"> {request.method} {request.url}"
    yield from _parts(">", request.headers, request.body)


def _parts(sign: str, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    for name, value in headers.items():
        yield f"{sign} {name}: {_HIDDEN if name.lower() in _CONFIDENTIAL else value}"
    if body:
        yield f"{sign} {_shown(body)}"


def _shown(body: bytes) -> str:
    text = body[: 4 * _SHOWN].decode(errors="replace")
    if "\ufffd" in text or not all(character.isprintable() or character in "\r\n\t" for character in text):
        return f"({len(body)} bytes)"
    return " ".join(text.split())[:_SHOWN] + ("…" if len(text) > _SHOWN else "")
