"""Conditions say when a piece comes out; they know no clock."""

import pytest

from targets.link_flow import LinkConditions


@pytest.mark.parametrize(
    ("conditions", "share", "size_bytes", "free_s", "due_s", "why"),
    [
        (LinkConditions(), 0.0, 1000, 0.0, 10.0, "nothing is done by default"),
        (LinkConditions(latency_s=2), 0.0, 1000, 11.5, 12.0, "stamped on read: the piece before does not add to it"),
        (LinkConditions(latency_s=2), 0.0, 1000, 12.5, 12.5, "nothing overtakes"),
        (LinkConditions(latency_s=2, jitter_s=4), 0.25, 1, 0.0, 13.0, "the share of the jitter comes on top"),
        (LinkConditions(bandwidth_bytes_per_s=500), 0.0, 1000, 0.0, 12.0, "an idle link begins when the piece comes"),
        (LinkConditions(bandwidth_bytes_per_s=500), 0.0, 1000, 11.0, 13.0, "a busy link begins when it is free"),
    ],
)
def test_due(conditions: LinkConditions, share: float, size_bytes: int, free_s: float, due_s: float, why: str) -> None:
    """The moment at which a piece read at 10 s comes out follows from the conditions alone."""
    assert conditions.due_s(10.0, share, size_bytes, free_s) == due_s, why


@pytest.mark.parametrize(
    "wrong",
    [{"latency_s": -1.0}, {"jitter_s": float("nan")}, {"latency_s": float("inf")}, {"bandwidth_bytes_per_s": 0.0}],
    ids=repr,
)
def test_impossible_conditions(wrong: dict[str, float]) -> None:
    """Conditions that no link can have are refused, naming the field."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LinkConditions(**wrong)


def test_slices() -> None:
    """A slow link lets out a hundredth of a second's worth at once, but never less than a packet."""
    assert LinkConditions(bandwidth_bytes_per_s=1e6).slice_bytes() == 10_000
    assert LinkConditions(bandwidth_bytes_per_s=1.0).slice_bytes() == 1460
