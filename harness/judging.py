"""Judges all prints of a run by the oracle: every sort once, and one by one only what its times decide. Pure."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.evidence.prints import Prints, Rows, Times
from harness.oracle import Judgement, judge, judge_identity
from harness.outcome import Outcome, combine
from harness.ranges import changes, ranges
from harness.records import Print
from harness.register import BEGINNING_NS, END_NS, Register, Version

_CODES = {outcome: code for code, outcome in enumerate(Outcome)}
_OUTCOMES = tuple(Outcome)
_OK = _CODES[Outcome.OK]


class Judged(msgspec.Struct, kw_only=True):
    """What became of every print.

    Args:
        outcome: code of each attempt's outcome (its place among the sixteen), by row.
        misissued: the judgement and the print of every misissued attempt, by row.
        application: code of the outcome of the whole application of each attempt, by row.
        last: rows of the last attempt of each application.
    """

    outcome: NDArray[np.int8]
    misissued: dict[int, tuple[Print, Judgement]]
    application: NDArray[np.int8]
    last: Rows

    def outcomes_of(self, rows: Rows) -> list[Outcome]:
        """Of the whole application to which each of the attempts belongs."""
        return [_OUTCOMES[code] for code in self.application[rows].tolist()]

    def counts(self, rows: Rows | None = None) -> Counter[Outcome]:
        """Applications by outcome, all of them or those whose last attempt is among the rows."""
        numbers = np.bincount(self.application[self.last if rows is None else rows], minlength=len(_OUTCOMES)).tolist()
        return Counter(dict(zip(_OUTCOMES, numbers, strict=True)))

    def rows_of(self, *outcomes: Outcome) -> Rows:
        """Attempts that had one of these outcomes by themselves."""
        return np.flatnonzero(np.isin(self.outcome, [_CODES[outcome] for outcome in outcomes]))

    def of_application(self, outcome: Outcome) -> Rows:
        """Attempts whose application had this outcome."""
        return np.flatnonzero(self.application == _CODES[outcome])


def judge_all(prints: Prints, register: Register) -> Judged:
    """Judge every print as `harness.oracle.judge` does."""
    codes, from_ns, until_ns = _judge_sorts(prints.sorts, register)
    outcome = codes[prints.sort]
    sent_ns, answered_ns = prints.possible
    # What its times decide is told one by one.
    outcome[(from_ns[prints.sort] > answered_ns) | (until_ns[prints.sort] < sent_ns)] = -1
    misissued = {}
    for row, print_ in prints.fetch(np.flatnonzero(outcome < 0).tolist()).items():
        judgement = judge(print_, register)
        outcome[row] = _CODES[judgement.outcome]
        if judgement.outcome.is_misissue:
            misissued[row] = print_, judgement
    application, last = _combine(prints, outcome)
    # These two are no matter of one attempt: they show in what became of the whole application.
    for of_application in (Outcome.LOST, Outcome.DUPLICATE):
        rows = last[application[last] == _CODES[of_application]]
        for row, print_ in prints.fetch(rows.tolist()).items():
            misissued[row] = print_, msgspec.structs.replace(judge(print_, register), outcome=of_application)
    return Judged(outcome=outcome, misissued=misissued, application=application, last=last)


def _judge_sorts(sorts: Sequence[Print], register: Register) -> tuple[NDArray[np.int8], Times, Times]:
    """The outcome of each sort, and the time in which its prints have to lie for it; code -1 where more decides.

    Only the most frequent ones have an outcome: the right document, from the version's beginning to its end, and what
    nothing that is learnt later can change.
    """
    codes = [-1] * len(sorts)
    from_ns, until_ns = [BEGINNING_NS] * len(sorts), [END_NS] * len(sorts)
    for number, sort in enumerate(sorts):
        if sort.answer == "refused":
            continue
        outcome = judge_identity(sort, register).outcome
        if sort.answer != "document":
            codes[number] = _CODES[outcome]
            continue
        document = register.find(sort.checksum)
        # Of another group the versions say whether the document is stale, but nothing of what may be issued.
        if outcome is not Outcome.OK or document is None or document.group != sort.group:
            continue
        versions = register.right_by(document)
        if not versions or (len(versions) > 1 and not _follow_one_another(versions)):
            continue
        for version in versions:
            if version.refuses(sort.applicant, sort.kind, sort.options):
                break
        else:
            codes[number] = _OK
            from_ns[number], until_ns[number] = versions[0].from_ns, versions[-1].until_ns
    return np.array(codes, dtype=np.int8), np.array(from_ns, dtype=np.int64), np.array(until_ns, dtype=np.int64)


def _follow_one_another(versions: Sequence[Version]) -> bool:
    """Whether one of them at least was right at every instant from the first one's beginning to the last one's end."""
    return all(one.until_ns >= next_.from_ns for one, next_ in pairwise(versions))


def _combine(prints: Prints, outcome: NDArray[np.int8]) -> tuple[NDArray[np.int8], Rows]:
    """The outcome of each attempt's application, and the row of each application's last attempt."""
    application = outcome.copy()
    order = prints.by_application
    if not len(order):
        return application, order
    sorted_ = prints.application[order]
    begins = changes(sorted_)
    ends = np.append(begins[1:], len(order))
    last = order[ends - 1]
    # Most applications have one attempt; of all others, attempts in the order in which they were made.
    several = np.flatnonzero(ends - begins > 1)
    which, places = ranges(begins[several], ends[several])
    rows = order[places]
    sent_ns, answered_ns = prints.possible.sent_ns[rows], prints.possible.answered_ns[rows]
    rows = rows[np.lexsort((rows, answered_ns, sent_ns, prints.attempt[rows], which))]
    # An attempt that is on record twice is a fault of the evidence, and no second document.
    again = (which[1:] == which[:-1]) & (prints.attempt[rows[1:]] == prints.attempt[rows[:-1]])
    handed_out = prints.answered_with("document")[rows] & ~np.append(np.zeros(min(len(rows), 1), np.bool_), again)
    ends_of = list(zip([_OUTCOMES[code] for code in outcome[rows].tolist()], handed_out.tolist(), strict=True))
    attempts = (ends - begins)[several]
    until = np.cumsum(attempts)
    firsts = (until - attempts).tolist()
    combined = [_CODES[combine(ends_of[first:last])] for first, last in zip(firsts, until.tolist(), strict=True)]
    application[rows] = np.repeat(np.array(combined, dtype=np.int8), attempts)
    last[several] = rows[until - 1]
    return application, last
