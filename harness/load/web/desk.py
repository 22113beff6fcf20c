"""What every page of ours needs: whose runs they are, who looks, and how a page is made."""

from typing import NamedTuple
from urllib.parse import urlencode

from flask import render_template, request

from harness.live.snapshot import Snapshot
from harness.load.web.owner import Owner
from harness.load.web.reader import Readers
from harness.load.web.tab import PAGES
from harness.load.web.view import IncidentRow, View, make_row, make_view
from harness.report.language import Language
from harness.report.masking import Masking


class Asked(NamedTuple):
    """The run as it is now, for whoever asks."""

    snapshot: Snapshot | None
    language: Language
    masking: Masking

    def view(self) -> View:
        """In words."""
        return make_view(self.snapshot, self.language, self.masking)

    def incident(self, nonce: str) -> IncidentRow | None:
        """One of the run, in words."""
        return make_row(self.snapshot, nonce, self.language, self.masking) if self.snapshot is not None else None


class Desk:
    """Answers in the context of a request."""

    def __init__(self, owner: Owner, readers: Readers) -> None:
        self._owner = owner
        self._readers = readers

    def asked(self) -> Asked:
        """By the request that is being answered."""
        snapshot = self._owner.snapshot()
        return Asked(snapshot, self._readers.language(request), self._readers.masking(request, snapshot))

    def render(self, page: str, *, root: str, **values: object) -> str:
        """A page; `root` is the way from it to the overview."""
        language = self._readers.language(request)
        query = request.query_string.decode()
        return render_template(
            f"{PAGES}/{page}.html",
            page=page,
            title=language.text("web.tab"),
            language=language,
            t=language.text,
            root=root,
            query=f"?{query}" if query else "",
            reveal=request.args.get("reveal") == "1",
            address=lambda **changes: f"?{urlencode({**request.args, **changes})}",
            **values,
        )
