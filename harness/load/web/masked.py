"""A snapshot as it may be shown: without the names of persons. Pure."""

from msgspec.structs import replace

from harness.live.snapshot import Snapshot
from harness.reason import Reason
from harness.report.masking import Masking


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
        reasons=tuple(_reason(reason, masking) for reason in snapshot.reasons),
    )


def _reason(reason: Reason, masking: Masking) -> Reason:
    values = {name: masking.text(value) if isinstance(value, str) else value for name, value in reason.values.items()}
    return replace(reason, text=masking.text(reason.text), values=values)
