"""Certificates as A4 PDF files, byte for byte a pure function of what they certify.

Each page carries its identity mark as one literal text operator in an uncompressed content stream, so that the owner of
any page can be told by a regular expression from the raw bytes, even of half a file.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from math import ceil
from typing import Final

from harness.records import Mark
from targets.municipal.paper import FONT_FILE, Page, Row, draw
from targets.municipal.people import Person, split_name

__all__ = ["FONT_FILE", "KINDS", "OPTIONS", "check_kind", "read_marks", "render"]

KINDS: Final = ("juminhyo", "inkan", "koseki", "zei")
OPTIONS: Final = ("household", "my_number")
"""Both for juminhyo only."""

_PERSONS_A_PAGE: Final = 5
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
    marks = [
        _mark_line(
            Mark(
                persons=tuple(one.person for one in people),
                kind=kind,
                options=tuple(sorted(options)),
                version=people[0].version,
                page=number,
                pages=len(pages),
            )
        )
        for number in range(1, len(pages) + 1)
    ]
    return draw(kind, pages, marks, issued=_era(day))


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


def _mark_line(mark: Mark) -> str:
    line = (
        f"MISISSUE persons={','.join(mark.persons)} kind={mark.kind} options={','.join(mark.options)}"
        f" version={mark.version} page={mark.page}/{mark.pages}"
    )
    if not _MARK.fullmatch(f"({line}) Tj".encode()):
        raise ValueError(f"a reader would not find the identity mark {line!r}")
    return line


def check_kind(kind: str, options: Sequence[str]) -> None:
    """Whether there is such a certificate.

    Raises:
        ValueError: for an unknown kind, or an option that the kind does not have.
    """
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(KINDS)}")
    allowed = OPTIONS if kind == "juminhyo" else ()
    if not set(options) <= set(allowed) or len(set(options)) < len(options):
        raise ValueError(f"options {options!r}: {kind} takes each of {allowed!r} at most once")


def _check(kind: str, people: Sequence[Person], options: tuple[str, ...]) -> None:
    check_kind(kind, options)
    if not people or (len(people) > 1 and "household" not in options):
        raise ValueError(f"{len(people)} people on a {kind} with options {options!r}: only a household may be several")
    if len({one.version for one in people}) > 1:
        raise ValueError("the people are of more than one version of the record")
    if kind == "inkan" and people[0].seal is None:
        raise ValueError(f"{people[0].person} has no registered seal")


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


def _pages(kind: str, people: Sequence[Person], options: tuple[str, ...], day: date) -> Sequence[Page]:
    match kind:
        case "juminhyo":
            return _juminhyo(people, options)
        case "inkan":
            return _inkan(people[0])
        case "koseki":
            return _koseki(people[0])
        case _:
            return _zei(people[0], day)


def _juminhyo(people: Sequence[Person], options: tuple[str, ...]) -> Sequence[Page]:
    first = people[0]
    head: Sequence[Row] = [(("住所", first.address),), (("世帯主", first.householder),)]
    blocks: list[Sequence[Row]] = [
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
        Page(
            "住民票の写し",
            [head, *blocks[page * _PERSONS_A_PAGE : (page + 1) * _PERSONS_A_PAGE]],
            closing if page == pages - 1 else "",
        )
        for page in range(pages)
    ]


def _inkan(one: Person) -> Sequence[Page]:
    rows: Sequence[Row] = [
        (("登録番号", one.seal or ""), ("性別", one.sex)),
        (("氏名", one.name), ("フリガナ", one.kana)),
        (("生年月日", _date(one.birth)),),
        (("住所", one.address),),
    ]
    return [
        Page(
            "印鑑登録証明書",
            [rows],
            "この写しは、登録された印影と相違ないことを証明する。",
            imprint=split_name(one.name)[0] or "印",
        )
    ]


def _koseki(one: Person) -> Sequence[Page]:
    birth = date.fromisoformat(one.birth)
    head: Sequence[Row] = [(("本籍", one.honseki),), (("筆頭者", one.head_of_register),)]
    register: Sequence[Row] = [
        (("戸籍事項", "戸籍改製"),),
        (("改製日", "平成20年3月15日"),),
        (("改製事由", "平成6年法務省令第51号附則第2条第1項による改製"),),
    ]
    entry: Sequence[Row] = [
        (("記録されている者", one.name),),
        (("名", split_name(one.name)[1]), ("フリガナ", one.kana)),
        (("生年月日", _era(birth)), ("性別", one.sex)),
    ]
    history: Sequence[Row] = [
        (("身分事項", "出生"),),
        (("氏名", one.name),),
        (("出生日", _era(birth)), ("出生地", one.honseki)),
        (("届出日", _era(birth + timedelta(days=7))), ("届出人", "父")),
    ]
    closing = "これは、戸籍に記録されている事項の全部を証明した書面である。"
    title = "戸籍全部事項証明書"
    return [Page(title, [head, register]), Page(title, [head, entry]), Page(title, [head, history], closing)]


def _zei(one: Person, day: date) -> Sequence[Page]:
    # The papers of a fiscal year, which are about the calendar year before it, can be had from June.
    fiscal = day.replace(year=day.year - (day.month < 6), day=1)
    city_tax_yen = one.tax_yen * 6 // 10
    rows: Sequence[Row] = [
        (("住所", one.address),),
        (("氏名", one.name), ("フリガナ", one.kana)),
        (("生年月日", _date(one.birth)), ("年度", f"{_era_year(fiscal)}度")),
    ]
    sums: Sequence[Row] = [
        (("合計所得金額", f"{one.income_yen:,}円"),),
        (("市民税", f"{city_tax_yen:,}円"), ("県民税", f"{one.tax_yen - city_tax_yen:,}円")),
        (("年税額", f"{one.tax_yen:,}円"),),
    ]
    return [Page("所得・課税証明書", [rows, sums], "上記のとおり相違ないことを証明する。")]
