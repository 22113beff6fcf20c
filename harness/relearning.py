"""The protocol of a target whose documents follow changes in a way that nobody can foresee.

Somebody else's service shows by itself alone how its documents look after a change. So what nobody knows waits until
the load has stopped, and what is right is then learnt from the service, which is asked by nobody else.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from harness.records import Change, Document, Print


class Relearnt(NamedTuple):
    """What was learnt after the changes.

    Args:
        documents: register entries of the new versions; also old documents that are still right, or perhaps, or not.
        faults: one sentence for each reason for which something could not be learnt.
    """

    documents: Sequence[Document] = ()
    faults: Sequence[str] = ()


@runtime_checkable
class Relearning(Protocol):
    """A target whose documents after a change are learnt when the load has stopped."""

    @property
    def most_changes(self) -> int:
        """How many changes a run can make of it; 0 where none is described."""

    def note_change(self, change: Change) -> Iterable[Document]:
        """Hear of a change when it is about to be sent, and again when it was acknowledged.

        Returns:
            The group's old documents, of which from then on and until `relearn` nobody knows whether they are still
            right: a run may end before that, and then nobody may call them stale.
        """

    def awaits(self, print_: Print) -> bool:
        """Whether bytes that are in no register entry may be right, so that nobody may be blamed for them.

        Before `relearn`: whether they may be of a version that is still to be learnt. Afterwards: whether they may be
        of a state in between that nobody saw.
        """

    def relearn(self, waiting: Sequence[Print]) -> Relearnt:
        """Ask the service, alone, for what was printed since its changes; the load has stopped for good.

        Args:
            waiting: prints whose bytes nobody knows yet.
        """
