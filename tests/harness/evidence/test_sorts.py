"""Sorts of prints get the same numbers at once as one after the other."""

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from harness.evidence.sorts import SORT_BEGINS, Sorts
from harness.records import Print

HEAD = b'{"type":"print","application":"","sent_ns":0,"answered_ns":0,'
encode = msgspec.json.encode


def sort_of(applicant: str, kind: str = "juminhyo", error: str = "") -> bytes:
    line = encode(
        Print(application="", sent_ns=0, answered_ns=0, applicant=applicant, group="G", kind=kind, error=error)
    )
    return line[len(HEAD) :]


GOOD = [sort_of("A"), sort_of("B"), sort_of("A", "住民票"), sort_of('"', error="\n")]
BAD = [
    b"",
    b"}",
    GOOD[0].replace(b":", b": ", 1),
    GOOD[0][:-1],
    GOOD[0] + b" ",
    GOOD[0] + HEAD + GOOD[1],
    GOOD[0].replace(b'"A"', b'"A","attempt":1'),
    GOOD[0].replace(b'"A"', b'"\xff"'),
    SORT_BEGINS + b"1}",
]


def numbers_one_by_one(sorts: list[bytes], known: dict[bytes, int]) -> list[int]:
    """By the definition, until the first that is none; whatever is known behind it keeps its number."""
    seen = dict(known)
    for sort in sorts:
        if sort in BAD:
            break
        seen.setdefault(sort, len(seen))
    known_first = [known.get(sort, -1) for sort in sorts]
    until = next((place for place, sort in enumerate(sorts) if sort in BAD), len(sorts))
    return [seen[sort] for sort in sorts[:until]] + known_first[until:]


@given(st.lists(st.sampled_from(GOOD + BAD), max_size=6), st.lists(st.sampled_from(GOOD), max_size=3))
@example([GOOD[0] + HEAD + GOOD[1], GOOD[0][:-1]], [])
def test_numbers(sorts: list[bytes], before: list[bytes]) -> None:
    """Each sort has one number, as they are met; what is none has none, nor has anything new after it."""
    made = Sorts()
    made.numbers(before)
    known = {sort: number for number, sort in enumerate(dict.fromkeys(before))}
    assert made.numbers(sorts).tolist() == numbers_one_by_one(sorts, known)
    for number, print_ in enumerate(made.prints):
        sort = encode(print_)[len(HEAD) :]
        assert made.numbers([sort]).tolist() == [number]
