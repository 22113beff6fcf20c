"""What many sync runs take is the same whether it is told at once or one by one."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import pool
from harness.evidence.prints import Interval, Times
from harness.pool import Meetings, Pool, Taken
from harness.records import SyncRun
from harness.sweep import Served, served, served_in_order

Span = tuple[int, int]


def in_columns(spans: list[Span]) -> Interval:
    sent_ns, answered_ns = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    return Interval(sent_ns, answered_ns)


def one_by_one_of(taken: Taken) -> list[Served]:
    runs, at_ns, prints = (column.tolist() for column in taken)
    return list(zip(runs, at_ns, map(tuple, prints), strict=True))


@st.composite
def runs_(draw: st.DrawFn) -> list[SyncRun]:
    """One after the other most of the time, as sync runs are, and sometimes two at once."""
    begin_ns, made = 0, []
    for number in range(draw(st.integers(0, 14))):
        begin_ns += draw(st.sampled_from([0, 1, 5, 5, 5, 9]))
        end_ns = begin_ns + draw(st.sampled_from([0, 2, 4, 4, 20]))
        made.append(SyncRun(sync_run=f"S{number}", applied=(), begin_ns=begin_ns, end_ns=end_ns))
    return draw(st.permutations(made))


# Mostly short, for where most leave before the next run begins there is something to be told at once.
spans_ = st.lists(
    st.tuples(st.integers(0, 80), st.sampled_from([-1, 0, 3, 4, 5, 6, 30])).map(lambda one: (one[0], one[0] + one[1])),
    max_size=40,
)


@settings(max_examples=600)
@given(runs_(), spans_, st.integers(1, 2), st.integers(1, 3), st.integers(1, 3))
def test_at_once_as_one_by_one(runs: list[SyncRun], spans: list[Span], takes: int, at_once: int, beyond: int) -> None:
    """The same runs take the same prints at the same instants, in the same order."""
    prints = in_columns(spans)
    one_by_one = list(served(runs, Pool(prints.sent_ns, prints.answered_ns, takes=takes)))
    with patch.multiple(pool, _AT_ONCE=at_once, _BEYOND=beyond):
        assert one_by_one_of(Meetings(runs, prints).taken(takes)) == one_by_one


@pytest.mark.parametrize("takes", [1, 2])
def test_most_are_told_at_once(takes: int) -> None:
    """Where each run meets prints of its own none is looked at by itself, but where one does not."""
    runs = [SyncRun(sync_run=f"S{n}", applied=(), begin_ns=n * 10, end_ns=n * 10 + 5) for n in range(1000)]
    spans = [(n * 10 - 4, n * 10 + 5) for n in range(1000) for _ in range(3) if n != 500]
    looked_at = []

    def spy(begins_ns: Times, ends_ns: Times, room: Pool) -> object:
        looked_at.append(begins_ns.tolist())
        return served_in_order(begins_ns, ends_ns, room)

    with patch.object(pool, "served_in_order", spy):
        found = Meetings(runs, in_columns(spans)).taken(takes)
    assert found.run.tolist() == [*range(500), *range(501, 1000)]
    assert [some[0] for some in looked_at] == [5000]
    assert len(looked_at[0]) < 100
