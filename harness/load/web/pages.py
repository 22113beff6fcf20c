"""Our pages beside Locust's own, below `/misissuance`. Whatever is slow is done by another process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from flask import Blueprint, Response, request, send_from_directory

from harness.load.web.owner import Owner
from harness.load.web.reader import Readers
from harness.load.web.tab import PAGES
from harness.load.web.view import make_view
from harness.report.masking import Masking
from harness.snapshot import IncidentSeen, Snapshot

_View = Callable[..., Any]
_HERE = Path(__file__).parent
_HEADERS = {
    "Cache-Control": "no-store",  # personal data
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self'; "
    "style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def make_pages(owner: Owner, readers: Readers, guard: Callable[[_View], _View]) -> Blueprint:
    """The pages of the runs of this process.

    Args:
        guard: lets nobody through who may not see Locust's own pages.
    """
    pages = Blueprint(PAGES, __name__, template_folder="templates")

    def page(path: str) -> Callable[[_View], _View]:
        def register(view: _View) -> _View:
            pages.add_url_rule(path, view_func=guard(view))
            return view

        return register

    @page("/snapshot.json")
    def snapshot() -> Response:
        """What is known of the run now, and the same in words; null before the first run."""
        seen, language = owner.snapshot(), readers.language(request)
        masking = readers.masking(request, seen)
        view = make_view(seen, language, masking)
        return _json({"snapshot": seen and _masked(seen, masking), "view": view})

    @page("/static/<path:name>")
    def static(name: str) -> Response:
        return send_from_directory(_HERE / "static", name)

    @pages.after_request
    def protect(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return pages


def _json(told: object) -> Response:
    return Response(msgspec.json.encode(told), mimetype="application/json")


def _masked(snapshot: Snapshot, masking: Masking) -> Snapshot:
    """Without the names of persons, also in sentences."""
    if masking.reveal:
        return snapshot
    return msgspec.structs.replace(
        snapshot,
        incidents=tuple(_masked_incident(incident, masking) for incident in snapshot.incidents),
        faults=tuple(map(masking.text, snapshot.faults)),
        reasons=tuple(
            msgspec.structs.replace(
                reason,
                text=masking.text(reason.text),
                values={
                    name: masking.text(value) if isinstance(value, str) else value
                    for name, value in reason.values.items()
                },
            )
            for reason in snapshot.reasons
        ),
    )


def _masked_incident(incident: IncidentSeen, masking: Masking) -> IncidentSeen:
    return msgspec.structs.replace(
        incident, recipient=masking.person(incident.recipient), owners=masking.persons(incident.owners)
    )
