"""Our tabs in Locust's own UI: the tables' heads, and their rows out of a snapshot. Pure.

Locust 2.47 shows one table a tab, of texts only; the page script makes links of what is the address of a page.
"""

from collections.abc import Iterator

from msgspec.structs import asdict

from harness.live.snapshot import Snapshot
from harness.load.web.view import IncidentRow, View
from harness.report.language import Language

Row = dict[str, str]
PAGES = "misissuance"
"""Where our pages are, below Locust's own."""
_RUN, _INCIDENTS = "misissuance", "misissuance-incidents"


def template_args(language: Language) -> dict[str, object]:
    """What Locust's page has to be told of our tabs."""
    text = language.text
    return {
        "extended_tabs": [
            {"title": text("web.tab"), "key": _RUN},
            {"title": text("web.tab_incidents"), "key": _INCIDENTS},
        ],
        "extended_tables": [
            {
                "key": _RUN,
                "structure": [
                    {"key": "what", "title": text("web.what")},
                    {"key": "value", "title": text("web.so_far")},
                ],
            },
            {
                "key": _INCIDENTS,
                "structure": [
                    {"key": column, "title": text(f"web.column_{column}")} for column in IncidentRow.__struct_fields__
                ],
            },
        ],
        "extended_csv_files": [{"href": f"./{PAGES}/", "title": f"{text('web.tab')}: {text('web.overview_link')}"}],
    }


def extended_stats(snapshot: Snapshot | None, view: View, language: Language) -> list[dict[str, object]]:
    """The rows of our tables, as `/stats/requests` carries them."""
    incidents = [asdict(incident) | {"page": f"{PAGES}/{incident.page}"} for incident in view.incidents]
    return [
        {"key": _RUN, "data": list(_run_rows(snapshot, view, language))},
        {"key": _INCIDENTS, "data": incidents},
    ]


def _run_rows(snapshot: Snapshot | None, view: View, language: Language) -> Iterator[Row]:
    text = language.text
    yield {"what": text("web.verdict"), "value": f"{view.title}: {view.sentence}"}
    yield {"what": text("web.overview_link"), "value": f"{PAGES}/"}
    if snapshot is None:
        return
    yield {"what": text("web.progress"), "value": view.status}
    for reason in view.reasons:
        yield {"what": text("web.reason"), "value": reason}
    for group in view.groups:
        for figure in group.figures:
            yield {"what": figure.label, "value": figure.value}
    for fault in view.faults:
        yield {"what": text("web.gap"), "value": fault}
    yield {"what": text("web.directory"), "value": snapshot.directory}
