"""What is filled into the start form comes to what the command line would come to, or is refused with a sentence."""

from argparse import Action, ArgumentParser

import pytest

from harness.load.web.form import FormError, read_fields

HOST = "http://target"


@pytest.fixture
def options() -> dict[str, Action]:
    """One of each sort."""
    parser = ArgumentParser()
    parser.add_argument("--burst-s", type=float, default=7.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--confidence", type=float, default=None)
    parser.add_argument("--build", default="")
    parser.add_argument("--arrivals", default="poisson", choices=("poisson", "constant"))
    parser.add_argument("--max", action="append", default=[])
    parser.add_argument("--no-self-test", action="store_true")
    return {action.dest: action for action in parser._actions if action.dest != "help"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("burst_s", "2.5", 2.5),
        ("burst_s", " 3 ", 3.0),
        ("seed", "7", 7),
        ("confidence", "", None),
        ("confidence", "0.9", 0.9),
        ("build", "", ""),
        ("build", " seed ", "seed"),
        ("arrivals", "constant", "constant"),
        ("no_self_test", "true", True),
        ("no_self_test", "false", False),
        ("max", "", []),
        ("max", "a=1", ["a=1"]),
        ("max", "a=1,b:inkan=2", ["a=1", "b:inkan=2"]),
        ("max", "a=1  b=2,\tc=3", ["a=1", "b=2", "c=3"]),
        ("max", "a=x,y,b=z z", ["a=x,y", "b=z z"]),
        ("max", "nonsense", ["nonsense"]),
    ],
)
def test_fields(options: dict[str, Action], name: str, text: str, value: object) -> None:
    """Each field is read by the type of its option; an empty one is no number, an empty list is empty."""
    assert read_fields({name: text}, options, HOST) == {name: value}


def test_locusts_own_fields(options: dict[str, Action]) -> None:
    """The number of users and the ramp up come under the names that the options have; the others have no effect."""
    form = {"user_count": "12", "spawn_rate": "50", "host": "http://target/", "run_time": "", "profile": "x"}
    assert read_fields(form, options, HOST) == {"num_users": 12, "spawn_rate": 50.0}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("burst_s", "long", "--burst-s: found 'long', right would be a number"),
        ("burst_s", "", "--burst-s: found '', right would be a number"),
        ("seed", "1.5", "--seed: found '1.5', right would be a whole number"),
        ("confidence", "high", "--confidence: found 'high', right would be a number"),
        ("arrivals", "never", "--arrivals: found 'never', right would be poisson or constant"),
        ("no_self_test", "perhaps", "--no-self-test: found 'perhaps', right would be true or false"),
        ("user_count", "many", "number of users: found 'many', right would be a whole number"),
        ("spawn_rate", "0", "ramp up: found 0, right would be more than 0"),
        ("spawn_rate", "nan", "ramp up: found nan, right would be more than 0"),
        ("run_time", "3m", "run time: found '3m', right would be nothing: the plan of the profile says"),
        ("host", "http://elsewhere", "host: found 'http://elsewhere', right would be http://target"),
        ("out", "/etc", "out: found '/etc', but there is no such field; give it on the command line"),
        ("web_login", "", "web_login: found '', but there is no such field"),
    ],
)
def test_refused(options: dict[str, Action], name: str, text: str, sentence: str) -> None:
    """What cannot be read, would have no effect, or has no field is refused with its name and what would be right."""
    with pytest.raises(FormError) as caught:
        read_fields({name: text}, options, HOST)
    assert str(caught.value).startswith(sentence)
