"""A run while its users are at work: what the users of one process share, and the work beside them."""

import logging
from collections.abc import Callable
from functools import cached_property
from itertools import count
from random import Random

import gevent
import msgspec

from harness.evidence.recorder import Recorder
from harness.load.arrivals import Arrivals
from harness.load.beside import every
from harness.load.clock import Clock
from harness.load.leases import Leases
from harness.load.named import Named
from harness.load.options import Setup
from harness.load.plan import Phase
from harness.run import close_recorder
from harness.target import Target

_log = logging.getLogger(__name__)
_FLUSH_S = 0.2
_WATCH_S = 0.25
_SETTLE_S = 0.02
_PLANT_S = 0.1
_PLANTED_WITHIN_S = 60.0
DRAIN_S = 0.3
"""After the end of the plan, for users to see that it is through."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one process of a run gets of it.

    Args:
        number: of the process within the run, from 0; names its applications and changes when there are several.
        parts: how many processes make the load.
        groups: positions of those that apply here and that the clerks here change. Both the same ones, because whoever
            is born into a group is known as one of it in the process that sent the change.
    """

    number: int
    parts: int
    groups: tuple[int, ...]


class ActiveRun:
    """What users ask for, and the greenlets beside them.

    Args:
        on_misissuance: called once, as soon as a misissuance is seen.
    """

    def __init__(
        self,
        setup: Setup,
        target: Target,
        recorder: Recorder,
        *,
        share: Share,
        clock: Clock,
        on_misissuance: Callable[[], None],
    ) -> None:
        self.target = target
        self.recorder = recorder
        self.plan = setup.plan
        self.random = Random(f"{setup.seed} {share.number}")
        self.now_ns = clock.now_ns
        groups = target.groups()
        own = [groups[position] for position in share.groups]
        self.applicants = Leases(own, self.random)
        # Clerks do not apply: they enter changes of people who may be printing at the same time.
        self.changed = Leases(own, self.random)
        self.prefix = f"{share.number + 1}-" if share.parts > 1 or share.number else ""  # a late one makes several
        self.next_application = count(1)
        self.next_change = count(1)
        self.cut_short = False
        self._is_ending = False
        self.arrivals = self._arrivals(setup, share)
        self._on_misissuance: Callable[[], None] | None = on_misissuance
        self._started_ns = self.now_ns()
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    def _arrivals(self, setup: Setup, share: Share) -> Arrivals | None:
        if setup.rate_per_s is None:
            return None
        random = None if setup.regular else self.random
        return Arrivals(setup.rate_per_s, self.plan.seconds, random=random, part=share.number, parts=share.parts)

    def start(self, elapsed_s: float = 0.0) -> None:
        """Begin the plan, or join one that began some time ago, and the work beside the users."""
        self._started_ns = self.now_ns() - round(elapsed_s * 1e9)
        self._repeat_every(_SETTLE_S, self.recorder.settle)
        self._repeat_every(_FLUSH_S, self.recorder.segment.flush)
        self._repeat_every(_WATCH_S, self._watch)
        planted_s = self.random.random() * (_PLANTED_WITHIN_S if self.plan.is_open else self.plan.seconds)
        self._greenlets.append(gevent.spawn_later(planted_s, self._plant_self_test))

    @property
    def elapsed_s(self) -> float:
        """Since the plan began."""
        return (self.now_ns() - self._started_ns) / 1e9

    def intended_ns(self, due_s: float) -> int:
        """A time of the plan, on this process's clock."""
        return self._started_ns + round(due_s * 1e9)

    @property
    def phase(self) -> Phase | None:
        """The phase of the plan that is on now; None when nothing more is to begin."""
        return None if self.cut_short or self._is_ending else self.plan.at(self.elapsed_s)

    def drain(self) -> None:
        """Let nothing more begin, and give users time to see it: Locust is about to kill those that do nothing."""
        self._is_ending = True
        gevent.sleep(DRAIN_S)

    @cached_property
    def named(self) -> Named:
        """Who may be named in an application, and for what."""
        return Named(self.target)

    @property
    def is_through(self) -> bool:
        """The plan is through, and so long that users have seen it."""
        return self.elapsed_s > self.plan.seconds + DRAIN_S

    def fault(self, place: str, error: Exception) -> None:
        """Count what went wrong in the harness; the run cannot pass any more."""
        text = f"{type(error).__name__} in {place}: {error}"
        if text not in self.recorder.faults:
            self.recorder.add_fault(text)
            _log.error("fault of the harness: %s", text)

    def finish(self) -> None:
        """Stop the work beside the users and close the segment.

        Raises:
            LedgerError, TargetError: see `close_recorder`.
        """
        self.stop()
        close_recorder(self.recorder, self.random, self.now_ns())

    def stop(self) -> None:
        """Stop the work beside the users."""
        self.cut_short = True
        gevent.killall(self._greenlets)

    def _watch(self) -> None:
        if self._on_misissuance is not None and self.recorder.counts.misissued:
            tell, self._on_misissuance = self._on_misissuance, None
            tell()

    def _plant_self_test(self) -> None:
        while not self.recorder.plant_self_test(self.random, self.now_ns()):
            gevent.sleep(_PLANT_S)

    def _repeat_every(self, period_s: float, work: Callable[[], None]) -> None:
        def attempt() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - counted, and the run fails closed
                if self.target.failure() == "":
                    self.fault(getattr(work, "__name__", "a listener"), error)

        self._greenlets.append(every(period_s, attempt))
