"""What the HTML report of a failing run has to show, held against the deployment's own events."""

import base64
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from harness.evidence.ledger import TARGET_SEGMENT, segment_path
from harness.evidence.segment import SegmentReader
from harness.gate import examine
from harness.records import PrintEvent
from harness.report.timelines import timelines
from tests.harness.pages import Page

MOST_BYTES = 2_000_000


def check_timelines(directory: Path) -> None:
    """Each image was overwritten after it was written and before it was read, by the print whose document came out."""
    decision = examine(directory)
    at_ns: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for record in SegmentReader(segment_path(directory, TARGET_SEGMENT)):
        if isinstance(record, PrintEvent):
            at_ns[record.nonce][record.point] = record.at_ns
    incidents = decision.verdict.incidents
    found = timelines(decision.evidence, incidents)
    assert len(found) == len(incidents) >= 3
    for incident in incidents:
        timeline = found[incident.nonce]
        assert timeline.b is not None
        assert timeline.b.person in incident.exposed_persons
        a, b = at_ns[timeline.a.nonce], at_ns[timeline.b.nonce]
        assert a["written"] < b["written"] < a["read"]
        assert a["staged"] < b["staged"] < a["read"], "B was let on while A was in the stage"
        assert timeline.overwritten_ns is not None
        assert timeline.read_ns is not None
        assert timeline.read_ns - timeline.overwritten_ns == a["read"] - b["written"]
        # When the release is stamped, whoever was released may be at work already.
        began_to_release = [step.at_ns for step in timeline.steps if step.what == "sync_applied"]
        assert min(began_to_release) <= timeline.overwritten_ns


def check_page(page: Page, text: str, verdict: dict[str, Any], people: set[str]) -> None:
    """What a reader sees: the verdict, the steps in their order, two pictures that differ, and nobody's name."""
    assert len(text.encode()) < MOST_BYTES
    assert page.texts("h2", id="verdict") == ["FAIL"]
    shown = min(len(verdict["incidents"]), 20)
    articles = page.all("article")
    assert len(articles) == shown
    for article in articles:
        places = [article.text.index(told) for told in ("A writes its image", "is overwritten", "gets the image of B")]
        assert places == sorted(places)
    pictures = [image.attributes["src"] for image in page.all("img")]
    assert len(pictures) == 2 * shown
    for right, delivered in zip(pictures[::2], pictures[1::2], strict=True):
        assert right != delivered
        assert all(base64.b64decode(one.partition(",")[2]).startswith(b"\x89PNG") for one in (right, delivered))
    embedded = b"".join(base64.b64decode(one.partition(",")[2]) for one in pictures)
    assert people
    for name in people:
        assert name not in text
        assert name.encode() not in embedded


def check_report(directory: Path, verdict: dict[str, Any]) -> None:
    """report.html of a failing run on the program of the release."""
    check_timelines(directory)
    text = (directory / "report.html").read_text(encoding="utf-8")
    ledger = (directory / "segments" / "load-1.jsonl").read_text(encoding="utf-8")
    check_page(Page(text), text, verdict, set(re.findall(r'"applicant":"([^"]+)"', ledger)))
