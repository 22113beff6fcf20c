"""A picture by itself: small, the same whenever it is drawn, of the documents in a run directory."""

import subprocess
import sys
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from harness.report.pictures import draw_incident, draw_pair
from harness.report.sheet import LARGEST_BYTES
from targets.municipal.certificates import render
from tests.harness.pictures.drawn import RESIDENTS, at, pdf


def _print_full(canvas: Canvas) -> None:
    canvas.setFont("test", 6)
    for line in range(130):
        canvas.drawString(20, 830 - 6.2 * line, "住民票の写し本籍筆頭者届出人個人番号" * 6)


@pytest.mark.parametrize("reveal", [True, False])
def test_size(reveal: bool) -> None:
    """However much there is on a page, its picture is small enough for forty of them in a report of 2 MB."""
    noise = Image.frombytes("L", (800, 1100), Random(1).randbytes(800 * 1100))
    buffer = BytesIO()
    noise.save(buffer, format="PNG")
    large, little = (pdf(at(9, 9, "x"), size=size) for size in ((9000, 14000), (50, 30)))
    for document in (pdf(_print_full), buffer.getvalue(), large, little):
        picture = draw_pair(document, None, reveal=reveal).delivered
        assert 0 < len(b64decode(picture.data_uri.partition(",")[2])) <= LARGEST_BYTES
        assert max(picture.width, picture.height) <= (842 if document is not little else 100)
    assert 40 * LARGEST_BYTES * 4 / 3 < 1.3e6


def test_the_same_documents_make_the_same_bytes() -> None:
    """A picture depends on the documents alone: nothing of when, where and by whom it was drawn is in it."""
    documents = [render("juminhyo", [one], issue_date="2023-04-30") for one in RESIDENTS[:2]]
    for reveal in (True, False):
        assert draw_pair(*documents, reveal=reveal) == draw_pair(*documents, reveal=reveal)
        picture = draw_pair(*documents, reveal=reveal).delivered
        data = b64decode(picture.data_uri.partition(",")[2])
        image = Image.open(BytesIO(data))
        image.load()
        assert image.info == {}
        assert not any(chunk in data for chunk in (b"tIME", b"tEXt", b"iTXt", b"zTXt", b"eXIf"))


def test_loaded_only_when_drawn() -> None:
    """Who only knows of pictures does not load what draws them."""
    program = "import sys, harness.report.pictures; print({'PIL', 'pypdfium2'} & set(sys.modules))"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert told == "set()\n"


def test_documents_of_a_run(tmp_path: Path) -> None:
    """An incident's documents are those in its run directory; one without them is told in words."""
    incidents = tmp_path / "incidents"
    incidents.mkdir()
    (incidents / "A1.1.document").write_bytes(b"of X\n")
    (incidents / "A1.1.right.document").write_bytes(b"of A\n")
    pair = draw_incident(tmp_path, "A1.1", reveal=True)
    assert [line.text for picture in (pair.delivered, pair.right) for line in picture.lines] == ["of X", "of A"]
    for nonce, directory in (("A2.1", tmp_path), ("A1.1", tmp_path / "nowhere"), ("../incidents/A1.1", tmp_path)):
        pair = draw_incident(directory, nonce, reveal=True)
        assert (pair.delivered.alt_text_key, pair.right.alt_text_key) == (
            "pictures.delivered_missing",
            "pictures.right_missing",
        )
