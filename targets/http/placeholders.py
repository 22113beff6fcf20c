"""Texts with placeholders, such as /payslips/{person}, and structures made of them. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from typing_extensions import TypeAliasType

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

Shape = TypeAliasType("Shape", "str | int | float | bool | list[Shape] | dict[str, Shape]")
"""What a JSON body is made of; every text in it may hold placeholders."""


class PlaceholderError(ValueError):
    """Raised when a text holds a placeholder that is not known, or a brace that begins or ends none."""


def check(text: str, known: Collection[str]) -> frozenset[str]:
    """The placeholders of a text.

    Raises:
        PlaceholderError: naming what was found and what would be right.
    """
    found = set()
    for match in _PLACEHOLDER.finditer(text):
        name = match.group(1)
        if match.group() in {"{{", "}}"}:
            continue
        if name is None:
            raise PlaceholderError(
                f"found a lone {match.group()!r}, right is a placeholder such as {{person}}, or {match.group() * 2}"
            )
        if name not in known:
            near = get_close_matches(name, known, 1)
            right = (
                f"the nearest is {{{near[0]}}}"
                if near
                else "right is one of " + ", ".join(sorted(f"{{{one}}}" for one in known))
            )
            raise PlaceholderError(f"found {{{name}}}, {right}")
        found.add(name)
    return frozenset(found)


def names_of(text: str) -> frozenset[str]:
    """The placeholders of a text, whichever they are; none where it is wrong, which `check` tells."""
    try:
        return check(text, _Everything())
    except PlaceholderError:
        return frozenset()


class _Everything(frozenset[str]):
    def __contains__(self, name: object) -> bool:
        return True


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with values in place of its placeholders.

    Raises:
        KeyError: when there is none for one of them; `check` tells beforehand.
    """
    return _PLACEHOLDER.sub(lambda match: match.group()[0] if match.group(1) is None else values[match.group(1)], text)


def fill_shape(shape: Shape, values: Mapping[str, str]) -> Shape:
    """The structure with every text in it filled; names of fields are left as they are."""
    match shape:
        case str():
            return fill(shape, values)
        case list():
            return [fill_shape(one, values) for one in shape]
        case dict():
            return {name: fill_shape(one, values) for name, one in shape.items()}
    return shape


def texts(shape: Shape, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path, text) of every text in the structure."""
    match shape:
        case str():
            yield path, shape
        case list():
            for number, one in enumerate(shape):
                yield from texts(one, (*path, number))
        case dict():
            for name, one in shape.items():
                yield from texts(one, (*path, name))
