"""Certificates as A4 PDF files, byte for byte a pure function of what they certify.

Each page carries its identity mark as one literal text operator in an uncompressed content stream, so that the owner of
any page can be told by a regular expression from the raw bytes, even of half a file.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from io import BytesIO
from math import ceil
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from harness.records import Mark
from targets.municipal.people import CITY, Person

KINDS: Final = ("juminhyo", "inkan", "koseki", "zei")
OPTIONS: Final = ("household", "my_number")
"""Both for juminhyo only."""
FONT_FILE: Final = Path(__file__).parent / "fonts" / "NotoSansJP-subset.ttf"

_FONT: Final = "NotoSansJP-subset"
_LEFT, _RIGHT, _MIDDLE = 45.0, 550.0, 297.5
_LABEL_WIDTH: Final = 82.0
_ROW_HEIGHT: Final = 20.0
_PERSONS_A_PAGE: Final = 5
_BLACK: Final = (0.0, 0.0, 0.0)
_RED: Final = (0.78, 0.12, 0.12)
_RULE: Final = (0.35, 0.35, 0.35)
_LABEL_GROUND: Final = (0.93, 0.95, 0.93)
_COPY_GREY: Final = (0.9, 0.9, 0.9)
_SAMPLE_PINK: Final = (0.98, 0.86, 0.86)

_ERAS: Final = (
    (date(2019, 5, 1), "令和"),
    (date(1989, 1, 8), "平成"),
    (date(1926, 12, 25), "昭和"),
    (date(1912, 7, 30), "大正"),
)
_REMARKS: Final = {"resident": "", "moved_out": "転出", "dead": "死亡"}
_OMITTED: Final = "（省略）"
_MARK: Final = re.compile(
    rb"\(MISISSUE persons=([\w-]+(?:,[\w-]+)*) kind=(\w+) options=((?:\w+(?:,\w+)*)?)"
    rb" version=(\d{1,9}) page=(\d{1,9})/(\d{1,9})\) Tj"
)
_RENDERING: Final = Lock()
"""Guards the font, whose file position the canvases share while they embed it."""

_Row = tuple[tuple[str, str], ...]
"""One or two pairs of (label, value)."""


class _Page(NamedTuple):
    title: str
    tables: Sequence[Sequence[_Row]]
    closing: str = ""
    """The attestation, with which the last page ends."""
    imprint: str = ""
    """Characters of the registered seal."""


def render(kind: str, people: Sequence[Person], options: tuple[str, ...] = (), *, issue_date: str) -> bytes:
    """The certificate as a PDF file.

    Args:
        kind: one of `KINDS`; a koseki has 3 pages, a juminhyo one for each 5 people, the others one.
        people: whom the paper shows, in its order: the household for a juminhyo with "household", else one person.
        options: some of `OPTIONS`, in any order.
        issue_date: ISO date.

    Raises:
        ValueError: for an unknown kind, an option that the kind does not have, the wrong number of people, people of
            more than one version, an inkan without a registered seal, an id that does not fit the identity mark, a
            broken date, or a character for which the font has no glyph.
    """
    _check(kind, people, options)
    day = date.fromisoformat(issue_date)
    pages = _pages(kind, people, options, day)
    buffer = BytesIO()
    with _RENDERING:
        _register_font()
        canvas = Canvas(buffer, pagesize=A4, pageCompression=0, invariant=1, pdfVersion=(1, 4))
        canvas.setTitle(kind)
        canvas.beginForm("ground", 0, 0, *A4)
        _draw_ground(canvas)
        canvas.endForm()
        for number, page in enumerate(pages, start=1):
            mark = Mark(
                persons=tuple(one.person for one in people),
                kind=kind,
                options=tuple(sorted(options)),
                version=people[0].version,
                page=number,
                pages=len(pages),
            )
            # Forms are written ahead of the font, page contents behind it, where a cut would take the mark away.
            form = f"page{number}"
            canvas.beginForm(form, 0, 0, *A4)
            _draw_page(canvas, page, day)
            _draw_foot(canvas, mark)
            canvas.endForm()
            canvas.doForm("ground")
            canvas.doForm(form)
            canvas.showPage()
        canvas.save()
    return buffer.getvalue()


def read_marks(document: bytes) -> tuple[Mark, ...]:
    """The identity marks in the bytes of a document, in their order; whatever is no whole mark is passed over."""
    return tuple(
        Mark(
            persons=tuple(persons.decode().split(",")),
            kind=kind.decode(),
            options=tuple(options.decode().split(",")) if options else (),
            version=int(version),
            page=int(page),
            pages=int(pages),
        )
        for persons, kind, options, version, page, pages in _MARK.findall(document)
    )


def _check(kind: str, people: Sequence[Person], options: tuple[str, ...]) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(KINDS)}")
    allowed = OPTIONS if kind == "juminhyo" else ()
    if not set(options) <= set(allowed) or len(set(options)) < len(options):
        raise ValueError(f"options {options!r}: {kind} takes each of {allowed!r} at most once")
    if not people or (len(people) > 1 and "household" not in options):
        raise ValueError(f"{len(people)} people on a {kind} with options {options!r}: only a household may be several")
    if len({one.version for one in people}) > 1:
        raise ValueError("the people are of more than one version of the record")
    if kind == "inkan" and people[0].seal is None:
        raise ValueError(f"{people[0].person} has no registered seal")


@cache
def _register_font() -> TTFont:
    font = TTFont(_FONT, FONT_FILE, asciiReadable=False)
    pdfmetrics.registerFont(font)
    return font


def _era(day: date) -> str:
    return f"{_era_year(day)}{day.month}月{day.day}日"


def _era_year(day: date) -> str:
    for first, name in _ERAS:
        if day >= first:
            year = day.year - first.year + 1
            return f"{name}{'元' if year == 1 else year}年"
    return f"西暦{day.year}年"


def _date(iso: str) -> str:
    return _era(date.fromisoformat(iso))


def _pages(kind: str, people: Sequence[Person], options: tuple[str, ...], day: date) -> Sequence[_Page]:
    match kind:
        case "juminhyo":
            return _juminhyo(people, options)
        case "inkan":
            return _inkan(people[0])
        case "koseki":
            return _koseki(people[0])
        case _:
            return _zei(people[0], day)


def _juminhyo(people: Sequence[Person], options: tuple[str, ...]) -> Sequence[_Page]:
    first = people[0]
    head: Sequence[_Row] = [(("住所", first.address),), (("世帯主", first.householder),)]
    blocks: list[Sequence[_Row]] = [
        [
            (("氏名", one.name), ("フリガナ", one.kana)),
            (("生年月日", _date(one.birth)), ("性別", one.sex)),
            (("続柄", one.relation), ("住民となった日", _date(one.resident_since))),
            (("本籍", one.honseki), ("筆頭者", one.head_of_register)),
            (
                ("個人番号", one.my_number if "my_number" in options else _OMITTED),
                ("備考", _REMARKS[one.status]),
            ),
        ]
        for one in people
    ]
    scope = "世帯全員" if "household" in options else "世帯の一部"
    closing = f"この写しは、{scope}の住民票の原本と相違ないことを証明する。"
    pages = ceil(len(blocks) / _PERSONS_A_PAGE)
    return [
        _Page(
            "住民票の写し",
            [head, *blocks[page * _PERSONS_A_PAGE : (page + 1) * _PERSONS_A_PAGE]],
            closing if page == pages - 1 else "",
        )
        for page in range(pages)
    ]


def _inkan(one: Person) -> Sequence[_Page]:
    rows: Sequence[_Row] = [
        (("登録番号", one.seal or ""), ("性別", one.sex)),
        (("氏名", one.name), ("フリガナ", one.kana)),
        (("生年月日", _date(one.birth)),),
        (("住所", one.address),),
    ]
    return [
        _Page(
            "印鑑登録証明書",
            [rows],
            "この写しは、登録された印影と相違ないことを証明する。",
            imprint=_split(one.name)[0] or "印",
        )
    ]


def _koseki(one: Person) -> Sequence[_Page]:
    birth = date.fromisoformat(one.birth)
    head: Sequence[_Row] = [(("本籍", one.honseki),), (("筆頭者", one.head_of_register),)]
    register: Sequence[_Row] = [
        (("戸籍事項", "戸籍改製"),),
        (("改製日", "平成20年3月15日"),),
        (("改製事由", "平成6年法務省令第51号附則第2条第1項による改製"),),
    ]
    entry: Sequence[_Row] = [
        (("記録されている者", one.name),),
        (("名", _split(one.name)[1]), ("フリガナ", one.kana)),
        (("生年月日", _era(birth)), ("性別", one.sex)),
    ]
    history: Sequence[_Row] = [
        (("身分事項", "出生"),),
        (("氏名", one.name),),
        (("出生日", _era(birth)), ("出生地", one.honseki)),
        (("届出日", _era(birth + timedelta(days=7))), ("届出人", "父")),
    ]
    closing = "これは、戸籍に記録されている事項の全部を証明した書面である。"
    title = "戸籍全部事項証明書"
    return [_Page(title, [head, register]), _Page(title, [head, entry]), _Page(title, [head, history], closing)]


def _zei(one: Person, day: date) -> Sequence[_Page]:
    # The papers of a fiscal year, which are about the calendar year before it, can be had from June.
    fiscal = day.replace(year=day.year - (day.month < 6), day=1)
    city_tax_yen = one.tax_yen * 6 // 10
    rows: Sequence[_Row] = [
        (("住所", one.address),),
        (("氏名", one.name), ("フリガナ", one.kana)),
        (("生年月日", _date(one.birth)), ("年度", f"{_era_year(fiscal)}度")),
    ]
    sums: Sequence[_Row] = [
        (("合計所得金額", f"{one.income_yen:,}円"),),
        (("市民税", f"{city_tax_yen:,}円"), ("県民税", f"{one.tax_yen - city_tax_yen:,}円")),
        (("年税額", f"{one.tax_yen:,}円"),),
    ]
    return [_Page("所得・課税証明書", [rows, sums], "上記のとおり相違ないことを証明する。")]


def _split(name: str) -> tuple[str, str]:
    """Surname and given name; empty where there is none."""
    surname, _, given = name.partition("　")
    return surname, given


def _write(canvas: Canvas, x: float, y: float, size: float, text: str, *, spacing: float = 0) -> None:
    """Write Japanese text; x is its left end, or its middle where the text is spaced out."""
    missing = {character for character in text if ord(character) not in _register_font().face.charToGlyph}
    if missing:
        raise ValueError(f"the font has no glyph for {''.join(sorted(missing))!r}")
    canvas.setFont(_FONT, size)
    if spacing:
        canvas.drawCentredString(x, y, text, charSpace=spacing)
    else:
        canvas.drawString(x, y, text)


def _draw_ground(canvas: Canvas) -> None:
    """The copy warning all over the page, and 見本 so large that nobody takes the paper for a real one."""
    canvas.saveState()
    canvas.rotate(30)
    canvas.setFillColorRGB(*_COPY_GREY)
    pattern = canvas.beginText(0, 720)
    pattern.setFont(_FONT, 18, leading=74)
    for line in range(14):
        pattern.textLine("複写　　　" * 10 if line % 2 else "　　複写　" * 10)
    canvas.drawText(pattern)
    canvas.setFillColorRGB(*_SAMPLE_PINK)
    _write(canvas, 290, 190, 150, "見本")
    canvas.restoreState()


def _draw_page(canvas: Canvas, page: _Page, day: date) -> None:
    canvas.setFillColorRGB(*_BLACK)
    _write(canvas, _MIDDLE, 785, 20, page.title, spacing=5)
    top = 762.0
    for rows in page.tables:
        top = _draw_table(canvas, top, rows) - 7
    if page.imprint:
        _draw_imprint(canvas, _MIDDLE, top - 95, page.imprint)
        top -= 190
    if page.closing:
        _write(canvas, _MIDDLE, top - 12, 9, "以下余白", spacing=4)
        _write(canvas, _LEFT, 118, 10, page.closing)
        _write(canvas, _LEFT, 96, 10, _era(day))
        _write(canvas, 302, 82, 13, f"{CITY}長　見本　太郎")
        _draw_official_seal(canvas, 488, 60)


def _draw_table(canvas: Canvas, top: float, rows: Sequence[_Row]) -> float:
    """Draw the rows below one another; returns where the table ends."""
    canvas.setStrokeColorRGB(*_RULE)
    canvas.setLineWidth(0.6)
    for number, row in enumerate(rows):
        low = top - _ROW_HEIGHT * (number + 1)
        for (label, value), left in zip(row, (_LEFT, _MIDDLE), strict=False):
            canvas.setFillColorRGB(*_LABEL_GROUND)
            canvas.rect(left, low, _LABEL_WIDTH, _ROW_HEIGHT, stroke=1, fill=1)
            canvas.setFillColorRGB(*_BLACK)
            _write(canvas, left + 5, low + 6.5, 9, label)
            _write(canvas, left + _LABEL_WIDTH + 6, low + 6, 10.5, value)
        canvas.rect(_LEFT, low, _RIGHT - _LEFT, _ROW_HEIGHT)
    return top - _ROW_HEIGHT * len(rows)


def _draw_imprint(canvas: Canvas, x: float, y: float, surname: str) -> None:
    """A seal of 80 points across in its frame, the surname running down its middle; (x, y) is the middle."""
    canvas.rect(x - 80, y - 80, 160, 160)
    canvas.setStrokeColorRGB(*_BLACK)
    canvas.setLineWidth(2.5)
    canvas.circle(x, y, 40)
    size = min(34.0, 64 / len(surname))
    top = y + size * len(surname) / 2
    for number, character in enumerate(surname, start=1):
        _write(canvas, x - size / 2, top - size * number + size * 0.12, size, character)


def _draw_official_seal(canvas: Canvas, x: float, y: float) -> None:
    """The square seal of the issuing office, read in columns from the right; (x, y) is its lower left corner."""
    canvas.setStrokeColorRGB(*_RED)
    canvas.setFillColorRGB(*_RED)
    canvas.setLineWidth(1.8)
    canvas.rect(x, y, 58, 58)
    for column, characters in enumerate(("之印", "市長", "見本")):
        for row, character in enumerate(characters):
            _write(canvas, x + 3 + 18 * column, y + 34 - 25 * row, 16, character)


def _draw_foot(canvas: Canvas, mark: Mark) -> None:
    canvas.setFillColorRGB(*_RED)
    _write(canvas, _LEFT, 36, 9, "見本　試験用の架空の証明書であり、効力はない。")
    canvas.setFillColorRGB(*_BLACK)
    _write(canvas, 511, 36, 9, f"{mark.page} / {mark.pages} 頁")
    line = (
        f"MISISSUE persons={','.join(mark.persons)} kind={mark.kind} options={','.join(mark.options)}"
        f" version={mark.version} page={mark.page}/{mark.pages}"
    )
    if not _MARK.fullmatch(f"({line}) Tj".encode()):
        raise ValueError(f"a reader would not find the identity mark {line!r}")
    canvas.setFont("Courier", 6.5)
    canvas.drawString(_LEFT, 22, line)
