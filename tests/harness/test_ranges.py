"""Many ranges at once are the same ranges one by one."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.ranges import changes, ranges, stretches


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=9))
def test_ranges(wanted: list[tuple[int, int]]) -> None:
    """Every number of every range comes once, behind that of its range; one that ends before it begins is empty."""
    first, last = np.array(wanted, dtype=np.intp).reshape(-1, 2).T
    which, numbers = ranges(first, last)
    assert list(zip(which.tolist(), numbers.tolist(), strict=True)) == [
        (place, number) for place, (begin, end) in enumerate(wanted) for number in range(begin, end)
    ]


@given(st.lists(st.integers(0, 2), max_size=9))
def test_changes(column: list[int]) -> None:
    """A row changes something when it is the first, or differs from the one before."""
    rows = [row for row in range(len(column)) if not row or column[row] != column[row - 1]]
    assert changes(np.array(column)).tolist() == rows


@given(st.lists(st.integers(0, 4), max_size=20).map(sorted), st.integers(1, 6))
def test_stretches(column: list[int], at_once: int) -> None:
    """All rows come once and in order, equal numbers are together, and only the first number makes a stretch long."""
    firsts, lasts = stretches(np.array(column, dtype=np.int32), at_once)
    parts = [column[first:last] for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    assert [number for part in parts for number in part] == column
    assert all(one[-1] < other[0] for one, other in pairwise(parts))
    assert all(len(part) - part.count(part[0]) < at_once for part in parts)
