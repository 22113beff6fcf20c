"""Who looks at a page: in which language, and whether persons are to be shown."""

from collections.abc import Callable, Collection

from flask import Request

from harness.live.snapshot import Snapshot
from harness.report.language import CODES, Language, choose_language
from harness.report.masking import Masking


class Readers:
    """Makes one of each request.

    Args:
        people: everybody whose name may stand in a sentence of the run that is shown.
        language: as the process was told; empty when it was not.
    """

    def __init__(self, people: Callable[[], Collection[str]], language: str = "") -> None:
        self._people = people
        self._language = language
        self._run = ""
        self._aliases: dict[str, Masking] = {}

    def language(self, request: Request) -> Language:
        """That of the page's address, else of the command line, else of the browser."""
        asked = request.args.get("lang", "")
        if asked in CODES:
            return choose_language(asked)
        return choose_language(self._language or request.accept_languages.best_match(CODES))

    def masking(self, request: Request, snapshot: Snapshot | None) -> Masking:
        """Aliases, unless the address says `reveal=1`.

        A person keeps the alias while the run goes on; once it is decided aliases are those of its report.
        """
        if request.args.get("reveal") == "1":
            return Masking(reveal=True)
        run = "" if snapshot is None else f"{snapshot.run} {snapshot.state == 'decided'}"
        if run != self._run:
            self._run, self._aliases = run, {}
        language = self.language(request)
        masking = self._aliases.get(language.code)
        if masking is None:
            label = language.text("common.alias", number="{number}")
            masking = self._aliases[language.code] = Masking(label=label, people=self._people())
        if snapshot is not None:
            masking.number_incidents(snapshot.incidents)
        return masking
