"""A fingerprint is its masks, one after the other, and says the same in every process."""

import os
import pickle
import subprocess
import sys
from typing import ClassVar

import msgspec
import pytest
import xxhash

from harness.fingerprint import CHECKSUM_NAME, Fingerprint, Mask, UnreadableError
from harness.fingerprint.exact import is_unreadable
from harness.fingerprint.json_mask import JsonMask
from harness.fingerprint.marks import MarkReader, PlainText
from harness.fingerprint.pdf_metadata import PdfMetadata
from harness.fingerprint.pdf_text import PdfText
from harness.fingerprint.pixels import Pixels
from harness.fingerprint.text_mask import TextMask, Utf8

ALL: list[Mask] = [
    TextMask("at (?P<varies>\\S+)"),
    JsonMask("a.*", "b"),
    PdfMetadata(),
    PdfText(),
    Pixels(dpi=50),
    Utf8(),
]
RECTANGLE = (1, 10.0, 20.0, 30.0, 40.5)


def test_exact_costs_nothing() -> None:
    """Without masks the checksum is the very function that makes it."""
    assert Fingerprint().checksum is xxhash.xxh3_128_hexdigest
    assert Fingerprint().checksum_on_record is xxhash.xxh3_128_hexdigest
    assert (Fingerprint().name, Fingerprint().is_slow, Fingerprint().marks(b"x")) == (CHECKSUM_NAME, False, ())


def test_one_after_the_other() -> None:
    """Each mask has what the one before it left."""
    fingerprint = Fingerprint([JsonMask("at"), TextMask('"by":(?P<varies>"[^"]*")')])
    assert fingerprint.masked(b'{"by": "x", "at": 1}') == b'{"at":"*","by":*}'
    assert fingerprint.checksum(b'{"by": "x", "at": 1}') == fingerprint.checksum(b'{"at": 2, "by": "y"}')
    assert fingerprint.checksum(b'{"by": "x", "at": 1}') == xxhash.xxh3_128_hexdigest(b'{"at":"*","by":*}')


def test_names() -> None:
    """A name tells everything that the masks do, so that equal names mean comparable checksums."""
    names = {Fingerprint([mask]).name for mask in ALL}
    assert len(names) == len(ALL)
    assert Fingerprint(ALL[:2]).name == "xxh3_128 of text 'at (?P<varies>\\\\S+)', json 'a.*' 'b'"
    assert Fingerprint([Pixels(dpi=50, rectangles_mm=[RECTANGLE])]).name.endswith(
        "pixels with forms 50dpi without 1:10.0:20.0:30.0:40.5mm"
    )
    assert Fingerprint([TextMask("a', text 'b")]).name != Fingerprint([TextMask("a"), TextMask("b")]).name


@pytest.mark.parametrize("mask", ALL, ids=lambda mask: mask.name)
def test_travels(mask: Mask) -> None:
    """Another process gets the same fingerprint."""
    reader = MarkReader("(?P<person>x)", persons={"x": "X"})
    other = pickle.loads(pickle.dumps(Fingerprint([mask], reader)))  # noqa: S301 - our own
    assert (other.name, other.is_slow, other.marks(b"x")) == (
        Fingerprint([mask]).name,
        mask.is_slow,
        reader.read(b"x"),
    )


def test_same_in_every_process() -> None:
    """Neither the seed of hashes nor the process has a say."""
    program = (
        "from harness.fingerprint import Fingerprint\n"
        "from harness.fingerprint.json_mask import JsonMask\n"
        "from harness.fingerprint.text_mask import TextMask\n"
        "print(Fingerprint([JsonMask('b', 'a.*')]).checksum(b'{\"c\": 1.50, \"a\": [1, 2], \"b\": {}}'))\n"
        "print(Fingerprint([TextMask('a(?P<varies>.)')]).checksum(b'aabab'))\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert said.pop().split()[0].decode() == Fingerprint([JsonMask("b", "a.*")]).checksum(b'{"a":[3,4],"b":0,"c":1.50}')


class Picky(msgspec.Struct, frozen=True):
    """Reads nothing but what begins with a P, and takes that away."""

    is_slow: ClassVar[bool] = False
    name: ClassVar[str] = "picky"

    def apply(self, content: bytes) -> bytes:
        if not content.startswith(b"P"):
            raise UnreadableError("no P")
        return content[1:]


def test_unreadable() -> None:
    """What cannot be read has no checksum, and on record one that no readable document has, not even its like."""
    fingerprint = Fingerprint([Picky()])
    with pytest.raises(UnreadableError):
        fingerprint.checksum(b"text")
    on_record = fingerprint.checksum_on_record(b"text")
    assert is_unreadable(on_record)
    assert on_record != fingerprint.checksum_on_record(b"Ptext") == fingerprint.checksum(b"Ptext")
    assert on_record != Fingerprint().checksum(b"text")
    assert on_record != fingerprint.checksum_on_record(b"text2")


class Unread:
    """Reads nothing."""

    is_slow = True

    def read(self, document: bytes) -> tuple[()]:
        raise UnreadableError(repr(document))


def test_unreadable_marks() -> None:
    """A document that the reader cannot read shows no mark."""
    fingerprint = Fingerprint(reader=Unread())
    assert fingerprint.marks(b"x") == ()
    assert (fingerprint.is_slow, fingerprint.reads_slowly) == (False, True)
    assert not Fingerprint(reader=MarkReader("(?P<person>x)", PlainText())).reads_slowly
