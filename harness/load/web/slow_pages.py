"""The pages whose making takes seconds: an incident, the report, the verdict. Other processes do the work."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from flask import Response
from markupsafe import Markup

from harness.evidence.ledger import VERDICT_FILE, pretty_json
from harness.load.web.desk import Asked, Desk
from harness.load.web.masked import masked_verdict
from harness.load.web.slow import SlowError, SlowWork
from harness.load.web.view import IncidentRow
from harness.verdict import Verdict

_View = Callable[..., Any]
_MODULE = "harness.load.web.evidence"
_IN_THE_TITLE = {"recipient", "owners", "page"}
_REPORT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def add_slow_pages(desk: Desk, page: Callable[[str], Callable[[_View], _View]]) -> None:
    """Add them.

    Args:
        page: registers a view at its path.
    """
    work = SlowWork()

    def make(asked: Asked, *arguments: str) -> bytes:
        """Raises: SlowError."""
        snapshot = asked.snapshot
        if snapshot is None:
            raise SlowError(asked.language.text("web.report_none"))
        options = ["--reveal"] if asked.masking.reveal else []
        return work.run(
            _MODULE,
            snapshot.directory,
            asked.language.code,
            *options,
            *arguments,
            told=msgspec.json.encode(asked.masking.known),
            keep=snapshot.state == "decided",
        )

    @page("/incident/<nonce>")
    def incident(nonce: str) -> tuple[str, int]:
        asked = desk.asked()
        facts = asked.incident(nonce)
        left_out = _IN_THE_TITLE
        if asked.snapshot is not None and not asked.snapshot.synchronises:
            left_out = left_out | {"sync_run"}
        columns = [name for name in IncidentRow.__struct_fields__ if name not in left_out]
        body = desk.render("incident", root="../", nonce=nonce, facts=facts, columns=columns)
        return body, 200 if facts is not None else 404

    @page("/incident/<nonce>/evidence")
    def evidence(nonce: str) -> Response:
        """A part of that page."""
        asked = desk.asked()
        try:
            part = make(asked, f"--incident={nonce}")
        except SlowError as error:
            told = asked.language.text("web.evidence_failed", reason=error)
            part = Markup("<p class=notice>{}</p>").format(told).encode()
        return Response(part, mimetype="text/html")

    @page("/report")
    def report() -> Response:
        """As `misissue report` would make it now."""
        asked = desk.asked()
        try:
            made = make(asked)
        except SlowError as error:
            key = "web.report_failed" if asked.snapshot is not None else "web.report_none"
            return Response(desk.render("note", root="./", note=asked.language.text(key, reason=error)), 404)
        if asked.snapshot is not None and asked.snapshot.state != "decided":
            notice = Markup('<p class="notice">{} {}</p>').format(
                f"{datetime.now().astimezone():%H:%M:%S}", asked.language.text("web.report_goes_on")
            )
            made = made.replace(b"<body>", b"<body>" + notice.encode(), 1)
        return Response(made, mimetype="text/html", headers={"Content-Security-Policy": _REPORT_POLICY})

    @page("/verdict.json")
    def verdict() -> Response:
        """The file, with aliases in place of names unless they are asked for."""
        asked = desk.asked()
        if asked.snapshot is None or asked.snapshot.state != "decided":
            return Response(desk.render("note", root="./", note=asked.language.text("web.verdict_none")), 404)
        directory = Path(asked.snapshot.directory)
        try:
            found = msgspec.json.decode((directory / VERDICT_FILE).read_bytes(), type=Verdict)
        except OSError:
            return Response(desk.render("note", root="./", note=asked.language.text("web.verdict_gone")), 404)
        shown = pretty_json(masked_verdict(found, asked.masking))
        name = f"{directory.name}-{VERDICT_FILE}"
        return Response(
            shown, mimetype="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )
