"""Run directories of any size, as a long run of two load processes would have left them.

Every two milliseconds somebody applies and is served after twenty, so about ten prints are in flight at any time. The
sync runs come one after the other and take two fifths of the time; every fifth applies a change, from which on the
household concerned gets documents of the new version. One attempt in a hundred ends in an error and is made again, and
some people are refused a kind. Where the service shows its points, somebody always waits for each of its three slots
while the one before lies in it, so that sync runs meet exposures.
"""

from bisect import bisect_right
from pathlib import Path
from random import Random

import msgspec

from harness.criteria import Criteria
from harness.evidence.ledger import LOAD_PREFIX, RUN_FILE, TARGET_SEGMENT, create_run_directory, write_json
from harness.evidence.segment import SegmentWriter
from harness.fingerprint import checksum, sha256
from harness.records import Change, Document, ErrorNotice, Group, Print, PrintEvent, Refusal, SelfTest, SyncRun
from tests.harness.builders import CLOCK, RUN, describe

_GROUPS = 400
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("juminhyo", ("household",)),
    ("juminhyo", ("my_number",)),
    ("inkan", ()),
    ("koseki", ()),
    ("zei", ()),
)
_REFUSED_KIND = "inkan"
_LOADS = f"{LOAD_PREFIX}1", f"{LOAD_PREFIX}2"
_START_NS = 10**12
_SPACING_NS = 2_000_000
_TAKES_NS = 20_000_000
_PAUSE_NS = 5_000_000
_JITTER_NS = 200_000
_ERROR_SHARE = 0.01
_SYNC_SHARE = 0.4
_RUNS_A_CHANGE = 5
_SIZE_BYTES = 60 * 1024
_SLOTS = "1", "2", "3"
_READ_NS = 14_000_000
# A slot serves somebody every 6 ms: who waits for it from 3 to 9 ms meets the one before, who is read back at 8 ms.
_POINTS = (
    ("applied", 500_000),
    ("rendered", 2_000_000),
    ("waiting", 3_000_000),
    ("staged", 9_000_000),
    ("written", 10_000_000),
    ("read", _READ_NS),
    ("delivered", 16_000_000),
)
_POINTS_UNTIL_ERROR = 3
_POINTS_UNTIL_REFUSAL = 1


class Written(msgspec.Struct, kw_only=True):
    """How much a ledger holds, self-tests not counted: attempts by how they ended, wrong ones among the documents."""

    documents: int = 0
    refusals: int = 0
    errors: int = 0
    wrong: int = 0
    events: int = 0
    changes: int = 0

    @property
    def attempts(self) -> int:
        """All of them."""
        return self.documents + self.refusals + self.errors


def write_ledger(
    directory: Path, *, prints: int, sync_runs: int, shows_points: bool, wrong: int = 0, seed: int = 20230430
) -> Written:
    """Write a run directory whose verdict is PASS, or FAIL where somebody was handed a stranger's document.

    Args:
        prints: attempts, re-applications included.
        wrong: how many of them bring a stranger's document, evenly spread.
    """
    create_run_directory(directory)
    author = _Author(directory, prints, sync_runs, Random(seed), shows_points=shows_points)
    author.write(wrong)
    run = describe(
        segments=(TARGET_SEGMENT, *_LOADS),
        criteria=Criteria(),
        started_ns=_START_NS,
        planned_s=prints * _SPACING_NS / 1e9,
        planned_changes=author.written.changes,
        shows_points=shows_points,
        seed=seed,
    )
    write_json(directory / RUN_FILE, run)
    return author.written


class _Author:
    """Writes the three segments side by side, in the order of time."""

    def __init__(self, directory: Path, prints: int, sync_runs: int, random: Random, *, shows_points: bool) -> None:
        self.written = Written()
        self._prints, self._sync_runs = prints, sync_runs
        self._random = random
        self._shows_points = shows_points
        self._target, *self._loads = (
            SegmentWriter(directory, segment, run=RUN, clock=CLOCK) for segment in (TARGET_SEGMENT, *_LOADS)
        )
        self._groups = [_group(number, random) for number in range(_GROUPS)]
        self._applied_ns: list[list[int]] = [[] for _ in self._groups]
        self._checksums: dict[tuple[int, str, int, int], str] = {}
        self._notices: list[ErrorNotice] = []

    def write(self, wrong: int) -> None:
        for load in self._loads:
            for group in self._groups:
                load.write(group)
        for number in range(self._sync_runs):
            self._target.write(self._sync_run(number))
        wrong_every = self._prints // (wrong + 1)
        application = 0
        while self.written.attempts < self._prints:
            strays = self.written.wrong < wrong and self.written.attempts >= (self.written.wrong + 1) * wrong_every
            self._apply(application, strays=strays)
            application += 1
        for notice in self._notices:
            self._target.write(notice)
        for load in self._loads:
            self._plant(load)
        for segment in (self._target, *self._loads):
            segment.close()

    def _sync_run(self, number: int) -> SyncRun:
        period_ns = self._prints * _SPACING_NS // self._sync_runs
        begin_ns = _START_NS + number * period_ns
        length_ns = round(_SYNC_SHARE * period_ns)
        applied_ns = begin_ns + length_ns // 2
        applied = () if number % _RUNS_A_CHANGE else (self._change(number // _RUNS_A_CHANGE, begin_ns, applied_ns),)
        return SyncRun(
            sync_run=f"S{number + 1}",
            applied=applied,
            begin_ns=begin_ns,
            applied_ns=applied_ns,
            released_ns=begin_ns + length_ns * 3 // 4,
            acknowledged_ns=begin_ns + length_ns,
            end_ns=begin_ns + length_ns,
        )

    def _change(self, number: int, begin_ns: int, applied_ns: int) -> tuple[str, int]:
        """Enter a change, told once when it is sent and once when it is acknowledged, and say what version it makes."""
        place = self._random.randrange(_GROUPS)
        group = self._groups[place]
        self._applied_ns[place].append(applied_ns)
        sent = Change(
            change=f"C{number + 1}",
            group=group.group,
            kind="relocate",
            version=len(self._applied_ns[place]) + 1,
            persons=group.persons,
            refusals=group.refusals,
            sent_ns=begin_ns - 2 * _JITTER_NS,
        )
        load = self._loads[number % 2]
        load.write(sent)
        load.write(msgspec.structs.replace(sent, answered_ns=begin_ns - _JITTER_NS))
        self.written.changes += 1
        return group.group, sent.version

    def _apply(self, number: int, *, strays: bool) -> None:
        """One application, and its re-application where it ends in an error."""
        random = self._random.random
        # As with leases, the group that was free for longest is next, and each process has groups of its own.
        place = number % _GROUPS
        group = self._groups[place]
        applicant = group.persons[int(random() * len(group.persons))]
        kind = int(random() * len(_KINDS))
        sent_ns = _START_NS + number * _SPACING_NS + int(random() * _JITTER_NS)
        fails = not strays and random() < _ERROR_SHARE and self.written.attempts + 2 <= self._prints
        load = self._loads[number % 2]
        for attempt in (1, 2) if fails else (1,):
            answered_ns = sent_ns + _TAKES_NS + int(random() * _JITTER_NS)
            owner_place, owner, owner_kind = place, applicant, kind
            if strays:
                owner_place = (place + 1) % _GROUPS
                owner, owner_kind = self._groups[owner_place].persons[0], 0
                self.written.wrong += 1
            answer, error, found, points = "document", "", "", len(_POINTS)
            if fails and attempt == 1:
                answer, error, points = "error", "no image", _POINTS_UNTIL_ERROR
                self.written.errors += 1
            elif not strays and any(refusal.covers(applicant, *_KINDS[kind]) for refusal in group.refusals):
                answer, error, points = "refused", "abolished", _POINTS_UNTIL_REFUSAL
                self.written.refusals += 1
            else:
                found = self._document(load, owner_place, owner, owner_kind, sent_ns + _READ_NS)
                self.written.documents += 1
            print_ = Print(
                application=f"A{number % 2 + 1}-{number + 1}",
                attempt=attempt,
                applicant=applicant,
                group=group.group,
                kind=_KINDS[kind][0],
                options=_KINDS[kind][1],
                sent_ns=sent_ns,
                answered_ns=answered_ns,
                answer=answer,  # type: ignore[arg-type] # one of three
                error=error,
                checksum=found,
                size_bytes=_SIZE_BYTES if found else 0,
            )
            load.issued += 1
            load.write(print_)
            if answer == "error":
                self._notices.append(ErrorNotice(nonce=print_.nonce, code="no image", at_ns=answered_ns))
            if self._shows_points:
                self._reach(print_, points, _SLOTS[number % 3])
            sent_ns = answered_ns + _PAUSE_NS

    def _reach(self, print_: Print, points: int, slot: str) -> None:
        nonce, sent_ns = print_.nonce, print_.sent_ns
        for point, after_ns in _POINTS[:points]:
            self._target.write(PrintEvent(nonce=nonce, point=point, at_ns=sent_ns + after_ns, slot=slot))
        self.written.events += points

    def _document(self, load: SegmentWriter, place: int, owner: str, kind: int, read_ns: int) -> str:
        """Checksum of the one that the service would read back then; its register entry is written on first sight."""
        name, options = _KINDS[kind]
        version = 1 + bisect_right(self._applied_ns[place], read_ns)
        group = self._groups[place]
        persons = group.persons if "household" in options else (owner,)
        key = place, persons[0], kind, version
        found = self._checksums.get(key)
        if found is None:
            data = f"{name} {options} of {persons} as of {version}".encode()
            found = self._checksums[key] = checksum(data)
            load.write(
                Document(
                    persons=persons,
                    applicants=persons,
                    group=group.group,
                    kind=name,
                    options=options,
                    version=version,
                    checksum=found,
                    sha256=sha256(data),
                )
            )
        return found

    def _plant(self, load: SegmentWriter) -> None:
        """The self-test of a load process: somebody else's document, which was never asked of the target."""
        application = f"self-test-{load.segment}"
        stranger, owner = self._groups[0], self._groups[1]
        load.write(SelfTest(application=application))
        at_ns = _START_NS + self._prints * _SPACING_NS
        load.write(
            Print(
                application=application,
                applicant=stranger.persons[0],
                group=stranger.group,
                kind=_KINDS[0][0],
                options=_KINDS[0][1],
                sent_ns=at_ns,
                answered_ns=at_ns,
                checksum=self._document(load, 1, owner.persons[0], 0, at_ns),
                size_bytes=_SIZE_BYTES,
            )
        )


def _group(number: int, random: Random) -> Group:
    """A household of one to four; in some the first person's seal is abolished."""
    persons = tuple(f"P{number * 4 + place:05d}" for place in range(random.randint(1, 4)))
    refusals = () if number % 20 else (Refusal(applicant=persons[0], kind=_REFUSED_KIND, reason="abolished"),)
    return Group(group=f"H{number:04d}", persons=persons, refusals=refusals)
