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
