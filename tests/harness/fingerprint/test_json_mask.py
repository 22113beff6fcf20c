"""JSON is compared by value, without what varies by itself."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.fingerprint import UnreadableError
from harness.fingerprint.json_mask import JsonMask, JsonValues

DOCUMENT = b'{"meta": {"serial": 7, "at": "now"}, "lines": [{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]}'


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        ((), b'{"lines":[{"id":1,"text":"a"},{"id":2,"text":"b"}],"meta":{"at":"now","serial":7}}'),
        (("meta.serial",), b'{"lines":[{"id":1,"text":"a"},{"id":2,"text":"b"}],"meta":{"at":"now","serial":"*"}}'),
        (("meta.*",), b'{"lines":[{"id":1,"text":"a"},{"id":2,"text":"b"}],"meta":{"at":"*","serial":"*"}}'),
        (("lines.*.id", "meta"), b'{"lines":[{"id":"*","text":"a"},{"id":"*","text":"b"}],"meta":"*"}'),
        (("lines.1", "meta"), b'{"lines":[{"id":1,"text":"a"},"*"],"meta":"*"}'),
        (("lines.2", "lines.-1", "lines.x", "meta.serial.deeper", "none"), JsonMask().apply(DOCUMENT)),
        (("*",), b'{"lines":"*","meta":"*"}'),
    ],
)
def test_masked(paths: tuple[str, ...], left: bytes) -> None:
    """What stands at a path becomes one fixed text; a path that leads nowhere changes nothing."""
    assert JsonMask(*paths).apply(DOCUMENT) == left


@pytest.mark.parametrize(
    ("one", "other"), [(b"1.0", b"1"), (b"1.0", b'"1.0"'), (b"0.1", b"0.10000000000000000001"), (b"true", b"1")]
)
def test_numbers(one: bytes, other: bytes) -> None:
    """No digit is lost, and no value is taken for one of another kind."""
    assert JsonMask().apply(one) != JsonMask().apply(other)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\xff", b'{"a": 1, "a": 2}', b"[NaN]", b"[" * 100_000, b'"\\ud800"', b"\xef\xbb\xbf{}"),
        b"1e9999999999999999999",
    ],
)
def test_unreadable(content: bytes) -> None:
    """What is no JSON, or says two things at once, cannot be read."""
    with pytest.raises(UnreadableError):
        JsonMask().apply(content)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def _bytes(value: object, **form: Any) -> bytes:
    return json.dumps(value, **form).encode("utf-8", "surrogatepass")


def _exactly(value: object) -> str:
    """As it is, with 1, 1.0 and True apart from one another."""
    return json.dumps(value, sort_keys=True)


@given(VALUES, VALUES, VALUES)
def test_inside_and_outside(around: Any, one: Any, other: Any) -> None:
    """A change at the path changes nothing; a change of anything else changes what is left."""
    mask = JsonMask("a.at", "a.list.*.at")
    made = [{"a": {"at": value, "list": [{"at": value, "of": around}], "x": around}} for value in (one, other)]
    assert mask.apply(_bytes(made[0])) == mask.apply(_bytes(made[1]))
    assume(_exactly(one) != _exactly(other))
    changes: list[Callable[[Any], object]] = [
        lambda made: made["a"].update(x=other),
        lambda made: made["a"]["list"][0].update(of=other),
        lambda made: made.update(b=other),
        lambda made: made["a"]["list"].append(other),
        lambda made: made["a"].update(list=other),
    ]
    for change in changes:
        changed = deepcopy(made[0])
        change(changed)
        same = _exactly(changed) == _exactly(made[0])
        assert same is (mask.apply(_bytes(changed)) == mask.apply(_bytes(made[0]))) or _covered(changed, made[0])


def _covered(one: Any, other: Any) -> bool:
    """Whether the two differ at the path alone, for the list that took the place of another has one, too."""

    def without(value: Any) -> Any:
        value = deepcopy(value)
        value["a"]["at"] = 0
        for item in value["a"]["list"] if isinstance(value["a"]["list"], list) else []:
            if isinstance(item, dict) and "at" in item:
                item["at"] = 0
        return value

    return _exactly(without(one)) == _exactly(without(other))


@given(VALUES)
def test_canonical(value: Any) -> None:
    """Neither space nor the order of keys nor escapes count."""
    one = JsonMask().apply(_bytes(value))
    assert one == JsonMask().apply(_bytes(value, indent=3, sort_keys=True, ensure_ascii=False))
    assert json.loads(one) == value


def test_values() -> None:
    """What stands at a path, as text; of what is neither text nor number nothing."""
    assert JsonValues("lines.*.id").texts(DOCUMENT) == ("1", "2")
    assert JsonValues("meta.at").texts(DOCUMENT) == ("now",)
    assert JsonValues("meta").texts(DOCUMENT) == JsonValues("none").texts(DOCUMENT) == ()
    assert JsonValues("a").texts(b'{"a": true}') == ()
    with pytest.raises(UnreadableError):
        JsonValues("a").texts(b"{")
