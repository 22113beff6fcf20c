"""What happened around one incident, step by step, as its evidence tells it. Pure.

Two prints take part: A, whose applicant was handed a misissued document, and, where one is known, B, for which that
document was made. Every step says in which lane it happens and on whose record it is. Times are nanoseconds since A's
application was sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import accumulate
from typing import Literal

from msgspec.structs import replace

from harness.evidence.events import Reached
from harness.records import ErrorNotice, Print, Record, SyncRun

Who = Literal["a", "b", ""]
What = Literal["in_flight", "waits", "in_stage", "holds", "at_work", "releases"]


class Lane(StrEnum):
    """Where a step happens, from the people down to the data."""

    KIOSK_A = "kiosk_a"
    KIOSK_B = "kiosk_b"
    CENTER = "center"
    STAGE = "stage"
    IMAGE = "image"
    SYNC_RUN = "sync_run"


_LANES = {lane: number for number, lane in enumerate(Lane)}
_KIOSKS: Mapping[Who, Lane] = {"a": Lane.KIOSK_A, "b": Lane.KIOSK_B}
_POINTS: Mapping[str, tuple[Lane, bool, str]] = {
    "applied": (Lane.CENTER, False, "applied"),
    "rendered": (Lane.STAGE, False, "rendered"),
    "waiting": (Lane.STAGE, True, "waiting"),
    "staged": (Lane.STAGE, True, "staged"),
    "written": (Lane.IMAGE, True, "written"),
    "read": (Lane.IMAGE, True, "read"),
    "delivered": (Lane.CENTER, False, "delivered"),
}
"""Named points whose meaning is known: lane, whether it is a key step, and its text."""
_OF_AN_OVERWRITING: Mapping[tuple[Who, str], str] = {
    ("a", "read"): "read_wrong",
    ("b", "staged"): "let_on",
    ("b", "written"): "overwritten",
    ("b", "read"): "read_after",
}
"""What these points come to where B's image took the place of A's."""


class Step(Record, frozen=True, kw_only=True):
    """Something that happened at one instant.

    Args:
        what: the text `timeline.<what>` says it, with the values.
        who: the print that it is a step of; empty for a sync run.
        source: where it is on record: the segment of a load process, or "points", "sync_runs" or "notices" of the
            service.
        is_key: one of those that explain the misissuance.
    """

    at_ns: int
    lane: Lane
    what: str
    who: Who
    source: str
    values: Mapping[str, str] = {}
    is_key: bool = False


class Span(Record, frozen=True, kw_only=True):
    """Something that lasted: a print in flight, waiting or in the stage; an image in the file; a sync run at work."""

    lane: Lane
    what: What
    who: Who
    begin_ns: int
    end_ns: int


class Party(Record, frozen=True, kw_only=True):
    """Whose print it is, and what that person applied for."""

    nonce: str
    person: str
    kind: str
    options: tuple[str, ...] = ()


class Timeline(Record, frozen=True, kw_only=True):
    """The steps in the order of time, and what lasted between them.

    Args:
        a: who was handed the document; b: for whom it was made, None where that is not known.
        slot: whose stage and image file both used; empty where the service tells none.
        overwritten_ns: when B's image took the place of A's; read_ns: when A's print read the file.
    """

    a: Party
    b: Party | None = None
    slot: str = ""
    steps: tuple[Step, ...]
    spans: tuple[Span, ...]
    overwritten_ns: int | None = None
    read_ns: int | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The number of each step: the key steps count up from 1, the others have 0."""
        counted = accumulate(int(step.is_key) for step in self.steps)
        return tuple(number if step.is_key else 0 for number, step in zip(counted, self.steps, strict=True))

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Those in which something happened, from top to bottom."""
        used = {step.lane for step in self.steps} | {span.lane for span in self.spans}
        return tuple(lane for lane in Lane if lane in used)


class Side(Record, frozen=True, kw_only=True):
    """What is on record of one of the two prints.

    Args:
        segment: of the load process that sent it.
        points: when it reached the named points of the service, by their names.
        notice: that the service raised for it.
        later: attempts of the same application after it.
    """

    print_: Print
    segment: str
    points: Mapping[str, Reached] = {}
    notice: ErrorNotice | None = None
    later: tuple[Print, ...] = ()


def timeline_of(a: Side, b: Side | None, sync_runs: Sequence[SyncRun], slot_names: Sequence[str]) -> Timeline:
    """The timeline of one incident.

    Args:
        sync_runs: those that had to do with it.
        slot_names: by the number of the slot.
    """
    origin_ns = a.print_.sent_ns
    overwritten_ns = _overwriting(a, b)
    read = a.points.get("read")
    meaning = _OF_AN_OVERWRITING if overwritten_ns is not None else {}
    if b is not None and not _is_let_on(a, b):
        meaning = {key: what for key, what in meaning.items() if what != "let_on"}
    steps = [*_at_the_kiosk("a", a), *_in_the_service("a", a, meaning)]
    spans = [*_lasting("a", a, until_ns=overwritten_ns)]
    if b is not None:
        steps += [*_at_the_kiosk("b", b), *_in_the_service("b", b, meaning)]
        spans += _lasting("b", b, until_ns=None if overwritten_ns is None or read is None else read.at_ns)
    for run in sync_runs:
        steps += _of_sync_run(run)
        spans += _work_of_sync_run(run)
    slots = {reached.slot for side in (a, b) if side is not None for reached in side.points.values()} - {-1}
    return Timeline(
        a=_party(a.print_),
        b=_party(b.print_) if b is not None else None,
        slot=slot_names[min(slots)] if len(slots) == 1 else "",
        steps=tuple(replace(step, at_ns=step.at_ns - origin_ns) for step in sorted(steps, key=_order)),
        spans=tuple(
            replace(span, begin_ns=span.begin_ns - origin_ns, end_ns=span.end_ns - origin_ns) for span in spans
        ),
        overwritten_ns=None if overwritten_ns is None else overwritten_ns - origin_ns,
        read_ns=None if read is None else read.at_ns - origin_ns,
    )


def sync_runs_of(charged: str, a: Side, b: Side | None, sync_runs: Sequence[SyncRun]) -> tuple[SyncRun, ...]:
    """The sync run that the incident is charged to, and the one whose release can have let B on to the stage.

    That is the last one that had applied its changes, and so could begin to release, when B was let on.

    Args:
        charged: name of the former; empty where there is none.
    """
    let_on = b.points.get("staged") if b is not None else None
    waiting = b.points.get("waiting") if b is not None else None
    found = {run.sync_run: run for run in sync_runs if run.sync_run == charged}
    if let_on is not None and waiting is not None:
        releasing = [
            run
            for run in sync_runs
            if run.applied_ns is not None
            and run.applied_ns <= let_on.at_ns
            and run.work_end_ns >= max(waiting.at_ns, a.print_.sent_ns)
        ]
        if releasing:
            last = max(releasing, key=lambda run: (run.applied_ns or 0, run.sync_run))
            found[last.sync_run] = last
    return tuple(sorted(found.values(), key=lambda run: (run.begin_ns, run.sync_run)))


def _party(print_: Print) -> Party:
    return Party(nonce=print_.nonce, person=print_.applicant, kind=print_.kind, options=print_.options)


def _overwriting(a: Side, b: Side | None) -> int | None:
    """When B wrote over the image that A had written and not read yet; None where that is not on record."""
    if b is None or not {"written", "read"} <= a.points.keys() or "written" not in b.points:
        return None
    written, read, over = a.points["written"], a.points["read"], b.points["written"]
    return over.at_ns if over.slot == read.slot and written.at_ns <= over.at_ns <= read.at_ns else None


def _at_the_kiosk(who: Who, side: Side) -> Iterator[Step]:
    print_, lane = side.print_, _KIOSKS[who]

    def step(at_ns: int, what: str, **values: str) -> Step:
        return Step(at_ns=at_ns, lane=lane, what=what, who=who, source=side.segment, values=values, is_key=True)

    yield step(print_.sent_ns, "sent", nonce=print_.nonce)
    handed = "handed" if who == "a" and print_.answer == "document" else f"answered_{print_.answer}"
    yield step(print_.answered_ns, handed, error=print_.error)
    for again in side.later:
        yield step(again.sent_ns, "sent_again", nonce=again.nonce)
        yield step(again.answered_ns, f"again_{again.answer}", error=again.error)
    if side.notice is not None:
        yield Step(
            at_ns=side.notice.at_ns,
            lane=Lane.CENTER,
            what="notice",
            who=who,
            source="notices",
            values={"code": side.notice.code},
            is_key=True,
        )


def _is_let_on(a: Side, b: Side) -> bool:
    """Whether B entered the stage while A was there."""
    if not {"staged", "read"} <= a.points.keys() or "staged" not in b.points:
        return False
    return a.points["staged"].at_ns <= b.points["staged"].at_ns <= a.points["read"].at_ns


def _in_the_service(who: Who, side: Side, meaning: Mapping[tuple[Who, str], str]) -> Iterator[Step]:
    """The points that it reached.

    Args:
        meaning: what a point of one of the two comes to in this incident, where that is not what it says by itself.
    """
    for point, reached in side.points.items():
        lane, is_key, what = _POINTS.get(point, (Lane.STAGE, False, "point"))
        what = meaning.get((who, point), what)
        yield Step(
            at_ns=reached.at_ns, lane=lane, what=what, who=who, source="points", values={"point": point}, is_key=is_key
        )


def _lasting(who: Who, side: Side, *, until_ns: int | None) -> Iterator[Span]:
    """What its points and answers bound.

    Args:
        until_ns: when its image was gone from the file, where that is known.
    """
    print_, at_ns = side.print_, {point: reached.at_ns for point, reached in side.points.items()}

    def span(lane: Lane, what: What, begin_ns: int, end_ns: int) -> Span:
        return Span(lane=lane, what=what, who=who, begin_ns=begin_ns, end_ns=max(begin_ns, end_ns))

    for attempt in (print_, *side.later):
        yield span(_KIOSKS[who], "in_flight", attempt.sent_ns, attempt.answered_ns)
    last_ns = at_ns.get("read", print_.answered_ns)
    if "waiting" in at_ns:
        yield span(Lane.STAGE, "waits", at_ns["waiting"], at_ns.get("staged", last_ns))
    if "staged" in at_ns:
        yield span(Lane.STAGE, "in_stage", at_ns["staged"], at_ns.get("delivered", last_ns))
    if "written" in at_ns:
        yield span(Lane.IMAGE, "holds", at_ns["written"], last_ns if until_ns is None else until_ns)


def _of_sync_run(run: SyncRun) -> Iterator[Step]:
    points = (
        ("sync_begin", run.begin_ns, True),
        ("sync_applied", run.applied_ns, False),
        ("sync_released", run.released_ns, True),
        ("sync_acknowledged", run.acknowledged_ns, False),
    )
    for what, at_ns, is_key in points:
        if at_ns is not None:
            values = {"sync_run": run.sync_run}
            yield Step(
                at_ns=at_ns, lane=Lane.SYNC_RUN, what=what, who="", source="sync_runs", values=values, is_key=is_key
            )


def _work_of_sync_run(run: SyncRun) -> Iterator[Span]:
    yield Span(lane=Lane.SYNC_RUN, what="at_work", who="", begin_ns=run.begin_ns, end_ns=run.work_end_ns)
    if run.applied_ns is not None and run.released_ns is not None:
        yield Span(lane=Lane.SYNC_RUN, what="releases", who="", begin_ns=run.applied_ns, end_ns=run.released_ns)


def _order(step: Step) -> tuple[int, int, str]:
    """By time; what falls into one nanosecond by lane and print, and else as it was told."""
    return step.at_ns, _LANES[step.lane], step.who
