"""The oracle: what one print was, judged by its content alone. Pure."""

import msgspec

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
_LOST = Judgement(outcome=Outcome.LOST)
_UNDECIDED = Judgement(outcome=Outcome.UNDECIDED)
_REFUSED_OK = Judgement(outcome=Outcome.REFUSED_OK)
_REFUSED_WRONG = Judgement(outcome=Outcome.REFUSED_WRONG)


def judge_identity(print_: Print, register: Register) -> Judgement:
    """Whose document came out. Needs the register only, so it is known while the run goes on.

    The checksum is the proof: only bytes that are in the register can be right. Identity marks merely say whose data
    is on bytes that are nobody's document.
    """
    if print_.answer != "document":
        # Whether a refusal is right takes the history of the whole run; until then unknown must not become clean.
        return _UNDECIDED if print_.answer == "refused" else _LOST if print_.answer == "nothing" else _ERROR
    document = register.find(print_.checksum)
    if document is None:
        return _judge_marks(print_, register)
    is_asked_for = print_.kind == document.kind and print_.options == document.options
    if is_asked_for and print_.applicant in document.applicants:
        # The groups have the last word on who may see what, should the truth contradict them.
        if register.permits(print_.group, document.persons):
            return _OK
        # Who belonged to the group by that version is missing from the evidence: it may have been those.
        if not register.right_by(document) and not register.knows_any(_strangers(document.persons, print_, register)):
            return _UNDECIDED
    return _judge_foreign(print_, document, register)


def judge(print_: Print, register: Register) -> Judgement:
    """What the print was by everything that is known of it in the end.

    To whose document came out this adds what takes the history: whether a refusal was right, whether something should
    have been refused, and whether what came out was of a version that was right at the time. Needs every change and
    sync run of the whole run in the register.
    """
    if print_.answer == "refused":
        return _judge_refusal(print_, register)
    judgement = judge_identity(print_, register)
    if print_.answer != "document":
        return judgement
    found = [judgement.outcome]
    document = register.find(print_.checksum)
    # Of a version that is missing from the evidence nobody knows what it refuses.
    is_known = document is None or bool(register.right_by(document))
    if document is not None:
        found.append(_judge_version(print_, document, register))
        if judgement.outcome is Outcome.OK:
            judgement = Judgement(
                outcome=Outcome.OK, persons=document.persons, kind=document.kind, options=document.options
            )
    if is_known and judgement.persons and not judgement.strangers and _had_to_be_refused(print_, register):
        found.append(Outcome.SHOULD_REFUSE)
    outcome = worst(found)
    return judgement if outcome is judgement.outcome else msgspec.structs.replace(judgement, outcome=outcome)


def _judge_refusal(print_: Print, register: Register) -> Judgement:
    """Right when some version that was right at some instant of the application says refuse."""
    versions = register.allowed_versions(print_.group, print_.sent_ns, print_.answered_ns)
    if not versions:
        return _UNDECIDED
    refuses = any(version.refuses(print_.applicant, print_.kind, print_.options) for version in versions)
    return _REFUSED_OK if refuses else _REFUSED_WRONG


def _had_to_be_refused(print_: Print, register: Register) -> bool:
    """Whether every version that was right at some instant of the application says refuse."""
    versions = register.allowed_versions(print_.group, print_.sent_ns, print_.answered_ns)
    return bool(versions) and all(
        version.refuses(print_.applicant, print_.kind, print_.options) for version in versions
    )


def _judge_version(print_: Print, document: Document, register: Register) -> Outcome:
    """Whether the document is of a version that was right at some instant of the application."""
    versions = register.right_by(document)
    if any(version.allowed(print_.sent_ns, print_.answered_ns) for version in versions):
        return Outcome.OK
    if any(version.allowed(print_.sent_ns, print_.answered_ns) for version in register.perhaps_right_by(document)):
        return Outcome.UNDECIDED
    # Else nobody had sent the change that makes it: the truth and the clocks do not agree.
    is_old = any(version.until_ns < print_.sent_ns for version in versions)
    return Outcome.STALE if is_old else Outcome.UNDECIDED


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
