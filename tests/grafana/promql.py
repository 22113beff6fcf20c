"""Reads which metrics, matchers and labels a PromQL expression names.

It does not check the expression, for that there is Prometheus; of a right one it misses no name.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<number>(?:\d+(?:ms|[smhdwy]))+|0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    |(?P<name>[a-zA-Z_][a-zA-Z0-9_:]*)
    |(?P<symbol>=~|!~|!=|==|>=|<=|[-+*/%^(){}\[\],=<>@:])""",
    re.VERBOSE,
)
_LABEL_LISTS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = frozenset({"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"})


class Token(NamedTuple):
    """A word of an expression: `kind` is the name of its group in the pattern."""

    kind: str
    text: str


class Selector(NamedTuple):
    """A metric, and its matchers as (label, operator, value); the metric is empty where only labels select."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


class Names(NamedTuple):
    """What an expression names: its selectors, and the labels by which it groups and joins."""

    selectors: tuple[Selector, ...]
    labels: frozenset[str]


def read_names(expression: str) -> Names:
    """The names of an expression.

    Raises:
        ValueError: for something that is no PromQL.
    """
    tokens = [*_tokens(expression), Token("end", "")]
    selectors, labels = [], set()
    index = 0
    while index < len(tokens):
        (kind, text), following = tokens[index], tokens[min(index + 1, len(tokens) - 1)].text
        if kind == "name" and text.lower() in _LABEL_LISTS:
            end = _closing(tokens, index, ")")
            labels |= {token.text for token in tokens[index:end] if token.kind == "name"} - {text}
            index = end
        elif text == "{" or (kind == "name" and following == "{"):
            begin = index if text == "{" else index + 1
            end = _closing(tokens, begin, "}")
            selectors.append(Selector("" if text == "{" else text, tuple(_matchers(tokens[begin + 1 : end]))))
            index = end
        elif kind == "name" and not _is_word(text, following):
            selectors.append(Selector(text, ()))
        index += 1
    return Names(tuple(selectors), frozenset(labels))


def _tokens(expression: str) -> Iterator[Token]:
    position = 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None or match.lastgroup is None:
            message = f"found {expression[position : position + 10]!r} in {expression!r}"
            raise ValueError(message)
        if match.lastgroup != "space":
            yield Token(match.lastgroup, match.group())
        position = match.end()


def _closing(tokens: list[Token], begin: int, bracket: str) -> int:
    return next(index for index in range(begin, len(tokens)) if tokens[index].text == bracket)


def _is_word(text: str, following: str) -> bool:
    """Whether it is a function, an aggregation or a word of the language, and so no metric."""
    return following == "(" or following.lower() in {"by", "without"} or text.lower() in _WORDS


def _matchers(tokens: list[Token]) -> Iterator[tuple[str, str, str]]:
    for (label, operator), value in zip(pairwise(tokens), tokens[2:], strict=False):
        if label.kind == "name" and value.kind == "text":
            yield label.text, operator.text, value.text[1:-1]
