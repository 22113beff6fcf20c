"""The options of a judged run on Locust's command line and in its web UI, and what they come to."""

import math
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from locust.argument_parser import LocustArgumentParser

from harness.criteria import Criteria
from harness.criteria_text import add_options, read_criteria
from harness.evidence.ledger import default_directory, free_directory
from harness.load.arrivals import planned_arrivals, read_rate
from harness.load.plan import Plan
from harness.loading import load_target
from harness.relearning import Relearning
from harness.report.language import CODES, Language, choose_language
from harness.run import JudgedRun
from harness.target import Bounded, Target, TargetError, read_assignments

_STOP_TIMEOUT_S = 10.0


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """A number that a profile lets its user choose; `name` as on the command line, without the dashes.

    It has to be a whole one where the default is.
    """

    name: str
    default: float | int
    help: str

    @property
    def key(self) -> str:
        """The attribute of the parsed options."""
        return self.name.replace("-", "_")


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """One run as it was asked for.

    Args:
        target: `module:attribute` or the path of a target.toml; settings: of the target.
        rate_per_s: of the plan of arrivals; None when users apply as soon as they are free.
        regular: arrivals come at constant intervals, not by chance.
        parameters: kept with the run.
        ends_with_locust: whoever ends Locust's test has ended the run in order, unless by a signal.
        urls: where requests go that the target does not make.
    """

    profile: str
    target: str
    settings: Mapping[str, str]
    plan: Plan
    seed: int
    criteria: Criteria
    rate_per_s: float | None
    regular: bool
    stop_on_misissuance: bool
    directory: Path | None
    language: Language
    parameters: Mapping[str, object]
    ends_with_locust: bool = False
    urls: tuple[str, ...] = ()

    def load_target(self) -> Target:
        """A new one.

        Raises:
            TargetError: when there is none by that name, or it refuses the settings or the load.
        """
        target = load_target(self.target, self.settings)
        if isinstance(target, Bounded):
            target.check_load(rate_per_s=self.rate_per_s, seconds=self.plan.seconds, urls=self.urls)
        return target

    def make_run(self) -> JudgedRun:
        """The run, not opened yet.

        Raises:
            TargetError: see `load_target`.
        """
        rate_per_s, seconds = self.rate_per_s, self.plan.seconds
        if rate_per_s is not None and self.plan.is_open:
            message = f"--rate: found {rate_per_s:g}/s for a load of no known length, right is a --run-time beside it"
            raise TargetError(message)
        target = self.load_target()
        return JudgedRun(
            target,
            self.directory or free_directory(default_directory(self.profile)),
            profile=self.profile,
            seed=self.seed,
            parameters=self.parameters,
            criteria=self.criteria,
            planned_s=0.0 if self.plan.is_open else seconds,
            planned_prints=None if rate_per_s is None else planned_arrivals(rate_per_s, seconds),
            planned_changes=int(min(self.plan.changes, most_changes(target))),
            language=self.language,
        )


def most_changes(target: Target) -> float:
    """How many changes a run can make of it; without end where it does not say."""
    return target.most_changes if isinstance(target, Relearning) else math.inf


def add_arguments(parser: LocustArgumentParser, *, target: str, users: int | None, options: Sequence[Option]) -> None:
    """Add the options of every judged run, and the profile's own, in the order in which the web UI shows their fields.

    What names a file or a module of this machine has no field: it is for whoever started the process to say.

    Args:
        users: default number of Locust users; None leaves it to Locust.
    """
    parser.set_defaults(stop_timeout=_STOP_TIMEOUT_S)
    if users is not None:
        parser.set_defaults(num_users=users, spawn_rate=100)
    # Straight to the parser: what is added through a group never shows in Locust's web UI.
    add = parser.add_argument
    for option in options:
        kind = int if isinstance(option.default, int) else float
        add(f"--{option.name}", type=kind, default=option.default, help=option.help)
    add("--seed", type=int, default=20230430, help="of everything that is drawn at random")
    add("--rate", default="", metavar="N/s", help="plan of arrivals, such as 20/s: applications whoever is free")
    add("--arrivals", default="poisson", choices=("poisson", "constant"), help="how the plan of arrivals is drawn")
    add("--stop-on-misissuance", action="store_true", help="end the run at the first misissuance")
    for name in ("build", "topology", "sync"):
        add(f"--{name}", default="", help=f"the target's setting {name}")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="any other setting of the target, as KEY=VALUE")
    add(
        "--max",
        action="append",
        default=[],
        metavar="METRIC[:KIND]=VALUE",
        help="FAIL when a metric is above it, as METRIC=VALUE",
    )
    add(
        *("--min",),
        action="append",
        default=[],
        metavar="METRIC[:KIND]=VALUE",
        help="INCONCLUSIVE when a metric is below it, as METRIC=VALUE",
    )
    add("--confidence", type=float, default=None, help="of every bound; 0.95 unless given")
    add(
        "--freshness-limit", type=float, default=None, help="seconds for which an older version may still be handed out"
    )
    add("--no-self-test", action="store_true", help="do not ask that a planted wrong image is caught")
    add(
        "--lang",
        default="",
        choices=CODES,
        help="language of what a person reads; by the locale unless given",
        include_in_web_ui=False,  # a page is in the language of its reader
    )
    add(
        "--criteria",
        default="",
        metavar="FILE",
        help="TOML file with the criteria of the gate",
        include_in_web_ui=False,
    )
    add(
        "--target",
        default=target,
        help="target.toml or MODULE:ATTRIBUTE of the system under test",
        include_in_web_ui=False,
    )
    add(
        *("--out",),
        default="",
        metavar="DIR",
        help="run directory; runs/<time>-<profile> unless given",
        include_in_web_ui=False,
    )
    add(
        *("--metrics-port",),
        type=int,
        default=None,
        metavar="N",
        help="serve /metrics and /metrics/targets for Prometheus on this port; 0 takes a free one",
        include_in_web_ui=False,
    )
    add("--metrics-host", default="127.0.0.1", help="address on which --metrics-port listens", include_in_web_ui=False)


def read_setup(
    options: Namespace,
    *,
    profile: str,
    counters: int,
    own: Sequence[Option],
    make_plan: Callable[[Namespace], Plan],
) -> Setup:
    """What the parsed options come to.

    Args:
        counters: users that enter changes.

    Raises:
        CriteriaError, TargetError: naming the option, what was found and what would be right.
    """
    wrong = [option for option in own if not 0 <= getattr(options, option.key) < float("inf")]
    if wrong:
        message = f"--{wrong[0].name}: found {getattr(options, wrong[0].key)}, right would be 0 or more"
        raise TargetError(message)
    if options.num_users is not None and options.num_users <= counters:
        message = f"--users: found {options.num_users}, right would be more than the {counters} that enter changes"
        raise TargetError(message)
    settings = {name: getattr(options, name) for name in ("build", "topology", "sync") if getattr(options, name)}
    return Setup(
        profile=profile,
        target=options.target,
        settings={"seed": str(options.seed), **read_assignments(options.set, beside=settings)},
        plan=make_plan(options),
        seed=options.seed,
        criteria=_read_criteria(options),
        rate_per_s=read_rate(options.rate),
        regular=options.arrivals == "constant",
        stop_on_misissuance=options.stop_on_misissuance,
        directory=Path(options.out) if options.out else None,
        language=_read_language(options),
        parameters={
            "users": options.num_users,
            "target": options.target,
            "rate": options.rate,
            "arrivals": options.arrivals if options.rate else "",
            **{option.name: getattr(options, option.key) for option in own},
        },
    )


def _read_language(options: Namespace) -> Language:
    try:
        return choose_language(options.lang)
    except ValueError as error:  # from the web UI; on the command line the parser has seen to it
        message = f"--lang: {error}"
        raise TargetError(message) from error


def _read_criteria(options: Namespace) -> Criteria:
    criteria = read_criteria(Path(options.criteria)) if options.criteria else Criteria()
    return add_options(
        criteria,
        maximum=options.max,
        minimum=options.min,
        confidence=options.confidence,
        freshness_limit_s=options.freshness_limit,
        self_test=False if options.no_self_test else None,
    )
