"""Documents in JSON: compared by value, without what varies by itself; and what stands where in them."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from harness.fingerprint.base import UnreadableError

_FIXED = "*"
_ANY = "*"
_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class JsonMask:
    """The document as canonical JSON, in which what stands at the paths counts as one fixed text.

    Canonical is without the space between values, with keys in order. A number counts by its digits: 1.0 is not 1.

    Args:
        paths: dotted; a number counts the items of a list, `*` is any key or item.
    """

    is_slow: ClassVar[bool] = False

    def __init__(self, *paths: str) -> None:
        self.paths = paths

    @property
    def name(self) -> str:
        """See `Mask`."""
        return " ".join(("json", *map(repr, self.paths)))

    def apply(self, content: bytes) -> bytes:
        """See `Mask`.

        Raises:
            UnreadableError: when it is no JSON, or one key stands twice in an object.
        """
        value = _read(content)
        for path in self.paths:
            for holder, key in _find({"": value}, ("", *path.split("."))):
                holder[key] = _FIXED
        try:
            return _encoder.encode(value)
        except (UnicodeEncodeError, RecursionError) as error:
            raise UnreadableError(f"no JSON that can be written: {error}") from error


class JsonValues(msgspec.Struct, frozen=True):
    """What stands at a path of a JSON document, each text and number as one page of words.

    Args:
        path: see `JsonMask`.
    """

    path: str
    is_slow: ClassVar[bool] = False

    def texts(self, document: bytes) -> tuple[str, ...]:
        """See `Texts`."""
        found = (holder[key] for holder, key in _find({"": _read(document)}, ("", *self.path.split("."))))
        return tuple(
            str(value) for value in found if isinstance(value, str | int | Decimal) and not isinstance(value, bool)
        )


def _read(content: bytes) -> Any:
    try:
        return json.loads(
            content.decode(), object_pairs_hook=_object, parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise UnreadableError(f"no JSON: {error}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnreadableError("JSON with one key twice in an object, so that not everybody reads the same")
    return found


def _refuse_constant(name: str) -> Any:
    raise UnreadableError(f"no JSON: {name}")


def _find(holder: Any, path: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    """(object or list, key or place in it) of everything that stands at the path."""
    first, *rest = path
    if isinstance(holder, dict):
        keys: list[Any] = list(holder) if first == _ANY else [first] if first in holder else []
    elif isinstance(holder, list):
        keys = list(range(len(holder))) if first == _ANY else _place(first, len(holder))
    else:
        return
    for key in keys:
        if rest:
            yield from _find(holder[key], tuple(rest))
        else:
            yield holder, key


def _place(text: str, length: int) -> list[int]:
    return [int(text)] if text.isdecimal() and text.isascii() and int(text) < length else []
