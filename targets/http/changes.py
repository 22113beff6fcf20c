"""Changes of a described service: drawn, and followed until they are acknowledged; and sync runs seen from outside.

Of a service that tells nothing of its sync runs one is known by each change: it lasts from sending the change until it
is acknowledged. Where there is a choice the shorter reading is taken, so that exposures can only be undercounted: it
begins when the change was sent for the last time, and ends at the last instant at which it was surely not acknowledged.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from random import Random

from msgspec.structs import replace

from harness.records import Change, Group, SyncRun
from harness.target import Answer, Request
from targets.http.answers import Received
from targets.http.change_models import AcknowledgedTable, ChangeTable
from targets.http.models import Description
from targets.http.people import People
from targets.http.requests import make_request
from targets.http.safety import may_be_asked
from targets.http.tables import RequestTable

NEW_VERSION = 2
"""Nobody is changed more than once in a run: of a version in between nobody could learn what was right."""
_WIDTH = re.compile(r"\{number:0?(\d+)\}")
_ACKNOWLEDGED = Answer(document=b"")


class Entering:
    """The conversation about one change.

    Args:
        now_ns: the run's clock.

    Attributes:
        is_accepted: the service has taken it.
        refused_ns: when it last was not; at_work_ns: an instant at which it was surely accepted and not acknowledged.
    """

    def __init__(
        self, described: Description, table: ChangeTable, values: Mapping[str, str], now_ns: Callable[[], int]
    ) -> None:
        self.is_accepted = False
        self.refused_ns = self.at_work_ns = 0
        self._described = described
        self._table = table
        self._values = values
        self._now_ns = now_ns
        self._give_up_ns = 0

    def begin(self) -> Request:
        """The change itself; it may be sent again and again."""
        request = make_request(self._table, self._described.service.base_url, self._values)
        return replace(request, read=lambda *answer: self._read(Received(*answer), request))

    def _read(self, received: Received, request: Request) -> Answer:
        now_ns = self._now_ns()
        if not received.matches(self._table.accepted):
            self.refused_ns = now_ns
            return Answer(error=f"status {received.status}")
        self.is_accepted = True
        asked = self._table.acknowledged
        if asked is None:
            return _ACKNOWLEDGED
        self._give_up_ns = now_ns + round(asked.within_s * 1e9)
        question = self._question(asked, received, request)
        return Answer(error="nowhere to ask whether it is done") if question is None else self._ask(asked, question)

    def _question(self, asked: AcknowledgedTable, received: Received, request: Request) -> Request | None:
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-type"}
        if asked.location is None:
            table = RequestTable(method="GET", path=asked.path or "/", headers=asked.headers or {})
            made = make_request(table, self._described.service.base_url, self._values)
            return made if asked.headers is not None else replace(made, headers=headers)
        url = received.link(asked.location, request.url)
        if url is None or not may_be_asked(self._described, url):
            return None
        return Request(url=url, method="GET", headers=headers)

    def _ask(self, asked: AcknowledgedTable, question: Request) -> Answer:
        asked_ns = self._now_ns()  # it is sent later than that
        follow = replace(
            question, read=lambda *answer: self._read_question(asked, question, asked_ns, Received(*answer))
        )
        return Answer(follow=follow, after_s=asked.every_s)

    def _read_question(self, asked: AcknowledgedTable, question: Request, asked_ns: int, received: Received) -> Answer:
        if received.matches(asked):
            return _ACKNOWLEDGED
        if received.status < 500:  # else it says nothing of the change
            self.at_work_ns = asked_ns
        if self._now_ns() > self._give_up_ns:
            return Answer(unanswered="not acknowledged in time")
        return self._ask(asked, question)


class Changes:
    """All changes of one run, of the one process that makes them.

    Args:
        numbers: what is new in each change is made of these, each of which comes once.

    Attributes:
        made: group -> its change, as it is known so far.
        sync_tells_applied: the sync runs themselves tell which changes they brought in, and so acknowledge them.
    """

    def __init__(
        self,
        described: Description,
        people: People,
        *,
        numbers: Iterator[int] | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.made: dict[str, Change] = {}
        self.sync_tells_applied = False
        self._described = described
        self._people = people
        # By the clock, so that another run over the same people does not find what it is about to enter.
        self._numbers = count(time.time_ns() // 1_000_000) if numbers is None else numbers
        self._now_ns = now_ns
        self._drawn: set[str] = set()
        self._entering: dict[str, Entering] = {}
        self._ids: dict[str, tuple[str, int]] = {}
        self._told: set[str] = set()

    @property
    def most(self) -> int:
        """How many there can be."""
        return len(self._people.changeable) if self._described.changes else 0

    def is_drawn(self, group: str) -> bool:
        """Whether a change of the group is about to be sent, or was."""
        return group in self._drawn

    def draw(
        self, name: str, group: Group, kinds: Sequence[str], random: Random, secrets: Mapping[str, str]
    ) -> tuple[Change, Request] | None:
        """See `harness.target.Target.draw_change`; of no kinds any that is described."""
        known = {kind: table for kind, table in self._described.changes.items() if not kinds or kind in kinds}
        if not known or group.group in self._drawn or group.group not in self._people.changeable:
            return None
        (kind,) = random.choices(list(known), [table.weight for table in known.values()])
        person = random.choice(self._people.changeable[group.group])
        values = {
            **self._people.individuals[person].columns,
            **secrets,
            **{f"value:{one}": self._new(pattern) for one, pattern in known[kind].values.items()},
            "person": person,
            "group": group.group,
            "change": f"{name}-{next(self._numbers)}",
            "value": self._new("V{number}"),
        }
        self._drawn.add(group.group)
        self._ids[values["change"]] = group.group, NEW_VERSION
        entering = self._entering[name] = Entering(self._described, known[kind], values, self._now_ns)
        change = Change(
            change=name,
            group=group.group,
            kind=kind,
            version=NEW_VERSION,
            persons=group.persons,
            refusals=group.refusals,
            sent_ns=0,
            answers_synchronised=known[kind].acknowledged is not None or not self.sync_tells_applied,
        )
        return change, entering.begin()

    def version_of(self, change: str) -> tuple[str, int] | None:
        """(group, version) that a change makes, by the id that the service was given; None of one that is not ours."""
        return self._ids.get(change)

    def sync_runs(self, *, rest: bool) -> Iterator[SyncRun]:
        """Those that are known by their changes, each once when it is acknowledged; with `rest` all others, too."""
        for change in list(self.made.values()):
            entering = self._entering[change.change]
            if change.change in self._told or not (change.answered_ns is not None or (rest and entering.is_accepted)):
                continue
            self._told.add(change.change)
            begin_ns = max(change.sent_ns, entering.refused_ns)
            yield SyncRun(
                sync_run=f"of {change.change}",
                applied=((change.group, change.version),),
                begin_ns=begin_ns,
                acknowledged_ns=change.answered_ns,
                end_ns=max(begin_ns, self._end_ns(change, entering)),
            )

    def _end_ns(self, change: Change, entering: Entering) -> int:
        is_asked = self._described.changes[change.kind].acknowledged is not None
        return entering.at_work_ns if is_asked or change.answered_ns is None else change.answered_ns

    def _new(self, pattern: str) -> str:
        number = next(self._numbers)
        width = _WIDTH.search(pattern)
        return pattern.format(number=number if width is None else number % 10 ** int(width.group(1)))
