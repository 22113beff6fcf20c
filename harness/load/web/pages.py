"""Our pages beside Locust's own, below `/misissuance`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from flask import Blueprint, Response, send_from_directory

import harness.report
from harness.load.web.desk import Desk
from harness.load.web.grid import grids
from harness.load.web.masked import masked
from harness.load.web.slow_pages import add_slow_pages
from harness.load.web.tab import PAGES
from harness.load.web.view import IncidentRow
from harness.report.language import catalogue

_View = Callable[..., Any]
_STATIC = Path(__file__).parent / "static"
_REPORT = Path(harness.report.__file__).parent / "templates"
_REPORT_STYLE = "report.css"
"""What a report looks like, our pages look like."""
_HEADERS = {
    "Cache-Control": "no-store",  # personal data
    "Content-Security-Policy": (
        "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self'; style-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def make_pages(desk: Desk, guard: Callable[[_View], _View]) -> Blueprint:
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

    def now() -> dict[str, object]:
        """What is known of the run now, and the same in words; no snapshot before the first run."""
        asked = desk.asked()
        seen = None if asked.snapshot is None else masked(asked.snapshot, asked.masking)
        return {"snapshot": seen, "view": asked.view()}

    @page("/")
    def overview() -> str:
        """What goes on, as it goes on."""
        language = desk.asked().language
        data = {
            "language": language.code,
            "texts": {**catalogue("web", language.code), "unknown": language.text("common.unknown")},
            "grids": grids(language),
            "columns": IncidentRow.__struct_fields__,
            "first": msgspec.to_builtins(now()),
        }
        return desk.render("overview", root="./", data=data, columns=IncidentRow.__struct_fields__)

    @page("/snapshot.json")
    def snapshot() -> Response:
        return Response(msgspec.json.encode(now()), mimetype="application/json")

    @page("/static/<path:name>")
    def static(name: str) -> Response:
        return send_from_directory(_REPORT if name == _REPORT_STYLE else _STATIC, name)

    @pages.after_request
    def protect(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    add_slow_pages(desk, page)
    return pages
