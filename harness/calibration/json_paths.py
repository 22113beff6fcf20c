"""Learns which paths of JSON documents vary by themselves. Pure."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from harness.calibration.forms import FORMS, Near
from harness.calibration.texts import Places, UnlearnableError, judge

_ANY = "*"
Path = tuple[str, ...]


def learn_paths(cases: Sequence[Sequence[bytes]], near: Near) -> dict[str, list[str]]:
    """Dotted paths whose whole value varies by itself, with what was seen there; what varies within a text is left.

    Args:
        cases: of each case its prints, in JSON.

    Raises:
        UnlearnableError: when documents do not have the same keys and items each time.
    """
    read = [[_read(document) for document in prints] for prints in cases]
    varying = {path for prints in read for path in _varying(prints, ())}
    leaves = [[dict(_leaves(value, ())) for value in prints] for prints in read]
    chosen: dict[str, list[str]] = {}
    for path in sorted(varying):
        if any(_covers(known.split("."), path) for known in chosen):
            continue
        # Of whoever has more items nothing would be known, so places in a list are left open where they can be.
        for tried in (_opened(path, read), path):
            places = [_places(tried, prints) for prints in leaves]
            if _can_be_masked(tried, places, near):
                chosen[".".join(tried)] = [text for case in places for texts in case for text in texts]
                break
    return chosen


def values_at(path: str, prints: Sequence[bytes]) -> Places:
    """What stands at a dotted path of the prints of a case."""
    return _places(tuple(path.split(".")), [dict(_leaves(_read(document), ())) for document in prints])


def _read(document: bytes) -> Any:
    return json.loads(document, parse_float=str)


def _varying(values: Sequence[Any], path: Path) -> Iterator[Path]:
    """Paths to what is not the same in all of them."""
    first = values[0]
    if all(type(value) is type(first) and value == first for value in values):
        return
    if all(isinstance(value, dict) for value in values):
        if any(value.keys() != first.keys() for value in values):
            raise UnlearnableError(f"{_dotted(path)} does not have the same keys each time")
        for key in first:
            yield from _varying([value[key] for value in values], (*path, key))
    elif all(isinstance(value, list) for value in values):
        if any(len(value) != len(first) for value in values):
            raise UnlearnableError(f"{_dotted(path)} does not have as many items each time")
        for place, items in enumerate(zip(*values, strict=True)):
            yield from _varying(items, (*path, str(place)))
    elif any(isinstance(value, dict | list) for value in values):
        raise UnlearnableError(f"{_dotted(path)} is not of the same kind each time")
    else:
        yield path


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _leaves(item, (*path, str(place)))
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _opened(path: Path, read: Sequence[Sequence[Any]]) -> Path:
    """The path with any item in place of each number that is a place in a list."""
    for prints in read:
        value, opened = prints[0], []
        for part in path:
            if isinstance(value, list) and int(part) < len(value):
                value = value[int(part)]
                opened.append(_ANY)
            elif isinstance(value, dict) and part in value:
                value = value[part]
                opened.append(part)
            else:
                break
        else:
            return tuple(opened)
    return path


def _covers(known: Sequence[str], path: Path) -> bool:
    return len(known) == len(path) and all(part in {_ANY, other} for part, other in zip(known, path, strict=True))


def _places(path: Path, prints: Sequence[dict[Path, str]]) -> Places:
    """Each leaf at the path with what stands there in each print, as far as all of them have it."""
    return [
        tuple(leaves[place] for leaves in prints)
        for place in prints[0]
        if _covers(path, place) and all(place in leaves for leaves in prints)
    ]


def _can_be_masked(path: Path, cases: Sequence[Places], near: Near) -> bool:
    """Whether a mask of the path hides nothing but what varies."""
    if any("." in part or part == "" for part in path):
        return False  # no dotted path says that
    seen = [text for places in cases for texts in places for text in texts]
    whole = (form for form in FORMS if all(form.finder.fullmatch(text) for text in seen))
    return any(judge(form, cases, near) for form in whole)


def _dotted(path: Path) -> str:
    return ".".join(path) or "the document"
