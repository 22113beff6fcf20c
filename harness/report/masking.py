"""What a person is called in a report: by an alias, unless the reader may see who it was.

The only place that decides so, for HTML, Markdown, JUnit and the web pages alike. Aliases count up in the order in
which persons first appear; whoever makes one view of a run out of its incidents begins with `number_incidents`, so that
a person has one alias in all of them. Names of prints (nonces) and of sync runs tell nobody's identity and stay.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

_WORD = r"[A-Za-z0-9_]+"


class Handed(Protocol):
    """Who was handed whose document: an incident, in whatever shape."""

    @property
    def recipient(self) -> str:
        """Who applied and got it."""

    @property
    def owners(self) -> Sequence[str]:
        """Whose data is on it."""


class Masking:
    """Names of persons as a report shows them.

    Args:
        reveal: as they are.
        label: of an alias, with the place of its {number}, in the language of the report.
        people: everybody whose name may stand in a sentence of somebody else's making, see `text`; so may the name of
            whoever has been given an alias.
    """

    def __init__(self, reveal: bool = False, label: str = "Person {number}", people: Collection[str] = ()) -> None:
        self.reveal = reveal
        self._label = label
        self._aliases: dict[str, str] = {}
        self._people: set[str] = set()
        # Found only by looking for each of them: what is no word, or of a script that puts no space between words.
        self._no_words: list[str] = []
        for name in people:
            self._know(name)

    def person(self, name: str) -> str:
        """The alias of one person: the same for the same person, another for every other one."""
        if self.reveal:
            return name
        alias = self._aliases.get(name)
        if alias is None:
            alias = self._aliases[name] = self._label.format(number=len(self._aliases) + 1)
            self._know(name)
        return alias

    def persons(self, names: Iterable[str]) -> tuple[str, ...]:
        """The aliases of some, in their order."""
        return tuple(map(self.person, names))

    @property
    def known(self) -> tuple[str, ...]:
        """Who has an alias, in the order in which these were given out."""
        return tuple(self._aliases)

    def text(self, text: str) -> str:
        """A sentence that may name somebody who is known, such as a fault that tells what was found."""
        if self.reveal:
            return text
        no_words = sorted((name for name in self._no_words if name in text), key=len, reverse=True)
        names = "|".join((*map(re.escape, no_words), _WORD))
        return re.sub(names, lambda found: self._alias_of_known(found[0]), text)

    def number_incidents(self, incidents: Iterable[Handed]) -> None:
        """Give out the first aliases in the order of the incidents, first to the recipient and then to the owners."""
        for incident in incidents:
            self.persons((incident.recipient, *incident.owners))

    def _know(self, name: str) -> None:
        if name not in self._people:
            self._people.add(name)
            if name and not re.fullmatch(_WORD, name):
                self._no_words.append(name)

    def _alias_of_known(self, text: str) -> str:
        return self.person(text) if text in self._people else text
