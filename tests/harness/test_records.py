"""Records cannot be changed, and survive the way through a line of JSON."""

import inspect

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import records
from harness.records import Application, Evidence, Print, Record
from harness.target import TargetError, read_assignments
from tests.harness.builders import delivery, paper

KINDS = [kind for _, kind in inspect.getmembers(records, inspect.isclass) if issubclass(kind, Record)]


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_and_keyword_only(kind: type[Record]) -> None:
    """Every record is frozen and is made by keywords alone."""
    assert kind.__struct_config__.frozen
    assert all(
        parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in inspect.signature(kind).parameters.values()
    )


def test_change_is_refused() -> None:
    """A print on record cannot be altered."""
    print_ = delivery("A1", "A", paper("A"))
    with pytest.raises(AttributeError):
        print_.applicant = "X"  # type: ignore[misc] # that is what is tested


def test_nonce() -> None:
    """Application and print of one attempt have one nonce, and every attempt has its own."""
    first = Application(application="A1", applicant="A", group="G1", kind="juminhyo")
    again = msgspec.structs.replace(first, attempt=2)
    assert first.nonce == "A1.1" == delivery("A1", "A", paper("A")).nonce
    assert again.nonce == "A1.2" == delivery("A1", "A", paper("A"), attempt=2).nonce


@given(
    one=st.tuples(st.text(), st.integers(min_value=1)),
    two=st.tuples(st.text(), st.integers(min_value=1)),
)
def test_nonces_are_unique(one: tuple[str, int], two: tuple[str, int]) -> None:
    """Different attempts never share a nonce, whatever the application is called."""
    nonces = {
        Application(application=name, applicant="A", group="G", kind="k", attempt=attempt).nonce
        for name, attempt in (one, two)
    }
    assert len(nonces) == len({one, two})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.__struct_config__.tag is not None])
def test_tag(kind: type[Record]) -> None:
    """Every kind of evidence says on its line what it is, by a tag of its own."""
    tags = [other.__struct_config__.tag for other in KINDS]
    assert tags.count(kind.__struct_config__.tag) == 1


def test_defaults_take_no_room() -> None:
    """A line leaves out what is at its default, for there are millions of them."""
    line = msgspec.json.encode(delivery("A1", "A", paper("A")))
    assert b"attempt" not in line
    assert msgspec.json.decode(line, type=Evidence) == delivery("A1", "A", paper("A"))


def test_units() -> None:
    """Every time and size of a record has its unit in its name."""
    whole = (int, int | None, records.Nanoseconds, records.Nanoseconds | None, records.Attempt)
    numbers = {field.name for kind in KINDS for field in msgspec.structs.fields(kind) if field.type in whole}
    assert {"sent_ns", "answered_ns", "size_bytes", "attempt"} <= numbers
    assert numbers - {"attempt", "version", "page", "pages", "batch", "issued", "records"} == {
        name for name in numbers if name.endswith(("_ns", "_bytes"))
    }


def test_wrong_type_is_refused() -> None:
    """A line whose field has the wrong type is no record."""
    line = msgspec.json.encode(delivery("A1", "A", paper("A"))).replace(b'"sent_ns":100', b'"sent_ns":"soon"')
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(line, type=Print)


def test_assignments() -> None:
    """Settings are read as KEY=VALUE; a value may hold an equals sign or be empty."""
    assert read_assignments(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("text", ["", "a", "=1"])
def test_wrong_assignment(text: str) -> None:
    """A setting of another form is refused with what was found."""
    with pytest.raises(TargetError, match="KEY=VALUE"):
        read_assignments([text])


def test_a_setting_that_contradicts_an_option_is_refused() -> None:
    """What was asked for by an option of its own is never replaced without a word."""
    chosen = {"build": "fixed"}
    assert read_assignments(["a=1", "build=fixed"], beside=chosen) == {"build": "fixed", "a": "1"}
    with pytest.raises(TargetError, match=r"^--set: found 'build=seed' and --build fixed, right would be one of them$"):
        read_assignments(["a=1", "build=seed"], beside=chosen)
