"""Regular expressions for what stands beside a part that varies. Pure."""

import re

from harness.calibration.differences import TOKEN

WINDOW = 80
"""Characters around a part that are looked at."""
ANY_WORD = r"\w+"
_MOST_WORDS = 4
"""Of the context on one side."""
_CALENDAR = re.compile(
    r"(?i)(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|[月火水木金土日]曜?日?|[ap]m"
)
_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def contexts(text: str, anchor: str, *, is_before: bool) -> list[str]:
    """Regular expressions for the text next to a part that varies, the most telling first.

    What has a digit in it, or is a word of the calendar, may be another in another document or on another day: any word
    stands for it, and is not hidden.

    Args:
        anchor: for the far end of the text, where that is an end of the document.
        is_before: the text stands before the part, and not behind it.
    """
    tokens = TOKEN.findall(text[-WINDOW:] if is_before else text[:WINDOW])
    if is_before:
        tokens.reverse()
    made: dict[str, tuple[int, ...]] = {}
    for most in range(_MOST_WORDS + 1):
        taken: list[str] = []
        words = labels = lines = 0
        for token in tokens:
            is_word = token[0].isalnum() or token[0] == "_"
            if words == most and (is_word or most):
                break
            is_any = is_word and _is_changing(token)
            words += is_word
            labels += is_word and not is_any
            lines += token.count("\n")
            taken.append(ANY_WORD if is_any else _literal(token))
        else:
            if len(text) <= WINDOW:
                taken.append(anchor)
        # Words of its own line say best what something is; those of other lines do where there are none.
        made.setdefault("".join(reversed(taken) if is_before else taken), (not labels, lines, -words))
    return sorted(made, key=made.__getitem__)


def _is_changing(word: str) -> bool:
    return any(character.isdecimal() for character in word) or _CALENDAR.fullmatch(word) is not None


def _literal(text: str) -> str:
    """A regular expression of the text that can stand between single quotes of TOML."""
    return "".join(
        _ESCAPES[character]
        if character in _ESCAPES
        else character
        if character.isalnum() or character in ' _-:;,/="<>!@#%&~`'
        else f"\\x{ord(character):02x}"
        if not character.isprintable() or character == "'"
        else f"\\{character}"
        for character in text
    )
