"""Who a report is about stays hidden unless somebody asks, and two persons are never taken for one."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from harness.report.masking import Masking

NAMES = st.text(min_size=1, max_size=6)


class Paper(msgspec.Struct, frozen=True):
    """Who was handed whose document."""

    recipient: str
    owners: tuple[str, ...]


@given(st.lists(NAMES))
def test_aliases_are_one_to_one(names: list[str]) -> None:
    """The same person always has the same alias, two persons never have, and aliases count up as persons appear."""
    masking = Masking()
    aliases = [masking.person(name) for name in names]
    assert dict(zip(names, aliases, strict=True)) == {
        name: f"Person {number}" for number, name in enumerate(dict.fromkeys(names), 1)
    }


def test_names_are_shown_only_when_asked_for() -> None:
    """With reveal, and only with it, a person is called by the name, in a sentence as elsewhere."""
    shown, hidden = Masking(reveal=True, people=("P1",)), Masking(people=("P1",))
    assert (shown.person("P1"), shown.text("P1 is here")) == ("P1", "P1 is here")
    assert (hidden.person("P1"), hidden.text("P1 is here")) == ("Person 1", "Person 1 is here")


def test_label() -> None:
    """The alias is in the language of the report."""
    assert Masking(label="人物{number}").persons(("A", "B", "A")) == ("人物1", "人物2", "人物1")


def test_incidents_are_numbered_first() -> None:
    """Recipients and owners have the first numbers, incident by incident, whoever is mentioned before them."""
    masking = Masking()
    masking.number_incidents([Paper("R", ("O", "Q")), Paper("O", ("S",))])
    assert masking.persons(("Z", "S", "Q", "O", "R")) == ("Person 5", "Person 4", "Person 3", "Person 2", "Person 1")


def test_sentences() -> None:
    """Whole names are found in a sentence, also those that are no words, and nothing else is replaced."""
    masking = Masking(people=("P1", "1", "<script>", "Jane Doe", "Jane Doe Roe", "山田"))
    told = masking.text("P1, P11 and Jane Doe Roe (not Jane Doe) met <script>; nonce A.P1x; 山田さん")
    assert told == "Person 1, P11 and Person 2 (not Person 3) met Person 4; nonce A.P1x; Person 5さん"


def test_whoever_has_an_alias_is_known() -> None:
    """A newborn, or a stranger who is no test person at all, is masked in sentences as in the fields of incidents."""
    masking = Masking(people=("P1",))
    masking.number_incidents([Paper("N7", ("Jane Roe",))])
    assert masking.text("N7, P1 and Jane Roe") == "Person 1, Person 3 and Person 2"


@given(st.lists(st.from_regex(r"[A-Z]{2,3}\d{2}", fullmatch=True), min_size=1, unique=True), st.data())
def test_no_name_is_left(names: list[str], data: st.DataObject) -> None:
    """However a sentence is made of names, none of them is left in it as a word of its own."""
    words = data.draw(st.lists(st.sampled_from(names), max_size=8))
    told = Masking(people=frozenset(names)).text(", ".join(words))
    assert not set(told.replace(",", " ").split()) & set(names)
    assert told.count("Person ") == len(words)
