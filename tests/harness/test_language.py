"""Every text there is in both languages, and what is asked for is there."""

from string import Formatter

import pytest

from harness.outcome import Outcome
from harness.report.language import CODES, ENGLISH, JAPANESE, Language, catalogue, choose_language, parts


def placeholders(text: str) -> list[tuple[str, str, str | None]]:
    """Name, format and conversion of each placeholder, in one order whatever order the language has."""
    fields = Formatter().parse(text)
    return sorted((name, form or "", conversion) for _, name, form, conversion in fields if name is not None)


@pytest.mark.parametrize("part", [part for part in parts() if part != "reason"])  # see test_reason.py
def test_both_languages_say_the_same(part: str) -> None:
    """Each part has the same texts in both languages, none of them empty, with the same placeholders."""
    english, japanese = (catalogue(part, code) for code in CODES)
    assert set(english) == set(japanese)
    for name, text in english.items():
        assert text.strip()
        assert japanese[name].strip(), f"{part}.{name}"
        assert placeholders(text) == placeholders(japanese[name]), f"{part}.{name}"


def test_placeholders_are_compared_with_their_format() -> None:
    """A placeholder that is lost, renamed or written with fewer digits counts as another one."""
    assert placeholders("{a} of {b:.3f}") == placeholders("{b:.3f} のうち {a}")
    assert placeholders("{a} of {b:.3f}") != placeholders("{a} of {b:.2f}")
    assert placeholders("{a}") != placeholders("{a} {a}")
    assert placeholders("{{a}}") == []


def test_parts_are_found() -> None:
    """The parts that are compared are those that there are."""
    assert {"common", "reason"} <= set(parts())


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_its_word(outcome: Outcome) -> None:
    """Each outcome is named in both languages; in English as criteria and verdict.json name it."""
    assert ENGLISH.text(f"common.outcome_{outcome}") == outcome
    assert JAPANESE.text(f"common.outcome_{outcome}") != outcome


def test_values_are_filled_in() -> None:
    """Placeholders take their values, whatever these are called and whatever braces are in them."""
    assert ENGLISH.text("common.papers", number=3) == "3 paper(s)"
    assert JAPANESE.text("common.papers", number="{number}") == "{number} 件"
    assert JAPANESE.text("common.persons", number=3, key="unused") == "3 名"


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("common.nothing", r"there is no text 'common.nothing'; add nothing to messages/common.ja.toml"),
        ("nowhere.papers", r"there are no texts of the part 'nowhere'; add messages/nowhere.ja.toml"),
        ("common.papers", r"the text 'common.papers' \(ja\) needs a value for 'number'; given: \['numbers'\]"),
    ],
)
def test_a_text_that_is_not_there(key: str, sentence: str) -> None:
    """A text or a value that is missing is an error that says what to add, and never an empty place on a page."""
    with pytest.raises(KeyError, match=sentence):
        JAPANESE.text(key, numbers=1)


def test_words_of_others() -> None:
    """A word that somebody else chose has its name where one is known, and stands for itself where not."""
    assert JAPANESE.name("kind", "inkan") == "印鑑登録証明書"
    assert JAPANESE.name("kind", "payslip") == "payslip"


@pytest.mark.parametrize(
    ("asked", "environment", "code"),
    [
        (None, {}, "en"),
        ("", {"LANG": "ja_JP.UTF-8"}, "ja"),
        (None, {"LANG": "ja"}, "ja"),
        (None, {"LANG": "de_DE.UTF-8"}, "en"),
        (None, {"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        (None, {"LANG": "C.UTF-8", "LC_MESSAGES": "en_US", "LC_ALL": "ja_JP.eucJP"}, "ja"),
        (None, {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "ja_JP.UTF-8"}, "ja"),
        ("en", {"LC_ALL": "ja_JP.UTF-8"}, "en"),
        ("ja", {"LC_ALL": "C"}, "ja"),
    ],
)
def test_choice(asked: str | None, environment: dict[str, str], code: str) -> None:
    """What is asked for wins, then the first variable of the locale that is set; all but Japanese is English."""
    assert choose_language(asked, environment).code == code


def test_a_language_without_texts() -> None:
    """A language that there are no texts in is refused with those that there are."""
    with pytest.raises(ValueError, match="found 'fr', right would be one of en, ja"):
        choose_language("fr", {})


@pytest.mark.parametrize("language", [ENGLISH, JAPANESE])
def test_languages(language: Language) -> None:
    """Each verdict has a word that keeps the one of verdict.json, so that it can be searched for."""
    for verdict in ("PASS", "FAIL", "INCONCLUSIVE"):
        assert language.text(f"common.verdict_{verdict}").startswith(verdict)
