"""Judges all prints of a run by the oracle: every sort once, and one by one only what its times decide. Pure."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.oracle import Judgement, judge, judge_identity
from harness.outcome import Outcome, combine
from harness.prints import Prints, Rows
from harness.records import Print
from harness.register import Register

_CODES = {outcome: code for code, outcome in enumerate(Outcome)}
_OUTCOMES = tuple(Outcome)
_SETTLED = frozenset({"error", "unanswered", "nothing"})  # nothing that is learnt later changes what these were


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

    def outcome_of(self, row: int) -> Outcome:
        """Of the whole application to which the attempt belongs."""
        return _OUTCOMES[int(self.application[row])]

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
    outcome = np.full(len(prints), -1, dtype=np.int8)
    for answer_code, wanted in _constant_sorts(prints.sorts, register).items():
        outcome[prints.by_sort(wanted)] = answer_code
    outcome[_right_in_time(prints, register)] = _CODES[Outcome.OK]
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


def _constant_sorts(sorts: Sequence[Print], register: Register) -> dict[int, list[bool]]:
    """Outcome code -> for each sort whether every print of it has that outcome, whatever its times were."""
    codes = [_CODES[judge_identity(sort, register).outcome] if sort.answer in _SETTLED else -1 for sort in sorts]
    return {code: [code == of_sort for of_sort in codes] for code in set(codes) - {-1}}


def _right_in_time(prints: Prints, register: Register) -> NDArray[np.bool_]:
    """Which prints are the right document of a version that was right at some instant of the application."""
    from_ns = np.zeros(len(prints.sorts), dtype=np.int64)
    until_ns = np.zeros(len(prints.sorts), dtype=np.int64)
    right = np.zeros(len(prints.sorts), dtype=np.bool_)
    for number, sort in enumerate(prints.sorts):
        document = register.find(sort.checksum) if sort.answer == "document" else None
        version = register.version(document.group, document.version) if document is not None else None
        if version is None or judge_identity(sort, register).outcome is not Outcome.OK:
            continue
        if not version.refuses(sort.applicant, sort.kind, sort.options):
            right[number], from_ns[number], until_ns[number] = True, version.from_ns, version.until_ns
    sent_ns, answered_ns = prints.possible
    of_row = prints.sort
    found: NDArray[np.bool_] = right[of_row]
    found &= from_ns[of_row] <= answered_ns
    found &= until_ns[of_row] >= sent_ns
    return found


def _combine(prints: Prints, outcome: NDArray[np.int8]) -> tuple[NDArray[np.int8], Rows]:
    """The outcome of each attempt's application, and the row of each application's last attempt."""
    application = outcome.copy()
    order = np.argsort(prints.application, kind="stable")
    sorted_ = prints.application[order]
    begins = np.flatnonzero(np.concatenate(([True], sorted_[1:] != sorted_[:-1]))) if len(order) else order
    ends = np.append(begins[1:], len(order))
    last = order[ends - 1]
    for number in np.flatnonzero(ends - begins > 1).tolist():
        rows = order[begins[number] : ends[number]]
        rows = rows[
            np.lexsort((prints.possible.answered_ns[rows], prints.possible.sent_ns[rows], prints.attempt[rows]))
        ]
        ends_of = [
            (_OUTCOMES[code], prints.sorts[sort].answer == "document")
            for code, sort in zip(outcome[rows].tolist(), prints.sort[rows].tolist(), strict=True)
        ]
        application[rows] = _CODES[combine(ends_of)]
        last[number] = rows[-1]
    return application, last
