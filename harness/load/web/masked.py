"""A snapshot and a verdict as they may be shown: without the names of persons. Pure."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from harness.incident import Neighbour
from harness.live.snapshot import Snapshot
from harness.report.masking import Masking
from harness.report.reasons import masked_reason
from harness.verdict import Verdict


def masked(snapshot: Snapshot, masking: Masking) -> Snapshot:
    """With aliases in place of names, also in sentences; as it is where names are to be shown."""
    if masking.reveal:
        return snapshot
    incidents = (
        replace(one, recipient=masking.person(one.recipient), owners=masking.persons(one.owners))
        for one in snapshot.incidents
    )
    return replace(
        snapshot,
        incidents=tuple(incidents),
        faults=tuple(map(masking.text, snapshot.faults)),
        reasons=tuple(masked_reason(reason, masking) for reason in snapshot.reasons),
    )


def masked_verdict(verdict: Verdict, masking: Masking) -> Verdict:
    """The same of a verdict. Whoever is named in a field of its own has an alias, known as a test person or not."""
    if masking.reveal:
        return verdict
    masking.number_incidents(verdict.incidents)
    incidents = (
        replace(
            one,
            recipient=masking.person(one.recipient),
            owners=masking.persons(one.owners),
            exposed_persons=masking.persons(one.exposed_persons),
            neighbours=_neighbours(one.neighbours, masking),
        )
        for one in verdict.incidents
    )
    errors = (
        replace(
            one,
            applicant=masking.person(one.applicant),
            error=masking.text(one.error),
            notice=masking.text(one.notice),
            neighbours=_neighbours(one.neighbours, masking),
        )
        for one in verdict.retried_errors
    )
    return replace(
        verdict,
        incidents=tuple(incidents),
        retried_errors=tuple(errors),
        reasons=tuple(masked_reason(reason, masking) for reason in verdict.reasons),
        parameters=_texts(verdict.parameters, masking),
    )


def _neighbours(neighbours: Iterable[Neighbour], masking: Masking) -> tuple[Neighbour, ...]:
    return tuple(
        replace(
            one,
            applicant=masking.person(one.applicant),
            error=masking.text(one.error),
            notice=masking.text(one.notice),
        )
        for one in neighbours
    )


def _texts(value: object, masking: Masking) -> object:
    """A value of JSON with its texts masked."""
    match value:
        case str():
            return masking.text(value)
        case Mapping():
            return {name: _texts(one, masking) for name, one in value.items()}
        case list() | tuple():
            return [_texts(one, masking) for one in value]
        case _:
            return value
