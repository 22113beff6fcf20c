"""Where nothing is synchronised the pairs in flight are as many as any choice of disjoint ones gives."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import overlap
from harness.overlap import exposures_in_flight
from tests.harness.overlaps import Span, columns, share, spans


def most_pairs(prints: list[Span]) -> int:
    """The largest number of disjoint pairs that share an instant, by trying all."""
    if len(prints) < 2:
        return 0
    first, *others = prints
    best = most_pairs(others)
    for place, other in enumerate(others):
        if share(first, other):
            best = max(best, 1 + most_pairs(others[:place] + others[place + 1 :]))
    return best


@settings(max_examples=300)
@given(st.lists(spans, max_size=8), st.randoms(use_true_random=False))
def test_pairs_in_flight(prints: list[Span], order: random.Random) -> None:
    """Without sync runs there are exactly as many exposures as disjoint pairs can be found, whatever the order."""
    found = exposures_in_flight(columns(prints))
    whole = [(begin, end) for begin, end in prints if begin <= end]
    assert len(found) == most_pairs(whole)
    used = [row for exposure in found for row in (exposure.staged, exposure.waiting)]
    assert len(set(used)) == len(used)
    for exposure in found:
        instant = (exposure.at_ns, exposure.at_ns)
        assert share(prints[exposure.staged], prints[exposure.waiting], instant)
        assert exposure.sync_run == ""
    assert [exposure.at_ns for exposure in found] == sorted(exposure.at_ns for exposure in found)
    order.shuffle(prints)
    assert len(exposures_in_flight(columns(prints))) == len(found)


@pytest.mark.parametrize(
    ("prints", "pairs"),
    [
        ([], 0),
        ([(0, 9)], 0),
        ([(0, 9), (10, 19)], 0),
        ([(0, 10), (10, 19)], 1),  # closed intervals touch
        ([(0, 20), (1, 5), (3, 4), (15, 16)], 2),  # the long one is left for the one that has nobody else
        ([(0, 9), (1, 8), (2, 7)], 1),
    ],
)
def test_pairs_in_flight_by_hand(prints: list[Span], pairs: int) -> None:
    """Each print counts once."""
    assert len(exposures_in_flight(columns(prints))) == pairs


def test_many_pairs_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many prints are looked at at once changes nothing."""
    chance = random.Random(3)
    prints = [(begin, begin + chance.randrange(40)) for begin in chance.choices(range(1000), k=300)]
    whole = exposures_in_flight(columns(prints))
    monkeypatch.setattr(overlap, "_AT_ONCE", 7)
    assert exposures_in_flight(columns(prints)) == whole
    assert len(whole) > 100
