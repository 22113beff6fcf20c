"""The necessity matrix: is a misissuance possible exactly where all conditions of a claim hold?

Every combination of the conditions is deployed and run by itself. Overlap is forced, not hoped for: prints are sent,
the target is asked to say when they are where they are wanted, and only then a change is entered. Each cell is a judged
run with a run directory of its own, so each can be checked again with `misissue gate`.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from pathlib import Path
from random import Random
from typing import Literal, Protocol, cast

import msgspec
import numpy as np

from harness.bound import upper_bound
from harness.criteria import Criteria
from harness.evidence.events import Events
from harness.evidence.ledger import write_json
from harness.evidence.prints import Interval
from harness.evidence.recorder import Recorder
from harness.evidence.target_evidence import Told
from harness.exchange import Exchange, attempt, converse
from harness.loading import load_target
from harness.overlap import exposures, runs_met
from harness.pool import Meetings
from harness.reason import EVIDENCE_CODES
from harness.records import Application, Group, Record
from harness.run import JudgedRun
from harness.target import Target, TargetError
from harness.verdict import EXIT_CODES, EXIT_DIED, Verdict

MATRIX_FILE = "matrix.json"
_ROUNDS_AT_MOST = 4  # times the wanted number of exposures
_ATTEMPTS = 3
_SYNC_LIMIT_S = 5.0
_SYNC_POLL_S = 0.02
_WATCH_S = 0.25
_CONFIDENCE = 0.95


class PointedTarget(Target, Protocol):
    """A target that can tell when prints have reached named points."""

    def await_points(self, wanted: Mapping[str, int]) -> None:
        """Return once some slot has at least the wanted number of prints at each point.

        Raises:
            TargetError: when that did not happen in a long time.
        """


class Condition(Record, frozen=True, kw_only=True):
    """A condition that a setting of the target makes true or false."""

    name: str
    absent: Mapping[str, str]
    present: Mapping[str, str]


class Experiment(Record, frozen=True, kw_only=True):
    """A claim: misissuance only where every condition holds and at least `together` prints come at once.

    Args:
        settings: of the target in every cell.
        change_kinds: kinds of the changes that make the sync runs.
    """

    target: str
    settings: Mapping[str, str]
    conditions: tuple[Condition, ...]
    together: int
    change_kinds: tuple[str, ...]


class Cell(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What came of one combination.

    Args:
        conditions: name -> whether it held; `prints_at_once` is how many prints came together.
        prints: documents that were judged.
        unit: what `n` counts: exposures or, where prints come one by one, sync runs that met a print.
        misissuances: misissued prints; events: units in which there was one.
        upper: 95 % bound on the chance of a misissuance in one unit.
        complaint: why the cell's evidence cannot carry a claim; empty when it can.
    """

    conditions: Mapping[str, bool]
    prints_at_once: int
    expected: bool
    prints: int
    unit: Literal["exposure", "sync run met"]
    n: int
    misissuances: int
    events: int
    upper: float
    complaint: str
    directory: str


class Matrix(Record, frozen=True, kw_only=True, omit_defaults=False):
    """All cells and the exit code: 0 when the misissuances are exactly where they are claimed to be."""

    exit_code: int
    wanted: int
    seed: int
    cells: tuple[Cell, ...]


def run_matrix(
    experiment: Experiment, directory: Path, *, wanted: int, seed: int, show: Callable[[Cell], None]
) -> Matrix:
    """Run every cell and write matrix.json.

    Args:
        wanted: exposures (or sync runs met) in each cell.
        show: called with each cell as it is done.

    Raises:
        LedgerError: when the directory cannot be used.
        TargetError: when a deployment cannot be started, or tells no points.
    """
    cells = []
    for held, at_once in _combinations(experiment):
        cell = _run_cell(experiment, held, at_once, directory, wanted=wanted, seed=seed)
        show(cell)
        cells.append(cell)
    matrix = Matrix(exit_code=decide_matrix(cells, wanted), wanted=wanted, seed=seed, cells=tuple(cells))
    write_json(directory / MATRIX_FILE, matrix)
    return matrix


def decide_matrix(cells: list[Cell], wanted: int) -> int:
    """The exit code: 1 where a misissuance is where none may be, or none where it must be; else 3 for doubt; else 0."""
    refuted = any(
        (cell.misissuances and not cell.expected)
        or (cell.expected and not cell.misissuances and cell.n >= wanted and not cell.complaint)
        for cell in cells
    )
    if refuted:
        return EXIT_CODES["FAIL"]
    if any("died" in cell.complaint for cell in cells):
        return EXIT_DIED
    doubtful = any(cell.complaint or cell.n < wanted for cell in cells)
    return EXIT_CODES["INCONCLUSIVE" if doubtful else "PASS"]


def _combinations(experiment: Experiment) -> Iterator[tuple[tuple[bool, ...], int]]:
    for *held, many in itertools.product((False, True), repeat=len(experiment.conditions) + 1):
        yield tuple(held), experiment.together if many else 1


def _run_cell(
    experiment: Experiment, held: tuple[bool, ...], at_once: int, directory: Path, *, wanted: int, seed: int
) -> Cell:
    settings = {"seed": str(seed), **experiment.settings}
    for condition, holds in zip(experiment.conditions, held, strict=True):
        settings |= condition.present if holds else condition.absent
    names = [
        f"{'' if holds else 'no-'}{condition.name}"
        for condition, holds in zip(experiment.conditions, held, strict=True)
    ]
    target = load_target(experiment.target, settings)
    if not hasattr(target, "await_points"):
        raise TargetError(f"the target {experiment.target} has no await_points, right is one that tells its points")
    run = JudgedRun(
        target,
        directory / "-".join((*names, str(at_once))),
        profile="matrix",
        seed=seed,
        parameters={"prints_at_once": at_once, "wanted": wanted, **settings},
        criteria=Criteria(confidence=_CONFIDENCE),
        planned_s=0.0,
    )
    run.open()
    try:
        recorder = run.open_recorder()
        _provoke(run, recorder, experiment, at_once, wanted=wanted, random=Random(seed))
    except TargetError as error:
        run.add_fault(str(error))
    except BaseException:
        run.close("interrupted")
        raise
    verdict = run.close()
    n = verdict.exposures if at_once > 1 else verdict.sync_runs_met
    hit = len({incident.sync_run or incident.nonce for incident in verdict.incidents})
    return Cell(
        conditions={condition.name: holds for condition, holds in zip(experiment.conditions, held, strict=True)},
        prints_at_once=at_once,
        expected=all(held) and at_once > 1,
        prints=verdict.prints_judged,
        unit="exposure" if at_once > 1 else "sync run met",
        n=n,
        misissuances=len(verdict.incidents),
        events=min(hit, n),
        upper=upper_bound(min(hit, n), n, _CONFIDENCE),
        complaint=_complaint(run, verdict),
        directory=str(run.directory),
    )


def _complaint(run: JudgedRun, verdict: Verdict) -> str:
    if run.died:
        return run.died
    unsound = [reason for reason in verdict.reasons if reason.code in EVIDENCE_CODES]
    if unsound:
        return unsound[0].text
    return f"{verdict.outcomes['undecided']} prints undecided" if verdict.outcomes["undecided"] else ""


def _provoke(
    run: JudgedRun, recorder: Recorder, experiment: Experiment, at_once: int, *, wanted: int, random: Random
) -> None:
    """Rounds of prints with a change in the midst of them, until the cell has what it needs or goes nowhere."""
    target = cast("PointedTarget", run.target)
    groups = list(target.groups())
    if len(groups) <= at_once:
        raise TargetError(f"found {len(groups)} groups of people, right are more than the {at_once} that print at once")
    flights: list[tuple[int, int]] = []
    told = Told([], [], [])
    pool = ThreadPoolExecutor(at_once)
    try:
        for number in range(1, wanted * _ROUNDS_AT_MOST + 1):
            *applying, changed = random.sample(groups, at_once + 1)
            applications = [
                target.draw_application(f"A{number}-{position}", group, random)
                for position, group in enumerate(applying, 1)
            ]
            recorder.segment.issued += at_once
            attempts = [pool.submit(attempt, target, application) for application in applications]
            target.await_points({"written": 1, **({"waiting": at_once - 1} if at_once > 1 else {})})
            _enter_change(target, recorder, experiment, f"C{number}", changed, random)
            for application, sent in zip(applications, attempts, strict=True):
                done = _ended(run, sent)
                recorder.record(application, done.sent_ns, done.answered_ns, done.answer)
                if not done.answer.unanswered:  # else it may never have reached the service
                    flights.append((done.sent_ns, done.answered_ns))
                if done.answer.calls_for_reapplication:
                    _reapply(run, pool, recorder, application)
            recorder.settle()
            recorder.segment.flush()
            if not run.check_target():
                raise TargetError(run.died)
            _listen(run, told)
            if number >= wanted and _reached(told, flights, at_once) >= wanted:
                return
    finally:
        pool.shutdown(wait=False)  # who is still without an answer gets none before the target is closed


def _ended(run: JudgedRun, sent: "Future[Exchange]") -> Exchange:
    """What came of an attempt, which has no time-out: a service of which something died may never answer it."""
    while not wait_for([sent], _WATCH_S).done:
        if not run.check_target():
            raise TargetError(run.died)
    return sent.result()


def _listen(run: JudgedRun, told: Told) -> None:
    """Until the change of the round has been synchronised, for its sync run to be told as a whole."""
    give_up_s = time.monotonic() + _SYNC_LIMIT_S
    while True:
        new = run.pull()
        told.sync_runs.extend(new.sync_runs)
        told.events.extend(new.events)
        if run.is_synchronised or time.monotonic() > give_up_s or not run.check_target():
            return
        time.sleep(_SYNC_POLL_S)


def _reached(told: Told, flights: list[tuple[int, int]], at_once: int) -> int:
    if at_once > 1:
        return len(exposures(told.sync_runs, Events.of(told.events)))
    return runs_met(Meetings(told.sync_runs, Interval(*np.array(flights, dtype=np.int64).reshape(-1, 2).T)))


def _reapply(run: JudgedRun, pool: ThreadPoolExecutor, recorder: Recorder, application: Application) -> None:
    """One by one, so that a re-application meets nobody."""
    for number in range(2, _ATTEMPTS + 1):
        again = msgspec.structs.replace(application, attempt=number)
        recorder.segment.issued += 1
        done = _ended(run, pool.submit(attempt, run.target, again))
        recorder.record(again, done.sent_ns, done.answered_ns, done.answer)
        if not done.answer.calls_for_reapplication:
            return


def _enter_change(
    target: Target, recorder: Recorder, experiment: Experiment, name: str, group: Group, random: Random
) -> None:
    drawn = target.draw_change(name, group, experiment.change_kinds, random)
    if drawn is None:
        raise TargetError(f"change {name}: nothing of group {group.group} is left to change; right are more groups")
    change, request = drawn
    change = msgspec.structs.replace(change, sent_ns=time.monotonic_ns())
    recorder.add_change(change)
    answer = converse(target, request).answer
    if answer.document is None:
        told = answer.error or answer.refused or answer.unanswered or answer.nothing
        message = f"change {name} was not acknowledged: {told}"
        raise TargetError(message)
    recorder.add_change(msgspec.structs.replace(change, answered_ns=time.monotonic_ns()))
