"""The register: which sequence of bytes is the right document for whom, and what was right when.

Filled from the target's truth while the run goes on, and again, from the ledger alone, by whoever checks the verdict.
"""

from collections import defaultdict
from collections.abc import Callable, ItemsView, Iterable, Iterator
from typing import NamedTuple, get_args, get_type_hints

from harness.records import Change, Document, Group, Refusal, SyncRun

BEGINNING_NS = -(2**63)
END_NS = 2**63 - 1
_NOBODY: frozenset[str] = frozenset()
_WORDS = get_args(get_type_hints(Document)["still"])
"""Of `Document.still`; a later one holds, whichever is told first."""


class RegisterError(Exception):
    """Raised when two entries contradict each other, so that nothing built on the register could be trusted."""


class Version(NamedTuple):
    """A version of a group's record.

    It may be handed out to whoever applies at `until_ns` at the latest and is answered at `from_ns` at the earliest:
    from the moment in which the change that makes it was sent, until a newer one was acknowledged as synchronised
    (and the freshness limit has passed). Closed, because a print that is sent in the nanosecond of the acknowledgement
    cannot be blamed for the order.

    Args:
        persons: members of the group; refusals: everything that may not be issued to them.
    """

    from_ns: int
    until_ns: int
    persons: frozenset[str]
    refusals: tuple[Refusal, ...]

    def allowed(self, sent_ns: int, answered_ns: int) -> bool:
        """Whether it was right at some instant of the closed interval [sent_ns, answered_ns]."""
        return self.from_ns <= answered_ns and self.until_ns >= sent_ns

    def refuses(self, applicant: str, kind: str, options: tuple[str, ...]) -> bool:
        """Whether nothing like it may be issued; whoever is not on record is issued nothing."""
        if applicant not in self.persons:
            return True
        return bool(self.refusals) and any(refusal.covers(applicant, kind, options) for refusal in self.refusals)


class Register:
    """Documents by checksum, people by group, versions by time.

    Args:
        freshness_limit_ns: how long after the acknowledgement of a newer version an older one is still right.
    """

    def __init__(self, freshness_limit_ns: int = 0) -> None:
        self._freshness_limit_ns = freshness_limit_ns
        self._documents: dict[str, Document] = {}
        self._persons: defaultdict[str, set[str]] = defaultdict(set)
        self._groups: dict[str, Group] = {}
        self._changes: defaultdict[str, dict[int, Change]] = defaultdict(dict)
        self._synchronised: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self._versions = _Built(self._build)
        self._still: defaultdict[str, dict[int, str]] = defaultdict(dict)
        self.find = self._documents.get
        """checksum -> Document, or None."""

    def add(self, document: Document) -> bool:
        """Add an entry; False when it was there already.

        Raises:
            RegisterError: when the same bytes are claimed to be two different documents.
        """
        if document.still:
            still = self._still[document.checksum]
            if _WORDS.index(document.still) <= _WORDS.index(still.get(document.version, "")):
                return False
            still[document.version] = document.still
            return True
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
        self._groups[group.group] = group
        self._versions.pop(group.group, None)

    def add_change(self, change: Change) -> None:
        """A change that was sent: its version exists from then on at the earliest, with its people."""
        self._persons[change.group].update(change.persons)
        changes = self._changes[change.group]
        known = changes.get(change.version)
        if known is None or change.sent_ns < known.sent_ns:
            changes[change.version] = change
        if change.answers_synchronised and change.answered_ns is not None:
            self._synchronised[change.group].append((change.version, change.answered_ns))
        self._versions.pop(change.group, None)

    def add_sync_run(self, run: SyncRun) -> None:
        """A sync run: older versions of what it applied are superseded once it was acknowledged."""
        if run.acknowledged_ns is not None:
            for group, version in run.applied:
                self._synchronised[group].append((version, run.acknowledged_ns))
                self._versions.pop(group, None)

    def synchronised_versions(self) -> Iterator[tuple[str, int]]:
        """(group, version) of everything that was acknowledged as synchronised."""
        return ((group, version) for group, known in self._synchronised.items() for version, _ in known)

    def newest_versions(self) -> dict[str, int]:
        """group -> the newest version that a change which was sent makes; only groups that were changed."""
        return {group: max(changes) for group, changes in self._changes.items()}

    def groups(self) -> ItemsView[str, set[str]]:
        """Every group, with everybody who belonged to it so far."""
        return self._persons.items()

    def permitted(self, group: str) -> set[str]:
        """Everybody who belonged to the group under some version so far, and so may receive its documents."""
        return self._persons.get(group, set())

    def permits(self, group: str, persons: Iterable[str]) -> bool:
        """Whether all of them are permitted."""
        return self._persons.get(group, _NOBODY).issuperset(persons)

    def knows_any(self, persons: Iterable[str]) -> bool:
        """Whether any of them belonged to any group under some version so far; looks at all groups."""
        return any(not known.isdisjoint(persons) for known in self._persons.values())

    def version(self, group: str, version: int) -> Version | None:
        """What is known of a version; None when no change that makes it was ever sent."""
        return self._versions[group].get(version)

    def right_by(self, document: Document) -> list[Version]:
        """The known versions by which the document is right: its own, and later ones that altered nothing of it."""
        still = self._still.get(document.checksum)
        if still is None:  # as most are
            version = self.version(document.group, document.version)
            return [] if version is None else [version]
        return self._of(document.group, {document.version, *(one for one, word in still.items() if word == "right")})

    def perhaps_right_by(self, document: Document) -> list[Version]:
        """The known versions of which nobody knows whether the document is right by them."""
        still = self._still.get(document.checksum, {})
        return self._of(document.group, {one for one, word in still.items() if word == "unknown"})

    def allowed_versions(self, group: str, sent_ns: int, answered_ns: int) -> list[Version]:
        """Every version that was right at some instant of the closed interval."""
        return [version for version in self._versions[group].values() if version.allowed(sent_ns, answered_ns)]

    def _of(self, group: str, versions: Iterable[int]) -> list[Version]:
        known = self._versions[group]
        return [known[version] for version in sorted(versions) if version in known]

    def _build(self, group: str) -> dict[int, Version]:
        first = self._groups.get(group)
        told: dict[int, tuple[int, tuple[str, ...], tuple[Refusal, ...]]] = {}
        if first is not None:
            told[1] = BEGINNING_NS, first.persons, first.refusals
        for version, change in self._changes.get(group, {}).items():
            told[version] = change.sent_ns, change.persons, change.refusals
        newer = sorted(self._synchronised.get(group, ()))
        until_ns = END_NS
        versions = {}
        for version in sorted(told, reverse=True):
            while newer and newer[-1][0] > version:
                until_ns = min(until_ns, newer.pop()[1] + self._freshness_limit_ns)
            from_ns, persons, refusals = told[version]
            versions[version] = Version(from_ns, until_ns, frozenset(persons), refusals)
        return versions


class _Built(dict[str, dict[int, Version]]):
    """group -> its versions by number, built when they are asked for."""

    def __init__(self, build: Callable[[str], dict[int, Version]]) -> None:
        super().__init__()
        self._build = build

    def __missing__(self, group: str) -> dict[int, Version]:
        versions = self[group] = self._build(group)
        return versions
