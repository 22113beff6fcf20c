"""No two live users share a group, because a mix-up between them could not be seen."""

from contextlib import ExitStack
from random import Random

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.leases import Leases, NoGroupFreeError
from harness.records import Group

GROUPS = [Group(group=f"G{number}", persons=(f"P{number}",)) for number in range(5)]


def test_never_two_at_once() -> None:
    """All groups can be on lease at once, each to one user."""
    leases = Leases(GROUPS, Random(1))
    with ExitStack() as stack:
        lent = [stack.enter_context(leases.lease()) for _ in GROUPS]
        assert sorted(group.group for group in lent) == [group.group for group in GROUPS]


def test_none_free() -> None:
    """When every group is on lease the next user is refused, and told what to do, until one comes back."""
    leases = Leases(GROUPS[:1], Random(1))
    with leases.lease() as lent:
        with pytest.raises(NoGroupFreeError, match="use fewer users"), leases.lease():
            pass
        assert lent == GROUPS[0]
    with leases.lease() as again:
        assert again == GROUPS[0]


def test_turns() -> None:
    """Who asks for a group by name gets it when it is free, in the order of asking, and nobody has it meanwhile."""
    leases = Leases(GROUPS[:2], Random(1))
    order: list[str] = []

    def user(name: str) -> None:
        with leases.turn("G0") as group:
            order.append(f"{name}: {group.group}")
            with leases.lease() as other:
                order.append(f"beside it {other.group}")
                gevent.sleep(0)

    gevent.joinall([gevent.spawn(user, name) for name in ("one", "two")], timeout=20, raise_error=True)
    assert order == ["one: G0", "beside it G1", "two: G0", "beside it G1"]


def test_a_turn_waits_for_whoever_has_the_group_by_chance() -> None:
    """A lease of any group and the turn of a particular one exclude one another."""
    leases = Leases(GROUPS[:1], Random(1))
    with leases.lease(), gevent.Timeout(0.05, False), leases.turn("G0"):
        raise AssertionError("two users have one group")
    with leases.turn("G0") as group:
        assert group == GROUPS[0]


def test_who_is_killed_in_line_leaves_it() -> None:
    """A user that is killed while it waits neither gets the group nor keeps it from the next one."""
    leases = Leases(GROUPS[:1], Random(1))

    def user() -> None:
        with leases.turn("G0"):
            raise AssertionError("it was killed before its turn")

    with leases.turn("G0"):
        waiting = gevent.spawn(user)
        gevent.sleep(0)
        waiting.kill()
    with gevent.Timeout(20), leases.turn("G0") as group:
        assert group == GROUPS[0]


def test_an_unknown_group_has_no_turn() -> None:
    """A group of another process is none of these."""
    with pytest.raises(KeyError):
        Leases(GROUPS[:1], Random(1)).turn("G4")


def test_no_groups() -> None:
    """Where nobody may apply nobody gets a lease."""
    with pytest.raises(NoGroupFreeError), Leases([], Random(1)).lease():
        pass


def test_given_back_by_whoever_fails() -> None:
    """A user who fails gives the group back."""
    leases = Leases(GROUPS[:1], Random(1))
    with pytest.raises(ZeroDivisionError), leases.lease():
        raise ZeroDivisionError
    with leases.lease() as lent:
        assert lent == GROUPS[0]


def test_longest_free_first() -> None:
    """A group rests as long as possible: all the others are lent before it is lent again."""
    leases = Leases(GROUPS, Random(1))
    order = []
    for _ in range(2 * len(GROUPS)):
        with leases.lease() as lent:
            order.append(lent.group)
    assert order[: len(GROUPS)] == order[len(GROUPS) :]
    assert len(set(order)) == len(GROUPS)


def test_seeded() -> None:
    """The order comes from the random numbers that were passed in, and from nothing else."""

    def order(seed: int) -> list[str]:
        leases = Leases(GROUPS, Random(seed))
        with ExitStack() as stack:
            return [stack.enter_context(leases.lease()).group for _ in GROUPS]

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(10)}) > 1


def test_callers_list_is_left_alone() -> None:
    """The groups that were passed in keep their order."""
    groups = list(GROUPS)
    Leases(groups, Random(1))
    assert groups == GROUPS


@given(steps=st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=40))
def test_any_course(steps: list[int | None]) -> None:
    """Whatever is lent and given back in whatever order, no group is ever with two users, and none is lost."""
    leases = Leases(GROUPS, Random(1))
    held: list[tuple[ExitStack, Group]] = []
    for step in steps:
        if step is not None and held:
            stack, _ = held.pop(step % len(held))
            stack.close()
        elif len(held) < len(GROUPS):
            stack = ExitStack()
            held.append((stack, stack.enter_context(leases.lease())))
        else:
            with pytest.raises(NoGroupFreeError), leases.lease():
                pass
        names = [group.group for _, group in held]
        assert len(set(names)) == len(names)
    for stack, _ in held:
        stack.close()
    with ExitStack() as everything:
        assert len({everything.enter_context(leases.lease()).group for _ in GROUPS}) == len(GROUPS)
