"""What is right for whom, and when; to the nanosecond."""

from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records import Group
from harness.register import Register, RegisterError
from tests.harness.builders import HOME, change, entry, register, sync_run

SENT_NS, ANSWERED_NS = 1000, 2000


def state_of(known: Register, version: int, sent_ns: int = SENT_NS, answered_ns: int = ANSWERED_NS) -> str:
    """Whether the version of G1 was right at some instant from sent to answered, or why not."""
    found = known.version("G1", version)
    if found is None or found.from_ns > answered_ns:
        return "unknown"
    allowed = found.allowed(sent_ns, answered_ns)
    assert (found in known.allowed_versions("G1", sent_ns, answered_ns)) == allowed
    return "allowed" if allowed else "superseded"


def test_found_by_checksum() -> None:
    """An entry is found by the checksum of its bytes, and nothing else is."""
    known = register(entry("A"))
    assert known.find(entry("A").checksum) == entry("A")
    assert known.find(entry("A", version=2).checksum) is None
    assert known.find("") is None


def test_new_once() -> None:
    """An entry is new the first time only, so that the ledger holds it once."""
    known = Register()
    assert known.add(entry("A"))
    assert not known.add(entry("A"))


def test_contradiction() -> None:
    """The same bytes as two different documents make the register useless, which is said."""
    known = register(entry("A"))
    with pytest.raises(RegisterError, match="cannot be told apart"):
        known.add(msgspec.structs.replace(entry("A"), version=2))


def test_contradiction_changes_nothing() -> None:
    """An entry that contradicts is not taken."""
    known = register(entry("A"))
    with pytest.raises(RegisterError):
        known.add(msgspec.structs.replace(entry("A"), applicants=("X",)))
    assert known.find(entry("A").checksum) == entry("A")


@given(st.permutations([(2, "right"), (2, "unknown"), (3, "unknown"), (4, "unknown"), (4, "altered")]))
def test_still_right(order: list[tuple[int, Literal["right", "unknown", "altered"]]]) -> None:
    """By which versions bytes are right, too, depends on no order, and what is known outdoes what is not."""
    known = register(entry("A"), HOME, *(change(version, sent_ns=3 + version) for version in (2, 3, 4)))
    for version, still in order:
        known.add(msgspec.structs.replace(entry("A"), version=version, still=still))
    assert known.find(entry("A").checksum) == entry("A")
    assert known.right_by(entry("A")) == [known.version("G1", 1), known.version("G1", 2)]
    assert known.perhaps_right_by(entry("A")) == [known.version("G1", 3)]
    assert known.perhaps_right_by(entry("B")) == []


def test_still_right_is_new_once() -> None:
    """So that the ledger holds it once."""
    again = msgspec.structs.replace(entry("A"), version=2, still="right")
    known = register(entry("A"))
    assert known.add(again)
    assert not known.add(again)
    assert not known.add(msgspec.structs.replace(again, still="unknown"))


def test_permitted_grows() -> None:
    """Whoever belonged to a group under some version stays permitted, and newcomers become so."""
    known = Register()
    assert known.permitted("G1") == set()
    known.add_group(HOME)
    assert known.permitted("G1") == {"A", "B"}
    known.add_change(change(2, sent_ns=10, persons=("A", "C")))
    assert known.permitted("G1") == {"A", "B", "C"}
    assert known.permitted("G2") == set()


@pytest.mark.parametrize(
    ("sent_ns", "state"),
    [
        (ANSWERED_NS - 1, "allowed"),
        (ANSWERED_NS, "allowed"),
        (ANSWERED_NS + 1, "unknown"),
    ],
)
def test_version_begins_when_its_change_is_sent(sent_ns: int, state: str) -> None:
    """A version exists from the very nanosecond in which its change was sent; before that nobody could know it."""
    known = register(change(2, sent_ns=sent_ns))
    assert state_of(known, 2) == state


@pytest.mark.parametrize(
    ("acknowledged_ns", "state"),
    [
        (SENT_NS - 1, "superseded"),
        (SENT_NS, "allowed"),
        (SENT_NS + 1, "allowed"),
    ],
)
def test_version_ends_when_a_newer_one_is_acknowledged(acknowledged_ns: int, state: str) -> None:
    """A version is right to the very nanosecond in which a newer one is acknowledged as synchronised."""
    known = register(change(2, sent_ns=10), sync_run(begin_ns=20, end_ns=acknowledged_ns, applied=[("G1", 2)]))
    assert state_of(known, 1) == state


def test_without_any_change() -> None:
    """The first version needs no change, only a group; a later one that no change makes is unknown."""
    known = Register()
    assert state_of(known, 1) == "unknown"
    known.add_group(HOME)
    assert state_of(known, 1) == "allowed"
    assert state_of(known, 2) == "unknown"


def test_own_and_older_versions_supersede_nothing() -> None:
    """A version is superseded by newer ones alone, and by those of its own group."""
    known = register(
        change(2, sent_ns=10),
        sync_run(begin_ns=20, end_ns=30, applied=[("G1", 1), ("G1", 2), ("G2", 9)]),
    )
    assert state_of(known, 2) == "allowed"
    assert state_of(known, 1) == "superseded"


@pytest.mark.parametrize(("synchronised_ns", "state"), [(SENT_NS - 1, "superseded"), (SENT_NS, "allowed")])
def test_change_that_is_acknowledged_as_synchronised(synchronised_ns: int, state: str) -> None:
    """Where the registry acknowledges no sooner than that, no sync run has to tell of it."""
    known = register(change(2, sent_ns=10, synchronised_ns=synchronised_ns))
    assert state_of(known, 1) == state
    assert set(known.synchronised_versions()) == {("G1", 2)}


def test_unacknowledged_run_supersedes_nothing() -> None:
    """As long as a sync run is not acknowledged both versions are right."""
    run = msgspec.structs.replace(sync_run(begin_ns=20, end_ns=30, applied=[("G1", 2)]), acknowledged_ns=None)
    known = register(change(2, sent_ns=10), run)
    assert state_of(known, 1) == "allowed"
    assert state_of(known, 2) == "allowed"


@pytest.mark.parametrize(("limit_ns", "state"), [(0, "superseded"), (969, "superseded"), (970, "allowed")])
def test_freshness_limit(limit_ns: int, state: str) -> None:
    """With a freshness limit a version is right for so much longer, to the very nanosecond."""
    known = Register(limit_ns)
    for record in (HOME, change(2, sent_ns=10)):
        known.add_group(record) if isinstance(record, Group) else known.add_change(record)
    known.add_sync_run(sync_run(begin_ns=20, end_ns=30, applied=[("G1", 2)]))
    assert state_of(known, 1) == state


def test_what_is_learnt_later_counts() -> None:
    """A sync run that is told of after a version was asked for ends it all the same."""
    known = register(change(2, sent_ns=10))
    assert state_of(known, 1) == "allowed"
    known.add_sync_run(sync_run(begin_ns=20, end_ns=30, applied=[("G1", 2)]))
    assert state_of(known, 1) == "superseded"
    known.add_change(change(3, sent_ns=20))
    assert state_of(known, 3) == "allowed"


def test_newest_versions() -> None:
    """The newest version is asked for of the groups that were changed."""
    known = register(change(3, sent_ns=20), change(2, sent_ns=10), change(2, sent_ns=10, group="G2"))
    assert known.newest_versions() == {"G1": 3, "G2": 2}


def test_a_change_that_is_told_again() -> None:
    """A change that is on record twice exists from when it was first sent."""
    for order in ((10, 3000), (3000, 10)):
        known = register(*(change(2, sent_ns=sent_ns) for sent_ns in order))
        assert state_of(known, 2) == "allowed"


@given(
    acknowledged=st.lists(st.tuples(st.integers(2, 5), st.integers(0, 40)), max_size=4),
    version=st.integers(1, 5),
    sent_ns=st.integers(0, 40),
    lasts_ns=st.integers(0, 10),
)
def test_against_the_definition(acknowledged: list[tuple[int, int]], version: int, sent_ns: int, lasts_ns: int) -> None:
    """A version is right exactly if at some instant of the print no newer one had been acknowledged before it."""
    known = register(
        *(change(number, sent_ns=0) for number in range(2, 6)),
        *(sync_run(f"S{i}", 0, at_ns, applied=[("G1", newer)]) for i, (newer, at_ns) in enumerate(acknowledged)),
    )
    right = any(
        all(newer <= version or at_ns >= instant for newer, at_ns in acknowledged)
        for instant in range(sent_ns, sent_ns + lasts_ns + 1)
    )
    state = state_of(known, version, sent_ns, sent_ns + lasts_ns)
    assert state == ("allowed" if right else "superseded")
