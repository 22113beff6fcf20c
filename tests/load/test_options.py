"""What is asked for on the command line is what is run, and what is not understood is refused before it starts."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from importlib import import_module
from math import inf
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from harness.criteria import Criteria, Limit
from harness.criteria_text import CriteriaError
from harness.evidence.ledger import read_run
from harness.load.plan import Phase, Plan
from harness.target import TargetError

COUNTERS = 2
Read = Callable[..., Any]


@pytest.fixture(scope="module")
def load() -> Iterator[Any]:
    """The module; Locust would patch the interpreter of all tests unless it is told not to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
        yield import_module("harness.load.options")


def make_plan(options: Namespace) -> Plan:
    """Calm, and a burst as long as was asked for."""
    burst = Phase(name="burst", seconds=options.burst_s, think_s=0, changes_per_s=2.5)
    return Plan((Phase(name="calm", seconds=4, think_s=0.5), burst))


@pytest.fixture
def read(load: Any) -> Read:
    """From the words of a command line to the setup, through Locust's own parser with all of its own options."""
    locust = import_module("locust.argument_parser")
    parser = locust.get_empty_argument_parser(add_help=False, default_config_files=[])
    locust.setup_parser_arguments(parser)
    own = [
        load.Option(name="burst-s", default=6.0, help="length of the burst"),
        load.Option(name="bursts", default=1, help="number of bursts"),
    ]
    load.add_arguments(parser, target="tests.harness.stub:StubTarget", users=40, options=own)

    def setup(*words: str) -> Any:
        options = parser.parse_args(list(words))
        return load.read_setup(options, profile="test", counters=COUNTERS, own=own, make_plan=make_plan)

    return setup


def test_defaults(read: Read) -> None:
    """Without any word the profile's own numbers hold, users apply as soon as they are free, and nobody stops early."""
    setup = read()
    assert (setup.profile, setup.target, setup.seed) == ("test", "tests.harness.stub:StubTarget", 20230430)
    assert setup.settings == {"seed": "20230430"}
    assert setup.plan.seconds == 10
    assert setup.criteria == Criteria()
    assert (setup.rate_per_s, setup.regular, setup.stop_on_misissuance, setup.directory) == (None, False, False, None)
    assert setup.parameters == {
        "users": 40,
        "target": "tests.harness.stub:StubTarget",
        "rate": "",
        "arrivals": "",
        "burst-s": 6.0,
        "bursts": 1,
    }


def test_language(read: Read) -> None:
    """`--lang` wins over the locale."""
    assert (read().language.code, read("--lang", "ja").language.code) == ("en", "ja")
    with pytest.raises(SystemExit):
        read("--lang", "fr")


def test_everything(read: Read, tmp_path: Path) -> None:
    """Each option comes to what it names, those of the profile and of the target too."""
    setup = read(
        *("--build", "seed", "--topology", "joined", "--sync", "v1", "--set", "host=::1", "--set", "a=b=c"),
        *("--seed", "7", "--out", str(tmp_path), "--users", "9", "--burst-s", "1.5", "--stop-on-misissuance"),
        *("--rate", "120/min", "--arrivals", "constant"),
    )
    assert setup.settings == {
        "build": "seed",
        "topology": "joined",
        "sync": "v1",
        "seed": "7",
        "host": "::1",
        "a": "b=c",
    }
    assert (setup.seed, setup.directory, setup.stop_on_misissuance) == (7, tmp_path, True)
    assert (setup.rate_per_s, setup.regular, setup.plan.seconds) == (2.0, True, 5.5)
    assert setup.parameters == {
        "users": 9,
        "target": "tests.harness.stub:StubTarget",
        "rate": "120/min",
        "arrivals": "constant",
        "burst-s": 1.5,
        "bursts": 1,
    }


def test_criteria(read: Read, tmp_path: Path) -> None:
    """Criteria come from the file, and single words win over it."""
    file = tmp_path / "criteria.toml"
    file.write_text("confidence = 0.9\nself_test = true\n[maximum]\nerror_share = 0.5\np95_s = 2\n")
    setup = read(
        *("--criteria", str(file), "--max", "error_share=0.1", "--max", "p99_s:inkan=3", "--min", "exposures=5"),
        *("--confidence", "0.99", "--freshness-limit", "1.5", "--no-self-test"),
    )
    assert setup.criteria == Criteria(
        confidence=0.99,
        freshness_limit_s=1.5,
        self_test=False,
        maximum=(
            Limit(metric="error_share", value=0.1),
            Limit(metric="p95_s", value=2),
            Limit(metric="p99_s", kind="inkan", value=3),
        ),
        minimum=(Limit(metric="exposures", value=5),),
    )
    assert read("--criteria", str(file)).criteria.confidence == 0.9


def test_users_of_their_own(load: Any) -> None:
    """Of a locustfile with users of its own only the time for them to finish is ours to say."""
    locust = import_module("locust.argument_parser")
    parser = locust.get_empty_argument_parser(add_help=False, default_config_files=[])
    locust.setup_parser_arguments(parser)
    load.add_arguments(parser, target="", users=None, options=())
    options = parser.parse_args([])
    assert (options.num_users, options.spawn_rate, options.stop_timeout) == (None, None, 10.0)


def test_a_rate_needs_a_length(read: Read) -> None:
    """Without a known length nobody can say how many applications a rate comes to."""
    setup = structs.replace(read("--rate", "5/s"), plan=Plan((Phase(name="load", seconds=inf, think_s=0),)))
    with pytest.raises(TargetError, match="found 5/s for a load of no known length, right is a --run-time"):
        setup.make_run()
    assert structs.replace(setup, rate_per_s=None).make_run().description.planned_s == 0.0


def test_whole_numbers(read: Read, capsys: pytest.CaptureFixture[str]) -> None:
    """A half burst is refused, where it would become none without a word."""
    assert read("--bursts", "3").parameters["bursts"] == 3
    with pytest.raises(SystemExit) as exit_:
        read("--bursts", "2.5")
    assert exit_.value.code == 2
    assert "--bursts: invalid int value: '2.5'" in capsys.readouterr().err


def test_nothing_is_left_behind(read: Read) -> None:
    """What was asked for once is not asked for again in the next run of the process."""
    read("--set", "a=1", "--max", "error_share=0.1", "--min", "exposures=5")
    setup = read()
    assert (setup.settings, setup.criteria) == ({"seed": "20230430"}, Criteria())


@pytest.mark.parametrize(
    ("words", "error", "text"),
    [
        (("--burst-s", "-1"), TargetError, "--burst-s: found -1.0, right would be 0 or more"),
        (("--burst-s", "nan"), TargetError, "--burst-s: found nan, right would be 0 or more"),
        (("--burst-s", "inf"), TargetError, "--burst-s: found inf, right would be 0 or more"),
        (("--users", "2"), TargetError, "--users: found 2, right would be more than the 2 that enter changes"),
        (("--rate", "fast"), TargetError, "--rate: found 'fast', right would be"),
        (("--set", "host"), TargetError, "--set: found 'host', right would be KEY=VALUE"),
        (("--max", "eror_share=1"), CriteriaError, "error_share"),
        (("--max", "wrong_person=1"), CriteriaError, "a misissuance always fails"),
        (("--min", "error_share=1"), CriteriaError, "--min"),
        (("--confidence", "0.4"), CriteriaError, "--confidence"),
        (("--freshness-limit", "-1"), CriteriaError, "--freshness-limit"),
        (("--freshness-limit", "nan"), CriteriaError, "--freshness-limit"),
        (("--criteria", "no/such.toml"), CriteriaError, "no/such.toml: cannot be read"),
    ],
)
def test_refused(read: Read, words: tuple[str, ...], error: type[Exception], text: str) -> None:
    """What is not understood is refused with its option, what was found and what would be right."""
    with pytest.raises(error) as caught:
        read(*words)
    assert text in str(caught.value)


@pytest.mark.parametrize(("rate", "prints"), [((), None), (("--rate", "2/s"), 20)])
def test_run(read: Read, tmp_path: Path, rate: tuple[str, ...], prints: int | None) -> None:
    """The run is described by what was asked for: criteria, plan, seed and parameters."""
    setup = read("--out", str(tmp_path / "run"), "--seed", "7", "--min", "exposures=5", *rate)
    run = setup.make_run()
    assert run.target.settings == {"seed": "7"}
    run.open()
    run.close()
    told = read_run(tmp_path / "run")
    assert (told.profile, told.seed, told.criteria) == ("test", 7, setup.criteria)
    assert (told.planned_s, told.planned_prints, told.planned_changes) == (10.0, prints, 15)
    assert told.parameters == {**setup.parameters, "settings": {"build": "stub"}}


def test_no_such_target(read: Read) -> None:
    """A target that does not exist is refused when the run is made."""
    with pytest.raises(TargetError, match="write MODULE:ATTRIBUTE"):
        read("--target", "no.such:Thing").make_run()
