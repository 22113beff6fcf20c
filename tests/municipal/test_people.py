"""Synthetic residents: repeatable, distinguishable, and nobody real."""

from collections import Counter
from datetime import date
from random import Random

import pytest

from targets.municipal import people
from targets.municipal.people import Person

SEED = 2023


@pytest.fixture(scope="module")
def residents() -> list[Person]:
    """Enough people to meet every kind of household."""
    return people.population(SEED, 1000)


def test_population_repeats_itself(residents: list[Person]) -> None:
    """The same seed gives the same people, another seed gives others."""
    assert people.population(SEED, 1000) == residents
    assert people.population(SEED + 1, 1000) != residents


def test_population_grows_at_its_end(residents: list[Person]) -> None:
    """A larger city has the smaller one of the same seed as its beginning."""
    small = people.population(SEED, 50)
    assert residents[: len(small)] == small


def test_ids_are_unique_and_ordered(residents: list[Person]) -> None:
    """Person ids count up without a gap, household ids too."""
    assert [one.person for one in residents] == [f"P{number:05d}" for number in range(1, len(residents) + 1)]
    assert list(Counter(one.household for one in residents)) == [f"H{number:05d}" for number in range(1, 1001)]


def test_household_sizes(residents: list[Person]) -> None:
    """Households have 1 to 5 persons, about 2.3 on average."""
    sizes = Counter(Counter(one.household for one in residents).values())
    assert set(sizes) == {1, 2, 3, 4, 5}
    assert 2.1 < len(residents) / 1000 < 2.5


def test_nobody_looks_like_somebody_else(residents: list[Person]) -> None:
    """No two persons share name, birth and address, nor a My Number, nor a name within a household."""
    assert len({(one.name, one.birth, one.address) for one in residents}) == len(residents)
    assert len({one.my_number for one in residents}) == len(residents)
    assert len({(one.household, one.name) for one in residents}) == len(residents)


def test_household_shares_what_it_must(residents: list[Person]) -> None:
    """Each household has one 世帯主, who comes first; address, householder and version are common to its members."""
    households: dict[str, list[Person]] = {}
    for one in residents:
        households.setdefault(one.household, []).append(one)
    for members in households.values():
        assert [one.relation == "世帯主" for one in members] == [True] + [False] * (len(members) - 1)
        assert {(one.address, one.householder, one.version) for one in members} == {
            (members[0].address, members[0].name, 1)
        }


def test_dates_are_possible(residents: list[Person]) -> None:
    """Nobody is born after the day of the count, or became a resident before birth."""
    for one in residents:
        birth = date.fromisoformat(one.birth)
        assert birth <= date.fromisoformat(one.resident_since) <= people.AS_OF
        assert one.relation == "子" or people.AS_OF.year - birth.year >= 19


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("12345678901", 8),  # 212 = 19 * 11 + 3
        ("00000000005", 1),  # 10
        ("00000000006", 0),  # 12 = 11 + 1, where the rule gives 0 and not 10
        ("00000000000", 0),  # 0, where the rule gives 0 and not 11
        ("00000100000", 4),  # the sixth digit from the right weighs 7
        ("00001000000", 9),  # the seventh weighs 2 again
    ],
)
def test_check_digit_of_the_ordinance(digits: str, expected: int) -> None:
    """The weights run 2..7 and 2..6 from the right; a remainder of 0 or 1 gives 0."""
    assert people.check_digit(digits) == expected


def test_no_my_number_is_valid(residents: list[Person]) -> None:
    """Every My Number has 12 digits and a check digit that is wrong."""
    for one in residents:
        assert len(one.my_number) == 12
        assert one.my_number.isdecimal()
        assert people.check_digit(one.my_number[:11]) != int(one.my_number[11])


def test_seals_are_for_adults(residents: list[Person]) -> None:
    """Children have no registered seal, most adults do."""
    assert not [one for one in residents if one.relation == "子" and one.seal]
    adults = [one for one in residents if one.relation != "子"]
    assert 0.75 < sum(one.seal is not None for one in adults) / len(adults) < 0.95


def test_word_lists_are_long_enough() -> None:
    """At least 20 surnames and 40 given names of each sex can be drawn, each with its kana."""
    random = Random(SEED)
    surnames = {people.draw_surname(random) for _ in range(2000)}
    assert len(surnames) >= 20
    men = {people.draw_given(random, "男") for _ in range(3000)}
    women = {people.draw_given(random, "女") for _ in range(3000)}
    assert min(len(men), len(women)) >= 40
    assert all(name and kana for name, kana in surnames | men | women)


def test_newcomer_gets_a_free_name(residents: list[Person]) -> None:
    """Who joins a household has none of the given names that are taken there, and words that can be printed."""
    random, free = Random(SEED), {"太郎", "花子"}
    taken = {people.split_name(one.name)[1] for one in residents} - free
    newcomers = [people.draw_newcomer(random, "P1", one, taken=taken) for one in residents[:40]]
    assert {people.split_name(one.name)[1] for one in newcomers} == free
    assert {one.relation for one in newcomers} == {"子", "同居人"}
    texts = [str(getattr(one, field)) for one in newcomers for field in one.__struct_fields__]
    assert set("".join(texts)) <= set(people.glyphs())


def test_glyphs_cover_records(residents: list[Person]) -> None:
    """Every character of every record, and of what a change can bring, is among the glyphs."""
    random = Random(SEED)
    drawn = [people.draw_address(random) for _ in range(2000)]
    texts = [str(getattr(one, field)) for one in residents for field in one.__struct_fields__]
    assert {one.relation for one in residents} <= set(people.RELATIONS)
    assert set("".join([*texts, *drawn, *people.RELATIONS])) <= set(people.glyphs())
