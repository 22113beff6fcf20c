"""Forms in which people and programs write what varies by itself: days, times, numbers, ids. Pure.

A form is wider than what was seen of it: an hour later, a month later, with a digit more it is the same form.
"""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_MONTH = r"[A-Z][a-zä]{2,8}\.?"
_WEEKDAY = r"((?:Mon|Tue(?:s|sday)?|Wed(?:nesday)?|Thu(?:rs|rsday)?|Fri|Sat(?:urday)?|Sun|(?:Mon|Fri|Sun)day),? )?"
_YOUBI = r"( ?[(（][月火水木金土日](?:曜日?)?[)）]| ?[月火水木金土日]曜日)?"
_HALF = r"( ?[AaPp]\.?[Mm]\.?)?"
_ZONE = r"( ?(?:Z|UTC|GMT|JST|CES?T|[+-](?:0\d|1[0-4]):?(?:00|15|30|45)))?"
_DAYS = (
    rf"{_WEEKDAY}\d{{4}}-\d{{1,2}}-\d{{1,2}}",
    rf"\d{{4}}/\d{{1,2}}/\d{{1,2}}{_YOUBI}",
    rf"\d{{4}}\.\d{{1,2}}\.\d{{1,2}}{_YOUBI}",
    rf"{_WEEKDAY}\d{{1,2}}\. ?\d{{1,2}}\. ?(?:\d{{4}}|\d{{2}})",
    rf"{_WEEKDAY}\d{{1,2}}/\d{{1,2}}/(?:\d{{4}}|\d{{2}})",
    rf"{_WEEKDAY}\d{{1,2}}-\d{{1,2}}-(?:\d{{4}}|\d{{2}})",
    rf"(?:(?:令和|平成|昭和) ?(?:\d{{1,2}}|元)|\d{{4}}) ?年 ?\d{{1,2}} ?月 ?\d{{1,2}} ?日{_YOUBI}",
    r"[RHS]\d{1,2}[./-]\d{1,2}[./-]\d{1,2}",
    rf"{_WEEKDAY}\d{{1,2}}(?:st|nd|rd|th|\.)?[ -]{_MONTH},?[ -]\d{{4}}",
    rf"{_WEEKDAY}{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}",
    r"(?:19|20)\d{6}",
)
_TIMES = (
    rf"\d{{1,2}}:\d{{2}}:\d{{2}}(?:[.,]\d{{1,9}})?{_HALF}{_ZONE}",
    rf"\d{{1,2}}:\d{{2}}{_HALF}{_ZONE}",
    r"(午前|午後)?\d{1,2}時\d{1,2}分(?:\d{1,2}秒)?",
)
_COMPACT_TIME = r"\d{6}(?:\.?\d{3,6})?Z?"
_BETWEEN = "(T|,? |\u3000|_|,? at |, um )?"
_COMPACT = re.compile(r"(?<!\d)(\d{2})(\d{2})(?=\d{2}(?!\d)|\d{2}\.?\d{3,6}(?!\d))")
_NUMBERED = "number of a day"
_NEAR = range(-2, 3)  # days: time zones, and a night in which calibration goes on
_GROUP = 4
"""From so many digits on, numbers may have something between their groups."""
_SPREAD = 3
"""So many characters an id may be longer than any that was seen, and a number so many digits."""


class Form(NamedTuple):
    """A way to write something that varies.

    Args:
        pattern: regular expression of it; with {length} where that depends on what was seen. What stands in a group is
            asked for only where it was seen.
        edge: characters of which none may stand right before or behind it.
        day: regular expression of the day in it, empty when it has none.
        is_clock: it tells a day or a time.
    """

    name: str
    pattern: str
    edge: str
    day: str = ""
    is_clock: bool = False

    @property
    def finder(self) -> re.Pattern[str]:
        """A regular expression of everything of this form."""
        return _compiled(rf"(?<![{self.edge}])(?:{self.pattern.replace('{length}', '+')})(?![{self.edge}])")

    def like(self, seen: str) -> Iterator[str]:
        """Regular expressions of what is of this form and like the text that was seen; the narrower first."""
        if "{length}" not in self.pattern:
            yield _as_seen(self.pattern, seen)
        elif self.name == "number" and len(seen) < _GROUP:  # nobody knows yet how it will be written
            yield r"\d{1,3}(?:[,\x27]?\d{3})?"
        elif self.name != "id":
            yield self.pattern.replace("{length}", f"{{1,{len(seen) + _SPREAD}}}")
        else:
            yield self.pattern.replace("{length}", f"{{{len(seen)}}}")
            yield self.pattern.replace("{length}", f"{{{max(1, len(seen) - _SPREAD)},{len(seen) + _SPREAD}}}")


_compiled = lru_cache(maxsize=None)(re.compile)
_OPTIONAL = re.compile(r"\((?!\?)((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)\?")


def _as_seen(pattern: str, seen: str) -> str:
    """The pattern with those of its optional groups that the text has, and without the others."""
    match = re.fullmatch(pattern, seen)
    found = iter(match.groups("") if match is not None else ())

    def kept(group: re.Match[str]) -> str:
        text = next(found, "")
        return text if group[0] == _BETWEEN else f"(?:{group[1]})" if text else ""

    return _OPTIONAL.sub(kept, pattern)


def _clocks() -> Iterator[Form]:
    edge = "0-9"
    asctime = rf"[A-Z][a-z]{{2}} {_MONTH} {{1,2}}\d{{1,2}}"
    yield Form("time stamp", rf"{asctime} {_TIMES[0]} \d{{4}}", edge, asctime, True)
    for day in _DAYS:
        for time in _TIMES:
            yield Form("time stamp", f"{day}{_BETWEEN}{time}", edge, day, True)
    yield Form("time stamp", rf"{_DAYS[-1]}[T_-]?{_COMPACT_TIME}", edge, _DAYS[-1], True)
    for time in _TIMES:
        for day in _DAYS[:-1]:
            yield Form("time stamp", rf"{time}(?:,? | am | on ){day}", edge, day, True)
    for day in _DAYS:
        yield Form("day", day, edge, day, True)
    for time in _TIMES:
        yield Form("time", time, edge, "", True)
    for day in (_DAYS[-1], r"\d{6}", r"(?:19|20)\d{2}"):
        yield Form(_NUMBERED, rf"{day}[-_/.]\d{{length}}", edge, day, True)


FORMS = (
    *_clocks(),
    Form("uuid", r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "0-9A-Fa-f"),
    Form("nonce", r"A(?:\d+-)?\d+\.\d+", "0-9A-Za-z"),  # see `harness.records.Application.nonce`
    Form("application", r"A(?:\d+-)?\d+", "0-9A-Za-z"),
    Form("number with a fraction", r"\d+\.\d+", "0-9"),
    Form("number", r"\d{length}", "0-9"),
    Form("grouped number", r"\d{1,3}(?:[,\x27]?\d{3})*", "0-9"),
    Form("id", "[0-9a-f]{length}", "0-9a-z"),
    Form("id", "[0-9A-F]{length}", "0-9A-Z"),
    Form("id", "[0-9a-z]{length}", "0-9a-z"),
    Form("id", "[0-9A-Z]{length}", "0-9A-Z"),
    Form("id", "[0-9A-Za-z]{length}", "0-9A-Za-z"),
    Form("id", "[0-9A-Za-z_-]{length}", "0-9A-Za-z_-"),
    Form("id", "[0-9A-Za-z+/]{length}={0,2}", "0-9A-Za-z+/="),
)
"""The most telling first."""


class Near:
    """What clocks show during a calibration: tells a day of printing from a day of birth.

    Args:
        begin, end: of the calibration.
    """

    def __init__(self, begin: datetime, end: datetime) -> None:
        self._days: set[tuple[int, ...]] = set()
        day = begin + timedelta(days=_NEAR[0])
        while day <= end + timedelta(days=_NEAR[-1]):
            of_era = day.year - 2018  # 令和
            for year in (day.year, day.year % 100, of_era):
                self._days |= {(year, day.month, day.day), (day.day, day.month, year), (day.month, day.day, year)}
            self._days |= {(day.month, day.day), (int(f"{day:%Y%m%d}"),), (int(f"{day:%y%m%d}"),), (day.year,)}
            day += timedelta(days=1)
        self._minutes = set()
        minute = begin - timedelta(minutes=1)
        while minute <= min(end, begin + timedelta(days=1)) + timedelta(minutes=1):
            for here in (minute.astimezone(), minute.astimezone(UTC)):
                self._minutes |= {(here.hour, here.minute), ((here.hour - 1) % 12 + 1, here.minute)}
            minute += timedelta(minutes=1)

    def has_day(self, text: str) -> bool:
        """Whether the text tells a day of about now, in whatever order."""
        return _numbers(text) in self._days

    def has_time(self, text: str) -> bool:
        """Whether the text tells a time of now, of this machine's zone or UTC."""
        return _numbers(_COMPACT.sub(r"\1:\2:", text))[:2] in self._minutes


def is_now(text: str, near: Near, *, at_any_time: bool = False) -> bool:
    """Whether the text is a day of about now, perhaps with a time of now; or such a time alone.

    Args:
        at_any_time: of such a day.
    """
    form = next((form for form in FORMS if form.is_clock and form.finder.fullmatch(text)), None)
    if form is None or form.name == _NUMBERED:
        return False
    day = re.search(form.day, text) if form.day else None
    if day is None:
        return near.has_time(text)
    time = text[: day.start()] + " " + text[day.end() :]
    has_time = at_any_time or form.name == "day" or near.has_time(time)
    return near.has_day(day[0]) and has_time


def are_now(values: Collection[str], near: Near) -> bool:
    """Whether all of these are such; or all the same, by a clock of another zone.

    Times of a day of now that differ may be somebody's own, such as of an appointment.
    """
    return all(is_now(value, near) for value in values) or (
        len(set(values)) == 1 and all(is_now(value, near, at_any_time=True) for value in values)
    )


@lru_cache(maxsize=4096)
def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of a day, months by name among them."""
    text = re.sub("(?i)" + "|".join(f"(?P<m{number}>{name})" for number, name in _NAMES), _number, text)
    return tuple(1 if number == "元" else int(number) for number in re.findall(r"\d+|元", text))


_NAMES = tuple(
    enumerate(("jan", "feb", "mar|mär", "apr", "may|mai", "jun", "jul", "aug", "sep", "o[ck]t", "nov", "de[cz]"), 1)
)


def _number(match: re.Match[str]) -> str:
    return f" {(match.lastgroup or 'm')[1:]} "
