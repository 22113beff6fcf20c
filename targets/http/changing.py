"""What changes in one run of a described service: its changes, its sync runs, and what is learnt after them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random

from harness.records import Application, Change, Group, Print, SyncRun
from harness.relearning import Relearnt
from harness.target import Request, Target
from targets.http.change_models import TimedTable
from targets.http.changes import Changes
from targets.http.golden import RightDocuments
from targets.http.models import Description
from targets.http.people import People
from targets.http.relearning import Case, ask, tell, weigh
from targets.http.sync_sources import SyncRuns

_NOT_ACKNOWLEDGED = "the change was not acknowledged as synchronised, so that nobody knows which version there is"


class Changing:
    """Of one run, in the one process that makes changes.

    Attributes:
        synchronises: whether there is anything to synchronise, or sync runs are known in another way.
    """

    def __init__(self, described: Description, people: People) -> None:
        self.changes = Changes(described, people)
        self.synchronises = bool(described.changes) or described.sync is not None
        self._described = described
        self._sync: SyncRuns | None = None
        self._acknowledged: dict[str, int] = {}
        self._asked: set[Case] = set()
        self._known: frozenset[Case] | None = None

    def begin(self, secrets: Mapping[str, str], directory: Path, tell: Callable[[tuple[str, ...], str], str]) -> None:
        """Find out how sync runs are told.

        Raises:
            TargetError: when they are not, naming the key.
        """
        if isinstance(self._described.sync, TimedTable):
            self._sync = SyncRuns(
                self._described,
                self._described.sync,
                secrets=secrets,
                directory=directory,
                version_of=self.changes.version_of,
                tell=tell,
            )
            self.changes.sync_tells_applied = self._sync.tells_applied

    def end(self) -> None:
        """Nothing more is asked; safe to call twice."""
        if self._sync is not None:
            self._sync.close()

    def draw(
        self, name: str, group: Group, kinds: Sequence[str], random: Random, secrets: Mapping[str, str]
    ) -> tuple[Change, Request] | None:
        """See `harness.target.Target.draw_change`."""
        return self.changes.draw(name, group, kinds, random, secrets)

    def note(self, change: Change) -> None:
        """See `harness.relearning.Relearning.note_change`."""
        self.changes.made[change.group] = change
        if change.answers_synchronised and change.answered_ns is not None:
            self._acknowledged.setdefault(change.group, change.answered_ns)

    def note_application(self, application: Application) -> None:
        """What may be printed after a change has to be known then."""
        if self.changes.is_drawn(application.group):
            self._asked.add(Case.of(application))

    def sync_runs(self, *, rest: bool) -> Iterable[SyncRun]:
        """See `harness.target.Target.new_sync_runs`."""
        for run in self.changes.sync_runs(rest=rest) if self._sync is None else self._sync.new(rest=rest):
            if run.acknowledged_ns is not None:
                for group, _ in run.applied:
                    self._acknowledged.setdefault(group, run.acknowledged_ns)
            yield run

    def awaits(self, print_: Print) -> bool:
        """See `harness.relearning.Relearning.awaits`.

        Once its version is known, bytes that are neither the old document nor the new one may be those of a state in
        between only as long as the change was under way.
        """
        change = self.changes.made.get(print_.group)
        if change is None or print_.answered_ns < change.sent_ns:
            return False
        if self._known is None or Case.of(print_) not in self._known:
            return True
        acknowledged_ns = self._acknowledged.get(print_.group)
        return acknowledged_ns is None or print_.sent_ns <= acknowledged_ns

    def relearn(self, target: Target, right: RightDocuments, waiting: Sequence[Print]) -> Relearnt:
        """See `harness.relearning.Relearning.relearn`."""
        made = self.changes.made
        cases = sorted(case for case in {*self._asked, *map(Case.of, waiting)} if case.group in made)
        settled = [case for case in cases if case.group in self._acknowledged]
        open_ = {case: _NOT_ACKNOWLEDGED for case in cases if case.group not in self._acknowledged}
        weighed = weigh(
            ask(target, settled),
            open_,
            right=right,
            members={group.group: group.persons for group in target.groups()},
            changes=made,
            fingerprint=target.fingerprint,
        )
        self._known = weighed.known
        return Relearnt(weighed.documents, list(tell(weighed.problems, made)))
