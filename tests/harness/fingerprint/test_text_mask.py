"""What a pattern matches is taken out of a text, and nothing else, however fast it is looked for."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.fingerprint import UnreadableError
from harness.fingerprint.text_mask import TextMask, Utf8

STAMP = TextMask(r"Printed at (?P<varies>\S+)")


def naive(pattern: str, content: bytes) -> bytes:
    """By the letter, and as slow as that is."""
    compiled = re.compile(pattern)
    group = "varies" if "varies" in compiled.groupindex else 0

    def fixed(match: re.Match[str]) -> str:
        begin, end = match.span(group)
        if begin < 0:
            return match[0]
        return f"{match.string[match.start() : begin]}*{match.string[end : match.end()]}"

    return compiled.sub(fixed, content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("pattern", "content", "left"),
    [
        (r"\d{4}-\d\d-\d\d", b"made 2026-01-02, due 2026-03-04", b"made *, due *"),
        (r"made (?P<varies>\S+)", b"made 2026-01-02, due 2026-03-04", b"made * due 2026-03-04"),
        (r"made( on (?P<varies>\S+))?", b"made by, made on Monday", b"made by, made on *"),
        (r"発行日時:(?P<varies>[^ ]*)", "氏名 発行日時:令和6年 番号".encode(), "氏名 発行日時:* 番号".encode()),
        (r"発行\((?P<varies>.*)\)", "氏名\n発行(1月)\n発行(2月)\n".encode(), "氏名\n発行(*)\n発行(*)\n".encode()),
        (r"at: (?P<varies>.+)", b"at: 1\r\nat: 2\n", b"at: *at: *\n".replace(b"*at", b"*\nat")),
        (r"nothing", b"some \xff\xfe bytes", b"some \xff\xfe bytes"),
        (r"id=(?P<varies>\w+)", b"\xff\xe3\x81id=7f\xe3", b"\xff\xe3\x81id=*\xe3"),
        (r"(?s)a(?P<varies>.*)z", b"a1\n2z", b"a*z"),
        (r"x*", b"", b"*"),
    ],
)  # fmt: skip
def test_masked(pattern: str, content: bytes, left: bytes) -> None:
    """The group that varies, or all of the match, becomes one fixed text; other bytes stay, also those of no text."""
    assert TextMask(pattern).apply(content) == left == naive(pattern, content)


ATOMS = [
    *("a", "b", "ab", "é", "あ", r"\.", ".", r"\S", r"\w", r"\d", "[ab]", "[あa]", r"[\d.]", "[^a]", r"\s", "(ab)"),
    *("(?:a|b)", "(?P<varies>b+)", r"(?P<varies>\S*)", "(?P<varies>[ab]|é)", "|", "^", "$", r"\b", "(?=b)"),
    *("(?<=a)", r"\n", "\n", "(a)?"),
]
OFTEN = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{0,1}", "*?"])
PATTERNS = (
    st.lists(st.tuples(st.sampled_from(ATOMS), OFTEN), max_size=6)
    .map(lambda parts: "".join(f"{atom}{often if atom[-1] not in '|^$b' else ''}" for atom, often in parts))
    .filter(lambda pattern: _compiles(pattern))
)
PIECES = [b"a", b"b", b"ab", b"\n", b".", b"1", b" ", "é".encode(), "あ".encode(), b"\xe3", b"\x81"]
CONTENTS = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


@given(PATTERNS, CONTENTS)
@example("ab|b", b"b")
@example("a{0,1}b", b"b")
@example(r"ab(?P<varies>\S*)", b"abab ab1")  # what begins within a match is none of its own
def test_fast_as_naive(pattern: str, content: bytes) -> None:
    """What is looked for by how it begins is found as by the expression itself."""
    assert TextMask(pattern).apply(content) == naive(pattern, content)


@example(32, [1])  # where it gives up looking for the letter, and there it is
@given(st.integers(30, 60), st.lists(st.integers(0, 1), min_size=1, max_size=5))
def test_frequent_letters(number: int, found: list[int]) -> None:
    """Where the rarest letter of the beginning is frequent all the same, nothing is missed."""
    content = b"Q " * number + b"".join([b"Quota ", b"Quota 7 "][one] for one in found) + b"Q " * number
    assert TextMask(r"Quota (?P<varies>\d+)").apply(content) == naive(r"Quota (?P<varies>\d+)", content)


TEXTS = st.text(st.characters(exclude_characters=" \n", codec="utf-8"), min_size=1, max_size=20).filter(
    lambda text: not re.search(r"\s", text)
)


@given(before=st.text(max_size=30), after=st.text(max_size=30), one=TEXTS, other=TEXTS)
def test_inside(before: str, after: str, one: str, other: str) -> None:
    """A change of what varies changes nothing."""
    left = [STAMP.apply(f"{before}\nPrinted at {text} {after}".encode()) for text in (one, other)]
    assert left[0] == left[1]


@given(content=st.binary(max_size=60), place=st.integers(0, 200), byte=st.integers(0, 255))
def test_outside(content: bytes, place: int, byte: int) -> None:
    """A change of anything else changes what is left."""
    document = content.replace(b"Printed", b"") + b"\nPrinted at 2026-01-02 and on\n" + content.replace(b"Printed", b"")
    varies = document.index(b"2026-01-02")
    place %= len(document)
    if varies <= place < varies + len(b"2026-01-02"):
        return
    changed = bytearray(document)
    changed[place] = byte
    if bytes(changed) == document or changed[varies - 1 : varies] != b" " or changed[varies + 10] != ord(" "):
        return
    assert STAMP.apply(bytes(changed)) != STAMP.apply(document)


def test_utf_8() -> None:
    """A text of bytes that are none cannot be read; any other is kept as it is."""
    assert Utf8().apply("氏名".encode()) == "氏名".encode()
    with pytest.raises(UnreadableError, match="no UTF-8 text: byte 3"):
        Utf8().apply(b"abc\xff")


def test_no_pattern() -> None:
    """What is no expression is refused at once."""
    with pytest.raises(re.error):
        TextMask("(")
