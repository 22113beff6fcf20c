"""In which line of a TOML text a key stands. Pure.

Python's reader of TOML keeps no places, and what is wanted is only a line to look at: the longest part of a key's path
that can be found as a table's header, a key of that table, or a word in the line of an inline table.
"""

import re
from collections.abc import Sequence

_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r'^\s*((?:"[^"]*"|\'[^\']*\'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|\'[^\']*\'|[A-Za-z0-9_-]+))*)\s*=')


def line_of(text: str, where: Sequence[str | int]) -> int:
    """Number of the line, from 1; 0 when no part of the path stands anywhere."""
    place = next((place for place, part in enumerate(where) if isinstance(part, int)), None)
    if place:
        return _line_of_item(text, [str(part) for part in where[:place]], int(where[place])) or _line_of(text, where)
    return _line_of(text, where)


def _line_of_item(text: str, where: Sequence[str], number: int) -> int:
    """Of an item of a list, from 0, which has a header or a line of its own; 0 when it has none."""
    lines = text.splitlines()
    headers = [
        at for at, line in enumerate(lines, 1) if (found := _HEADER.match(line)) and _parts(found.group(1)) == where
    ]
    if len(headers) > number and lines[headers[number] - 1].lstrip().startswith("[["):
        return headers[number]
    begin = _line_of(text, where)
    if not begin or not lines[begin - 1].rstrip().endswith("["):
        return 0
    items = [at for at, line in enumerate(lines[begin:], begin + 1) if line.lstrip().startswith("{")]
    end = next((at for at, line in enumerate(lines[begin:], begin + 1) if line.lstrip().startswith("]")), 0)
    return items[number] if len(items) > number and items[number] < end else 0


def _line_of(text: str, where: Sequence[str | int]) -> int:
    wanted = [str(part) for part in where if isinstance(part, str)]
    table: list[str] = []
    best, best_length = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header is not None:
            table = _parts(header.group(1))
            key = table
        else:
            match = _KEY.match(line)
            if match is None:
                continue
            key = [*table, *_parts(match.group(1))]
        length = _common(key, wanted)
        if length < len(key):
            continue
        for part in wanted[length:]:  # what follows may stand in an inline table of this line
            if not re.search(
                rf"(?<![\w-]){re.escape(part)}(?![\w-])", line[line.find("=") + 1 :] if header is None else ""
            ):
                break
            length += 1
        if length > best_length:
            best, best_length = number, length
    return best


def _parts(key: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r'"[^"]*"|\'[^\']*\'|[^.\s]+', key)]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts both begin with."""
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return length
