"""Where two texts differ: by lines first, then by words. Pure."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

TOKEN = re.compile(r"[\dA-Za-z_]+|[^\W\dA-Za-z_]+|\s|.", re.DOTALL)
"""A word, a space, or any other character."""
_PIECE = re.compile(r"[^\n>]*[\n>]|[^\n>]+")
_MOST_TOKENS = 3000
"""Of two pieces that are compared token by token."""


class Spot(NamedTuple):
    """A part of a text: from `begin` up to and without `end`, in characters."""

    begin: int
    end: int


def differences(one: str, other: str) -> list[Spot]:
    """The parts of one text that are not so in the other, none longer than it has to be."""
    if one == other:
        return []
    return [*_differences(_PIECE.findall(one), _PIECE.findall(other), 0, by_token=True)]


def _differences(one: Sequence[str], other: Sequence[str], begin: int, *, by_token: bool) -> Iterator[Spot]:
    """Of two lists of pieces, the first of which begins there."""
    if len(one) == len(other) and by_token:
        pairs = ((place, place + 1, place, place + 1) for place in range(len(one)) if one[place] != other[place])
    else:
        matcher = SequenceMatcher(None, one, other, autojunk=False)
        pairs = ((a, b, c, d) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal")
    places = [begin]
    for piece in one:
        places.append(places[-1] + len(piece))
    for a, b, c, d in pairs:
        mine, theirs = "".join(one[a:b]), "".join(other[c:d])
        if by_token:
            tokens, their_tokens = TOKEN.findall(mine), TOKEN.findall(theirs)
            if max(len(tokens), len(their_tokens)) <= _MOST_TOKENS:
                yield from _differences(tokens, their_tokens, places[a], by_token=False)
                continue
        before = common(mine, theirs)
        behind = common(mine[before:][::-1], theirs[before:][::-1])
        yield Spot(places[a] + before, places[b] - behind)


def common(one: str, other: str) -> int:
    """How many characters at the beginning are the same."""
    return next(
        (place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
        min(len(one), len(other)),
    )
