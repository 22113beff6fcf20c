"""Whatever varies in whatever way: it is masked a year later, too, and nothing that tells people apart is."""

from functools import reduce
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.calibration.forms import Near
from harness.calibration.texts import learn_text
from tests.harness.calibration.volatile import IDS, LAYOUTS, STAMPS, Volatile, begin

_LATER = 30


def check(stamp: str, id_: str, layout: str, first: int, seed: int) -> None:
    """Learn from three prints of each person, then print later on."""
    random = Random(seed)
    service = Volatile(stamp, id_, layout, first, begin(random), random)
    cases = service.calibration(3)
    masks = learn_text(cases, Near(service.begin, service.end))

    def masked(text: str) -> str:
        return reduce(lambda left, mask: mask.apply(left), masks, text.encode()).decode()

    golden = [masked(prints[0]) for prints in cases]
    assert len(set(golden)) == service.persons
    for person, left in enumerate(golden):
        assert f"E{person:03}" in left
        assert service.born(person) in left
    for number in range(_LATER):
        person = number % service.persons
        assert masked(service.later(person)) == golden[person], [mask.pattern for mask in masks]


CASES = (
    st.sampled_from(sorted(STAMPS)),
    st.sampled_from(sorted(IDS)),
    st.sampled_from(sorted(LAYOUTS)),
    st.sampled_from([1, 5, 98, 990, 99_990, 123_456]),
    st.integers(0, 2**32),
)


@settings(max_examples=60, deadline=None)
@given(*CASES)
@example("minutes", "grouped", "lines", 990, 64)
@example("asctime", "of_day", "inline", 98, 380)
@example("day", "url_safe", "html", 1, 3)
def test_later(stamp: str, id_: str, layout: str, first: int, seed: int) -> None:
    """No false alarm after midnight or with a digit more, and no person's data under a mask."""
    check(stamp, id_, layout, first, seed)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stamp", sorted(STAMPS))
def test_later_at_length(stamp: str) -> None:
    """The same for every stamp with every id in every layout."""
    for seed, (id_, layout) in enumerate((id_, layout) for id_ in sorted(IDS) for layout in sorted(LAYOUTS)):
        for first in (1, 990, 123_456):
            check(stamp, id_, layout, first, seed)
