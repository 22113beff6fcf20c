"""The oracle: what one print was, judged by its content alone. Pure."""

from harness.outcome import Outcome, worst
from harness.records import Document, Print, Record
from harness.register import Register


class Judgement(Record, frozen=True, kw_only=True):
    """The outcome of one attempt.

    Args:
        persons: everybody who is on the delivered document, as far as known.
        strangers: those of them who may not receive each other's documents with the applicant.
        kind, options: of the delivered document, as far as known.
    """

    outcome: Outcome
    persons: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    kind: str = ""
    options: tuple[str, ...] = ()


_OK = Judgement(outcome=Outcome.OK)
_ERROR = Judgement(outcome=Outcome.ERROR_FINAL)
_UNDECIDED = Judgement(outcome=Outcome.UNDECIDED)


def judge_identity(print_: Print, register: Register) -> Judgement:
    """Whose document came out. Needs the register only, so it is known while the run goes on.

    The checksum is the proof: only bytes that are in the register can be right. Identity marks merely say whose data
    is on bytes that are nobody's document.
    """
    if print_.answer == "error":
        return _ERROR
    if print_.answer == "refused":
        # Whether a refusal is right takes rules that this oracle does not have; unknown must not become clean.
        return _UNDECIDED
    document = register.find(print_.checksum)
    if document is None:
        return _judge_marks(print_, register)
    is_asked_for = print_.kind == document.kind and print_.options == document.options
    # The groups have the last word on who may see what, should the truth contradict them.
    if is_asked_for and print_.applicant in document.applicants and register.permits(print_.group, document.persons):
        return _OK
    return _judge_foreign(print_, document, register)


def judge(print_: Print, register: Register) -> Judgement:
    """Whose document came out, and whether it was of a version that was right at the time.

    Needs every change and sync run of the whole run in the register.
    """
    judgement = judge_identity(print_, register)
    document = register.find(print_.checksum)
    if document is None:
        return judgement
    state = register.version_state(document.group, document.version, print_.sent_ns, print_.answered_ns)
    if state == "allowed":
        return judgement
    return Judgement(
        outcome=worst((judgement.outcome, Outcome.STALE if state == "superseded" else Outcome.UNDECIDED)),
        persons=document.persons,
        strangers=judgement.strangers,
        kind=document.kind,
        options=document.options,
    )


def _judge_foreign(print_: Print, document: Document, register: Register) -> Judgement:
    """A whole document, but another than the right one."""
    strangers = _strangers(document.persons, print_, register)
    if strangers:
        outcome = Outcome.WRONG_PERSON if len(strangers) == len(document.persons) else Outcome.MIXED
    elif _discloses_more(document.options, print_):
        outcome = Outcome.OVER_DISCLOSED
    elif document.kind != print_.kind or document.options != print_.options:
        outcome = Outcome.WRONG_KIND
    else:
        outcome = Outcome.MISDELIVERED
    return Judgement(
        outcome=outcome,
        persons=document.persons,
        strangers=strangers,
        kind=document.kind,
        options=document.options,
    )


def _judge_marks(print_: Print, register: Register) -> Judgement:
    """Bytes that are nobody's document: the marks say whose data they carry."""
    marks = print_.marks
    if not marks:
        # An empty paper shows nobody's data; anything else without a mark may show anybody's.
        return Judgement(outcome=Outcome.TORN) if print_.size_bytes == 0 else _UNDECIDED
    persons = tuple(dict.fromkeys(person for mark in marks for person in mark.persons))
    strangers = _strangers(persons, print_, register)
    if strangers:
        outcome = Outcome.WRONG_PERSON if len(strangers) == len(persons) else Outcome.MIXED
    elif any(_discloses_more(mark.options, print_) for mark in marks):
        outcome = Outcome.OVER_DISCLOSED
    else:
        outcome = Outcome.TORN
    gravest = max(marks, key=lambda mark: (not set(strangers).isdisjoint(mark.persons), "my_number" in mark.options))
    return Judgement(outcome=outcome, persons=persons, strangers=strangers, kind=gravest.kind, options=gravest.options)


def _strangers(persons: tuple[str, ...], print_: Print, register: Register) -> tuple[str, ...]:
    permitted = register.permitted(print_.group)
    return tuple(person for person in persons if person not in permitted)


def _discloses_more(options: tuple[str, ...], print_: Print) -> bool:
    return "my_number" in options and "my_number" not in print_.options
