"""Forms are wider than what was seen of them, by what an hour, a month or some thousand prints add."""

import re

import pytest

from harness.calibration.forms import FORMS
from harness.exchange import new_name
from harness.records import Application

BY_NAME = {form.name: form for form in reversed(FORMS)}


@pytest.mark.parametrize(
    ("seen", "later"), [("9", "10"), ("998", "1,000"), ("998", "1000"), ("99998", "100000"), ("000001", "1000000")]
)
def test_numbers_grow(seen: str, later: str) -> None:
    """By some digits, and by what stands between their groups."""
    pattern, *_ = BY_NAME["number"].like(seen)
    assert re.fullmatch(pattern, seen)
    assert re.fullmatch(pattern, later)


def test_nonces_of_a_calibration_are_like_those_of_a_run() -> None:
    """What is learnt of the ones holds for the others, and none is ever used twice."""
    names = [new_name() for _ in range(3)]
    assert len(set(names)) == 3
    for name in (*names, "A1", "A2-137"):
        made = Application(application=name, applicant="P", group="P", kind="card", attempt=2)
        assert BY_NAME["nonce"].finder.fullmatch(made.nonce)
        assert BY_NAME["application"].finder.fullmatch(name)
