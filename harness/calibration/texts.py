"""Learns which parts of texts vary by themselves, and patterns that match them and nothing else. Pure.

Where two prints of one case differ, forms that hold the whole difference are tried in contexts of more and fewer words.
A pattern is taken only when everything that it matches in any print did vary, or shows what varied elsewhere.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, product
from typing import NamedTuple

from harness.calibration.contexts import ANY_WORD, WINDOW, contexts
from harness.calibration.differences import Spot, common, differences
from harness.calibration.forms import FORMS, Form, Near, are_now, is_now
from harness.fingerprint.text_mask import TextMask

Cases = Sequence[Sequence[str]]
"""Of each case its prints."""

Places = list[tuple[str, ...]]
"""Of each place in the documents of a case what stands there in each print."""

_MOST_MASKS = 30
_TRIED = 3
"""So many differences of two prints are tried, when nothing can be made of the first."""
_MANY = 5
"""Of so many cases one may have been printed when the day was another."""
_SHORT = 3
"""Characters of a number or an id that may be the same twice by chance."""
_SHOWN = 30


class UnlearnableError(Exception):
    """Raised when what varies cannot be masked without hiding something that does not; says what and where."""


class Candidate(NamedTuple):
    """A pattern that may be taken."""

    pattern: str
    form: Form


def values_of(pattern: str, text: str) -> list[str]:
    """What the pattern would hide of the text."""
    return [match["varies"] for match in re.finditer(pattern, text)]


def learn_text(cases: Cases, near: Near) -> list[TextMask]:
    """Masks after which all prints of each case are alike, and no day of about now is left that everybody has.

    Raises:
        UnlearnableError: when there are none.
    """
    masks: list[TextMask] = []
    while True:
        prints = next((prints for prints in cases if len(set(prints)) > 1), None)
        chosen = _varying(prints, cases, near) if prints is not None else _of_today(cases, near)
        if chosen is None:
            return masks
        if len(masks) == _MOST_MASKS:
            raise UnlearnableError(f"more than {_MOST_MASKS} parts vary; right are documents of which most is the same")
        masks.append(chosen)
        cases = [[apply(chosen, text) for text in prints] for prints in cases]


def text_of(document: bytes) -> str:
    """The document as `TextMask` reads it."""
    return document.decode("utf-8", "surrogateescape")


def apply(mask: TextMask, text: str) -> str:
    """What the mask leaves of the text."""
    return text_of(mask.apply(text.encode("utf-8", "surrogateescape")))


def _varying(prints: Sequence[str], cases: Cases, near: Near) -> TextMask:
    """For the first part that varies in these prints."""
    one, other = prints[0], next(text for text in prints if text != prints[0])
    spots = differences(one, other)
    # A time that has not gone on yet is no context either.
    moving = {*_now(one, near), *(spot for text in prints for spot in differences(one, text))}
    fields = [_field(one, spot) for spot in sorted(moving)]
    most, best = 0, None
    for spot in spots[:_TRIED]:
        for candidate in _candidates(one, spot, fields):
            mask = TextMask(candidate.pattern)
            if not _brings_nearer(mask, one, other):
                continue
            places = [found(candidate.pattern, prints) for prints in cases]
            coverage = None if None in places else judge(candidate.form, [one for one in places if one], near)
            # Of those that do for as many cases, the first says most.
            if coverage is not None and coverage > most and _brings_all_nearer(mask, cases):
                most, best = coverage, mask
            if most == len(cases):
                break
        if best is not None:
            return best
    raise UnlearnableError(f"{_told(one, other)} cannot be masked without hiding what does not vary")


def _brings_nearer(mask: TextMask, one: str, other: str) -> bool:
    """Whether there are fewer differences by the mask."""
    return len(differences(apply(mask, one), apply(mask, other))) < len(differences(one, other))


def _brings_all_nearer(mask: TextMask, cases: Cases) -> bool:
    """Whether it does so wherever it hides different things, and does not hide one part here and another one there."""
    return all(
        _brings_nearer(mask, prints[0], text)
        for prints in cases
        for text in prints[1:]
        if values_of(mask.pattern, prints[0]) != values_of(mask.pattern, text)
    )


def _field(text: str, spot: Spot) -> Spot:
    """The spot with everything that belongs to it: what is the same now of a time stamp or an id is no context."""
    begin, end = spot
    while begin and text[begin - 1].isalnum():
        begin -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    window = max(0, begin - WINDOW), end + WINDOW
    held = [
        Spot(*match.span())
        for form in FORMS
        if form.is_clock
        for match in form.finder.finditer(text, *window)
        if match.start() <= begin and end <= match.end()
    ]
    return max((Spot(begin, end), *held), key=lambda field: field.end - field.begin)


def _of_today(cases: Cases, near: Near) -> TextMask | None:
    """For a day of about now that several people share: it was the same each time, and will not be tomorrow."""
    texts = list(dict.fromkeys(prints[0] for prints in cases))
    for text in texts:
        most, best = 1, None
        for candidate in chain.from_iterable(_candidates(text, spot, [spot]) for spot in _now(text, near)):
            if candidate.form.is_clock:
                shown = [values for text in texts if (values := values_of(candidate.pattern, text))]
                if len(shown) > most and are_now([value for values in shown for value in values], near):
                    most, best = len(shown), TextMask(candidate.pattern)
        if best is not None:
            return best
    return None


def _now(text: str, near: Near) -> Iterator[Spot]:
    """Where days and times of about now stand."""
    for form in FORMS:
        if form.name in {"day", "time"}:
            yield from (Spot(*match.span()) for match in form.finder.finditer(text) if is_now(match[0], near))


def found(pattern: str, prints: Sequence[str]) -> Places | None:
    """What the pattern would hide: of each place what stands there in each print; None when that cannot be said."""
    values = [values_of(pattern, text) for text in prints]
    return list(zip(*values, strict=True)) if len({len(one) for one in values}) == 1 else None


def judge(form: Form, cases: Sequence[Places], near: Near) -> int | None:
    """In how many cases something varies of what would be hidden; None when anything is among it that does not vary.

    What did not vary in one case counts as varying when it does in others, and showed the same there: a time in minutes
    is often the same twice, a number of few digits now and then.

    Args:
        cases: of each the places that would be hidden.
    """
    coverage = 0
    moving: defaultdict[int, set[str]] = defaultdict(set)
    still: defaultdict[int, list[str]] = defaultdict(list)
    times_moved: Counter[int] = Counter()
    days: set[str] = set()
    steady: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for places in cases:
        moved = {number: values for number, values in enumerate(places) if len(set(values)) > 1}
        coverage += bool(moved)
        for number, (value, *_) in enumerate(places):
            if number not in moved:
                still[number].append(value)
        for number, values in moved.items():
            times_moved[number] += 1
            moving[number].update(values)
            if not form.is_clock:
                for place, part in _steady_parts(values):
                    steady[number, place].add(part)
            elif form.day:
                days.update(match[0] for value in values if (match := re.search(form.day, value)))
    for number, shown in still.items():
        by_chance = form.is_clock or (len(shown) <= times_moved[number] and max(map(len, shown)) <= _SHORT)
        if not by_chance or not moving[number].issuperset(shown):
            return None
    if any(len(parts) > 1 for parts in steady.values()) or not _is_of_printing(days, coverage, near):
        return None
    met = [places for places in cases if places]
    if len(met) == 1 and not all(len(set(values)) == len(values) > 2 for values in met[0]):
        return None  # one print of something else would look the same
    if form.name == "id" and _are_words({value for values in moving.values() for value in values}):
        return None
    return coverage


def _is_of_printing(days: set[str], cases: int, near: Near) -> bool:
    """Whether these are days of printing, and not of somebody's birth: about now, or about the same for everybody."""
    return all(near.has_day(day) for day in days) or (cases > 1 and len(days) <= 1 + cases // _MANY)


def _are_words(values: set[str]) -> bool:
    """Whether these are words, such as names, and no ids: most of them without a digit."""
    return sum(any(map(str.isdecimal, value)) for value in values) * 3 < len(values)


def _steady_parts(values: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Parts of an id that were the same in all prints of a case: what differs from case to case is about the case."""
    split = [re.split(r"[^0-9A-Za-z]+", value) for value in values]
    if len({len(parts) for parts in split}) == 1:
        for place, parts in enumerate(zip(*split, strict=True)):
            if len(set(parts)) == 1 and len(parts[0]) > 1:
                yield place, parts[0]


def _candidates(text: str, spot: Spot, spots: Sequence[Spot]) -> Iterator[Candidate]:
    """Patterns that match the spot: each form that holds it, in each context without another spot; the best first."""
    window = max(0, spot.begin - WINDOW), spot.end + WINDOW
    for form in FORMS:
        for match in form.finder.finditer(text, *window):
            begin, end = match.span()
            if not (begin <= spot.begin and spot.end <= end):
                continue
            before = max((other.end for other in spots if other.end <= begin), default=0)
            behind = min((other.begin for other in spots if other.begin >= end), default=len(text))
            lefts = contexts(text[before:begin], r"\A" if before == 0 else "", is_before=True)
            rights = contexts(text[end:behind], r"\Z" if behind == len(text) else "", is_before=False)
            for pattern, left, right in product(form.like(match[0]), lefts, rights):
                if left or right:
                    # A word of any kind must not take anything away from what varies.
                    begins = f"(?<![{form.edge}])" if not left or left.endswith(ANY_WORD) else ""
                    ends = f"(?![{form.edge}])" if not right or right.startswith(ANY_WORD) else ""
                    yield Candidate(f"{left}(?P<varies>{begins}{pattern}{ends}){right}", form)


def _told(one: str, other: str) -> str:
    """What stands at the first difference of two texts."""
    place = common(one, other)
    begin = max(0, place - _SHOWN)
    return f"what is {one[begin : place + _SHOWN]!r} and then {other[begin : place + _SHOWN]!r}"
