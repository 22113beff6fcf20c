"""Parts of a text that vary by themselves, by pattern."""

import re
from collections.abc import Iterator
from functools import cache
from typing import ClassVar, NamedTuple

import msgspec

from harness.fingerprint.base import UnreadableError

VARIES = "varies"
_FIXED = b"*"
_LETTER = r"[^\\.^$*+?{}\[\]|()\r\n]|\\[^\w\s]"
_BEGINNING = re.compile(rf"(?:{_LETTER})*")
_ONE_LETTER = re.compile(_LETTER)
_MAY_BE_ABSENT = "*", "?", "{"
_CLASS = r"\[(?:\\[dw]|\\[^\w\s]|[^\\\]\[^\x00-\x1f])+\]"
_WITHIN_A_LINE = re.compile(rf"(?:{_LETTER}|[.*+?{{}}|)]|\\[dwS]|{_CLASS}|\((?:\?:|\?P<\w+>)?(?!\?))*")
_ESCAPED = re.compile(rf"\\.|{_CLASS}", re.DOTALL)
_INNERMOST = re.compile(r"\([^()]*\)")
_FREQUENT = b'\xe3\xe4\xe5\xe6\xe7\xe8\xe9\x81\x82\x83 etaoinsrhldcumfpgwybv,.-/0123456789:"<>=kxjqz'
_MISSES = 32  # each costs as much as to look through hundreds of bytes


class TextMask(msgspec.Struct, frozen=True):
    """What matches the pattern, or its group `varies` if it has one, counts as one fixed text.

    Bytes that are no UTF-8 match nothing but negated classes and the dot, and are kept as they are. A pattern that
    begins with a text, such as `Printed at (?P<varies>\\S+)`, and cannot match the end of a line is fast.

    Args:
        pattern: regular expression on characters.

    Raises:
        re.error: when it is none.
    """

    pattern: str
    is_slow: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _plan(self.pattern)

    @property
    def name(self) -> str:
        """See `Mask`."""
        return f"text {self.pattern!r}"

    def apply(self, content: bytes) -> bytes:
        """See `Mask`; everything can be read."""
        plan = _plan(self.pattern)
        spans = _spans_of_lines(plan, content) if plan.beginning else _spans(plan, content)
        kept: list[bytes] = []
        end = 0
        for begin, past in spans:
            kept += content[end:begin], _FIXED
            end = past
        return b"".join((*kept, content[end:])) if kept else content


class Utf8(msgspec.Struct, frozen=True):
    """The document as it is, if it is UTF-8."""

    is_slow: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """See `Mask`."""
        return "utf-8"

    def apply(self, content: bytes) -> bytes:
        """See `Mask`.

        Raises:
            UnreadableError: when it is not.
        """
        try:
            content.decode()
        except UnicodeDecodeError as error:
            raise UnreadableError(f"no UTF-8 text: byte {error.start}") from error
        return content


class _Plan(NamedTuple):
    """How a pattern is looked for.

    Args:
        beginning: with which every match begins; empty when nobody knows, or when matches may go over lines.
        rare: the byte of it at `offset`, which is looked for first, because that is fastest.
    """

    pattern: re.Pattern[str]
    group: str | int
    beginning: bytes
    rare: bytes
    offset: int


@cache
def _plan(pattern: str) -> _Plan:
    compiled = re.compile(pattern)
    beginning = _beginning(pattern) if _WITHIN_A_LINE.fullmatch(pattern) else b""
    offset = max(range(len(beginning)), key=lambda place: _rarity(beginning[place]), default=0)
    group = VARIES if VARIES in compiled.groupindex else 0
    return _Plan(compiled, group, beginning, beginning[offset : offset + 1], offset)


def _beginning(pattern: str) -> bytes:
    """The text with which every match of the pattern begins, as far as that is seen at once."""
    outside = _ESCAPED.sub("", pattern)
    while (without := _INNERMOST.sub("", outside)) != outside:
        outside = without
    if "|" in outside:
        return b""
    found = _BEGINNING.match(pattern)
    letters = _ONE_LETTER.findall(found[0]) if found else []
    if letters and pattern[len("".join(letters)) :].startswith(_MAY_BE_ABSENT):
        letters.pop()
    text = "".join(letter[-1] for letter in letters)
    # Half a character may stand anywhere within a whole one.
    return b"" if any("\ud800" <= letter <= "\udfff" for letter in text) else text.encode()


def _rarity(byte: int) -> int:
    place = _FREQUENT.find(byte)
    return len(_FREQUENT) if place < 0 else place


def _spans(plan: _Plan, content: bytes) -> Iterator[tuple[int, int]]:
    """(begin, end) of what varies, in bytes."""
    text = content.decode("utf-8", "surrogateescape")
    place = at = 0
    for match in plan.pattern.finditer(text):
        begin, end = match.span(plan.group)
        if begin >= 0:
            at += _size(text[place:begin])
            yield at, at + _size(text[begin:end])
            at += _size(text[begin:end])
            place = end


def _spans_of_lines(plan: _Plan, content: bytes) -> Iterator[tuple[int, int]]:
    """The same of a pattern that begins with a text: of each line only what follows from there on is decoded."""
    past = 0
    for place in _places(plan, content):
        if place < past:
            continue
        line_end = content.find(b"\n", place)
        text = content[place : line_end if line_end >= 0 else len(content)].decode("utf-8", "surrogateescape")
        match = plan.pattern.match(text)
        if match is not None:
            past = place + _size(match[0])
            begin, end = match.span(plan.group)
            if begin >= 0:
                at = place + _size(text[:begin])
                yield at, at + _size(text[begin:end])


def _places(plan: _Plan, content: bytes) -> Iterator[int]:
    """Wherever the beginning of the pattern stands."""
    beginning, rare, offset = plan.beginning, plan.rare, plan.offset
    misses = 0
    place = content.find(rare, offset)
    while place >= 0 and misses < _MISSES:
        if content.startswith(beginning, place - offset):
            yield place - offset
        else:
            misses += 1
        place = content.find(rare, place + 1)
    if place >= 0:
        place = content.find(beginning, place - offset)
        while place >= 0:
            yield place
            place = content.find(beginning, place + 1)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
