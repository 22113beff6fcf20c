"""The register: which sequence of bytes is the right document for whom, and which version was right when.

Filled from the target's truth while the run goes on, and again, from the ledger alone, by whoever checks the verdict.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from harness.records import Change, Document, Group, SyncRun


class RegisterError(Exception):
    """Raised when two entries contradict each other, so that nothing built on the register could be trusted."""


VersionState = Literal["allowed", "superseded", "unknown"]


class Register:
    """Documents by checksum, people by group, versions by time."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._persons: defaultdict[str, set[str]] = defaultdict(set)
        self._sent_ns: dict[tuple[str, int], int] = {}
        self._synchronised: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self.find = self._documents.get
        """checksum -> Document, or None."""

    def add(self, document: Document) -> bool:
        """Add an entry; False when it was there already.

        Raises:
            RegisterError: when the same bytes are claimed to be two different documents.
        """
        known = self._documents.setdefault(document.checksum, document)
        if known is document:
            return True
        if known != document:
            message = f"documents {known} and {document} have one checksum: they cannot be told apart"
            raise RegisterError(message)
        return False

    def add_group(self, group: Group) -> None:
        """The people of a group before the first change."""
        self._persons[group.group].update(group.persons)

    def add_change(self, change: Change) -> None:
        """A change that was sent: its version exists from then on at the earliest, with its people."""
        self._persons[change.group].update(change.persons)
        key = change.group, change.version
        self._sent_ns[key] = min(change.sent_ns, self._sent_ns.get(key, change.sent_ns))

    def add_sync_run(self, run: SyncRun) -> None:
        """A sync run: older versions of what it applied are superseded once it was acknowledged."""
        if run.acknowledged_ns is not None:
            for group, version in run.applied:
                self._synchronised[group].append((version, run.acknowledged_ns))

    def newest_versions(self) -> dict[str, int]:
        """group -> the newest version that a change which was sent makes; only groups that were changed."""
        newest: dict[str, int] = {}
        for group, version in self._sent_ns:
            newest[group] = max(version, newest.get(group, 0))
        return newest

    def permitted(self, group: str) -> set[str]:
        """Everybody who belonged to the group under some version so far, and so may receive its documents."""
        return self._persons.get(group, set())

    def permits(self, group: str, persons: Iterable[str]) -> bool:
        """Whether all of them are permitted."""
        return self.permitted(group).issuperset(persons)

    def version_state(self, group: str, version: int, sent_ns: int, answered_ns: int) -> VersionState:
        """Whether `version` was right at some instant of the closed interval [sent_ns, answered_ns].

        It was superseded when a newer one had been acknowledged as synchronised before the print was sent; it is
        unknown when the change that makes it had not been sent by the time of the answer.
        """
        if version > 1 and self._sent_ns.get((group, version), answered_ns + 1) > answered_ns:
            return "unknown"
        newer_before = (
            newer > version and acknowledged_ns < sent_ns
            for newer, acknowledged_ns in self._synchronised.get(group, ())
        )
        return "superseded" if any(newer_before) else "allowed"
