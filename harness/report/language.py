"""What a person reads, in English or Japanese: texts by key, from one flat TOML file for each part and language.

The key `terminal.latency` is the entry `latency` in `messages/terminal.en.toml` and `messages/terminal.ja.toml`. Both
hold the same keys with the same placeholders; words that several parts share are in the part `common`.
"""

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from harness.records import Record

Code = Literal["en", "ja"]
CODES: tuple[Code, ...] = get_args(Code)
_PACKAGE = "harness.report"
_VARIABLES = "LC_ALL", "LC_MESSAGES", "LANG"  # the first that is set decides, as POSIX has it


class Language(Record, frozen=True, kw_only=True):
    """One of the languages that there are texts in."""

    code: Code

    def text(self, key: str, /, **values: object) -> str:
        """The text by that key, "part.name", with its placeholders filled in.

        Raises:
            KeyError: when there is no such text, or a value for a placeholder is missing; says which.
        """
        part, _, name = key.partition(".")
        template = catalogue(part, self.code).get(name)
        if template is None:
            raise KeyError(f"there is no text {key!r}; add {name} to messages/{part}.{self.code}.toml")
        try:
            return template.format_map(values)
        except KeyError as error:
            raise KeyError(
                f"the text {key!r} ({self.code}) needs a value for {error}; given: {sorted(values)}"
            ) from error

    def name(self, group: str, word: str) -> str:
        """The name of a word that somebody else chose, such as a kind of documents; else the word itself.

        Args:
            group: the texts `common.<group>_<word>`.
        """
        return catalogue("common", self.code).get(f"{group}_{word}", word)


ENGLISH = Language(code="en")
JAPANESE = Language(code="ja")


def choose_language(asked: str | None = None, environment: Mapping[str, str] = os.environ) -> Language:
    """The language that was asked for; else that of the locale: Japanese where it is, English for all others.

    Raises:
        ValueError: when there are no texts in what was asked for.
    """
    if asked:
        found = [code for code in CODES if code == asked]
        if not found:
            raise ValueError(f"found {asked!r}, right would be one of {', '.join(CODES)}")
        return Language(code=found[0])
    locale = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    return JAPANESE if locale.lower().startswith("ja") else ENGLISH


@cache
def catalogue(part: str, code: Code) -> Mapping[str, str]:
    """All texts of a part, by name.

    Raises:
        KeyError: when there is no such part.
    """
    path = files(_PACKAGE) / "messages" / f"{part}.{code}.toml"
    try:
        texts: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise KeyError(f"there are no texts of the part {part!r}; add messages/{part}.{code}.toml") from error
    return texts


def parts() -> tuple[str, ...]:
    """Every part that has texts in some language, by name."""
    names = (path.name for path in (files(_PACKAGE) / "messages").iterdir())
    return tuple(sorted({name.partition(".")[0] for name in names if name.endswith(".toml")}))
