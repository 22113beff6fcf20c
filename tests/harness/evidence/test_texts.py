"""Fields read from many lines at once are those that stand there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.texts import LONGEST, Buffer, Cursor, Texts

texts = st.text(max_size=30)
plain = st.text(st.characters(exclude_characters='"\\', exclude_categories=["Cs"]), max_size=20)


def cursor_in(lines: list[bytes]) -> Cursor:
    """At the beginning of each of these lines, which stand one behind the other."""
    ends = np.cumsum([0, *(len(line) + 1 for line in lines)])
    return Cursor(Buffer(b"".join(line + b"\n" for line in lines)), ends[:-1])


@given(
    st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 10**9), max_size=8), st.sampled_from([b",", b"}", b"\xff", b""])
)
def test_numbers(numbers: list[int], behind: bytes) -> None:
    """Whole numbers of any length come back, and the place behind each."""
    cursor = cursor_in([b"%d" % number + behind for number in numbers])
    began = cursor.at
    assert cursor.read_number().tolist() == numbers
    assert cursor.ok.all()
    assert (cursor.at - began).tolist() == [len(str(number)) for number in numbers]


@pytest.mark.parametrize(
    "line",
    [b"", b"-1", b"01", b"00", b"x", b'"1"', b"9223372036854775808", b"18446744073709551617", b"1" * 24, b"9" * 60],
)
def test_no_number(line: bytes) -> None:
    """What is no whole number of 64 bits in its plainest form is not read, and spoils no other line."""
    cursor = cursor_in([b"7", line, b"9223372036854775807"])
    found = cursor.read_number()
    assert cursor.ok.tolist() == [True, False, True]
    assert found[[0, 2]].tolist() == [7, 2**63 - 1]


@given(st.lists(plain, max_size=8))
def test_texts(names: list[str]) -> None:
    """Texts of any length and alphabet come back as they stand there."""
    cursor = cursor_in([f'{name}",'.encode() for name in names])
    found = cursor.read_text()
    cursor.expect(b",")
    assert cursor.ok.all()
    assert [found.text(number) for number in range(len(names))] == names
    assert found.digests().tolist() == Texts.of(names).digests().tolist()


@pytest.mark.parametrize("line", [b"a", rb"a\"b", rb"\u0041", b"a" * (LONGEST + 1)])
def test_no_text(line: bytes) -> None:
    """A text without an end, with an escape, or longer than is looked for, is not read, and spoils no other line."""
    cursor = Cursor(Buffer(b'before"' + line + (b"" if line == b"a" else b'"')), np.array([0, 7]))
    found = cursor.read_text()
    assert cursor.ok.tolist() == [True, False]
    assert found.text(0) == "before"


@given(st.lists(texts, max_size=12))
def test_digests(names: list[str]) -> None:
    """Texts have one number exactly if they are one text, wherever they stand."""
    numbers = Texts.of(names).digests().tolist()
    for one, number in zip(names, numbers, strict=True):
        for other, its in zip(names, numbers, strict=True):
            assert (number == its) == (one == other)
        assert Texts.of([one]).digests().tolist() == [number]


def test_digests_of_names_that_count_up() -> None:
    """A million names of which each differs from the next by one have a million numbers, well spread."""
    numbers = Texts.of(f"load-1-0000{number}.{attempt}" for number in range(500_000) for attempt in (1, 2)).digests()
    assert len(np.unique(numbers)) == 1_000_000
    for bit in range(64):
        assert 0.49 < float((numbers >> np.uint64(bit) & np.uint64(1)).mean()) < 0.51


@given(st.binary(max_size=40), st.binary(min_size=1, max_size=20), st.data())
def test_starts_with(data: bytes, text: bytes, choice: st.DataObject) -> None:
    """A text stands at a place exactly if the bytes from there on are its own."""
    if choice.draw(st.booleans()) and data:
        begin = choice.draw(st.integers(0, len(data) - 1))
        text = data[begin : begin + len(text)]
    found = Buffer(data).starts_with(text, np.arange(len(data)))
    # Behind the end there are zeros.
    padded = data + bytes(len(text))
    assert found.tolist() == [padded.startswith(text, place) for place in range(len(data))]
