"""Who was in flight beside whom equals what comparing everything with everything gives."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.prints import Interval
from harness.in_flight import InFlight

Span = tuple[int, int]
"""A closed interval."""

times = st.integers(0, 25)
spans = st.tuples(times, st.integers(0, 8) | st.integers(0, 1_000)).map(lambda one: (one[0], one[0] + one[1]))
LONG_AGO, FAR_AHEAD = -(2**63), 2**63 - 1


def columns(flights: list[Span]) -> Interval:
    """Prints in flight, whose names are their rows."""
    sent_ns, answered_ns = np.array(flights, dtype=np.int64).reshape(-1, 2).T.copy()
    return Interval(sent_ns, answered_ns)


def share(one: Span, other: Span) -> bool:
    """Whether closed intervals have an instant in common."""
    return max(one[0], other[0]) <= min(one[1], other[1])


@settings(deadline=None, max_examples=300)
@given(st.lists(spans, max_size=8), st.lists(spans, max_size=3))
def test_in_flight_equals_comparing_all_with_all(prints: list[Span], asked: list[Span]) -> None:
    """In flight during an interval, or beside a print, is whatever shares an instant with it, however long it hung."""
    in_flight = InFlight(columns(prints))
    in_order = sorted(range(len(prints)), key=lambda row: (prints[row][0], row))
    intervals, rows = in_flight.during(*columns(asked))
    assert list(zip(intervals.tolist(), rows.tolist(), strict=True)) == [
        (number, row) for number, span in enumerate(asked) for row in in_order if share(prints[row], span)
    ]
    beside = in_flight.neighbours(np.arange(len(prints)))
    assert [others.tolist() for others in beside] == [
        [other for other in in_order if other != row and share(prints[other], span)] for row, span in enumerate(prints)
    ]


def test_ages() -> None:
    """A print that may have been in flight for ages was in flight beside those of the beginning and of the end."""
    prints = columns([(LONG_AGO, LONG_AGO + 1), (-(2**61), 2**61), (FAR_AHEAD - 1, FAR_AHEAD), (0, 5)])
    beside = InFlight(prints).neighbours(np.arange(4))
    assert [rows.tolist() for rows in beside] == [[], [3], [], [1]]
