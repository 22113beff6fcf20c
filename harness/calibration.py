"""Learns which document is right for whom from a service that is asked by nobody else: alone, slowly, more than once.

What is learnt is only as right as the service was then, so it refuses whatever would blunt the proof: two persons whose
documents cannot be told apart, and documents that differ by themselves from one print to the next.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain, combinations
from typing import Protocol, runtime_checkable

import msgspec

from harness.exchange import attempt
from harness.fingerprint import UnreadableError, sha256
from harness.records import Application, Group, Mark, Record
from harness.target import Target

_CONTEXT_BYTES = 20
_SHOWN = 5


class CalibrationError(Exception):
    """Raised when nothing may be learnt from the service; one line of the message for each thing wrong."""


class Specimen(Record, frozen=True, kw_only=True):
    """What the service hands out to one person for one kind with these options.

    Args:
        refused: why there is no document; empty when there is one.
        checksum, sha256: see `harness.fingerprint`.
    """

    person: str
    group: str
    kind: str
    options: tuple[str, ...] = ()
    refused: str = ""
    checksum: str = ""
    sha256: str = ""


@runtime_checkable
class Calibrated(Target, Protocol):
    """A target whose right documents are learnt from the service itself, which is there before anybody opens it."""

    def reach(self) -> None:
        """Prepare for asking the service without knowing what is right.

        Raises:
            TargetError: when the service cannot be asked.
        """

    def recall(self) -> bool:
        """Take up what was kept; False when nothing was.

        Raises:
            TargetError: when what was kept is of another service, or of another version of it.
        """

    def secrets(self) -> Collection[str]:
        """What must be shown to nobody."""

    def kinds(self) -> Mapping[str, Sequence[str]]:
        """Kind of documents -> the options that may be asked for."""

    def applicants(self, group: Group) -> Sequence[str]:
        """Those of the group who apply by it."""

    def keep(self, specimens: Sequence[Specimen]) -> str:
        """Keep what was learnt, for later runs; says where.

        Raises:
            CalibrationError: when it is not what the target knows beforehand.
        """


def cases(target: Calibrated) -> list[Application]:
    """An application for every person, kind and combination of options."""
    wanted = (
        (person, group.group, kind, options)
        for group in target.groups()
        for person in target.applicants(group)
        for kind, known in target.kinds().items()
        for options in chain.from_iterable(combinations(known, size) for size in range(len(known) + 1))
    )
    return [
        Application(application=f"calibration-{number}", applicant=person, group=group, kind=kind, options=options)
        for number, (person, group, kind, options) in enumerate(wanted, 1)
    ]


def calibrate(target: Calibrated, *, times: int, show: Callable[[int, int], None]) -> list[Specimen]:
    """Print everything `times` over, first to last and again, so that what changes with time is seen, too.

    Args:
        show: called with the number of prints made and that of all to be made.

    Raises:
        CalibrationError: when something was neither a document nor a refusal, was not the same each time, is the same
            for two persons who may not receive each other's documents, or is refused by no rule for single options.
    """
    wanted = cases(target)
    permitted = {group.group: frozenset(group.persons) for group in target.groups()}
    first: dict[str, bytes] = {}
    checksums: dict[str, str] = {}
    specimens: list[Specimen] = []
    problems: list[str] = []
    for round_ in range(times):
        for number, application in enumerate(wanted):
            specimen, document = _print(target, application, round_ + 1, problems)
            show(round_ * len(wanted) + number + 1, times * len(wanted))
            if specimen is None:
                continue
            if round_ == 0:
                specimens.append(specimen)
                first[application.application] = document
                checksums[application.application] = specimen.checksum
                if document and target.fingerprint.reader is not None:
                    problems += check_marks(application, target.marks(document), permitted[application.group])
            elif specimen.checksum != checksums.get(application.application, specimen.checksum):
                where = _difference(first[application.application], document)
                problems.append(f"{_name(application)} is not the same twice: {where}")
        if problems:
            break
    problems += chain(_alike(specimens, target), _unruly(specimens))
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise CalibrationError("\n".join([*problems[:_SHOWN], *more]))
    return specimens


def _print(target: Target, application: Application, number: int, problems: list[str]) -> tuple[Specimen | None, bytes]:
    # Each print has a nonce of its own; a service that keeps to nonces would hand out the first document again.
    one_more = msgspec.structs.replace(application, application=f"{application.application}-{number}")
    answer = attempt(target, one_more, timeout_s=target.client_timeout_s).answer
    if answer.document is None and not answer.refused:
        told = answer.error or answer.unanswered or answer.nothing
        problems.append(f"{_name(application)} brought neither a document nor a refusal: {told}")
        return None, b""
    document = answer.document or b""
    if answer.document is not None and not document:
        problems.append(f"{_name(application)} brought a document of no bytes, which anybody's could be")
        return None, b""
    try:
        checksum = target.fingerprint.checksum(document) if document else ""
    except UnreadableError as error:
        problems.append(f"{_name(application)} brought a document that its fingerprint cannot read: {error}")
        return None, b""
    specimen = Specimen(
        person=application.applicant,
        group=application.group,
        kind=application.kind,
        options=application.options,
        refused=answer.refused,
        checksum=checksum,
        sha256=sha256(document) if document else "",
    )
    return specimen, document


def check_marks(application: Application, marks: Sequence[Mark], permitted: Collection[str]) -> Iterator[str]:
    """What is wrong with the identity marks of the application's right document.

    Somebody has to be on it, and nobody who is not of the group; whose mark a household's paper shows is its own
    matter.

    Args:
        permitted: the group's people.
    """
    if not marks:
        yield f"{_name(application)} shows no identity mark; right is a pattern that every document matches"
    for person in dict.fromkeys(person for mark in marks for person in mark.persons if person not in permitted):
        yield (
            f"{_name(application)} shows the identity mark of {person}, who is not of the group {application.group}; "
            "right is a pattern that matches nothing but the name or number of whose document it is"
        )


def _alike(specimens: Sequence[Specimen], target: Target) -> Iterator[str]:
    """Documents that would be right for two persons of whom one must not see the other's."""
    permitted = {group.group: set(group.persons) for group in target.groups()}
    by_checksum: defaultdict[str, list[Specimen]] = defaultdict(list)
    for specimen in specimens:
        if specimen.checksum:
            by_checksum[specimen.checksum].append(specimen)
    for same in by_checksum.values():
        for other in same[1:]:
            one = same[0]
            if other.person not in permitted[one.group] or one.person not in permitted[other.group]:
                yield (
                    f"{other.person} and {one.person} get the same {other.kind}: whose it is cannot be told; "
                    "right are test persons whose documents differ"
                )
            elif (one.kind, one.options) != (other.kind, other.options):
                yield (
                    f"{one.person}'s {_kind(one)} and {other.person}'s {_kind(other)} are the same document: "
                    "which was asked for cannot be told; right are kinds and options that differ"
                )


def _unruly(specimens: Sequence[Specimen]) -> Iterator[str]:
    """Refusals that are not those of a kind, or of single options, which is all that a register can say of them."""
    refused = {(one.person, one.kind, one.options) for one in specimens if one.refused}
    for one in specimens:
        rules = ((), *((option,) for option in one.options))
        follows = any((one.person, one.kind, options) in refused for options in rules)
        if follows is not bool(one.refused):
            yield (
                f"{_kind(one)} of {one.person} is {'refused' if one.refused else 'issued'}, which does not follow from "
                "its options one by one; right are kinds of their own for options that depend on each other"
            )


def _difference(one: bytes, other: bytes) -> str:
    """Where two documents begin to differ, with what stands there."""
    place = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if place is None:
        return f"{len(one)} bytes, and then {len(other)}"
    begin = max(0, place - _CONTEXT_BYTES)
    end = place + _CONTEXT_BYTES
    return f"from byte {place} on, {one[begin:end]!r} and then {other[begin:end]!r}"


def _name(application: Application) -> str:
    return f"{' '.join((application.kind, *application.options))} of {application.applicant}"


def _kind(specimen: Specimen) -> str:
    return " ".join((specimen.kind, *specimen.options))
