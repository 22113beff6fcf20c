"""Synthetic residents of an invented city, drawn from a seed.

Every word that a record can hold stands in this module, so that the committed font can be cut down to them. Nobody here
can be real: the city does not exist, and every My Number carries a wrong check digit.
"""

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final, Literal

import msgspec

Sex = Literal["男", "女"]
Status = Literal["resident", "moved_out", "dead"]

_SEXES: Final[tuple[Sex, ...]] = ("男", "女")
_PARENTS: Final[tuple[tuple[str, Sex], ...]] = (("父", "男"), ("母", "女"))

RELATIONS: Final = ("世帯主", "妻", "夫", "子", "父", "母", "同居人")
"""Every relation to the householder that a record can hold; 同居人 arises only by a change."""
CITY: Final = "見本県見本市"
AS_OF: Final = date(2023, 4, 1)
"""The day on which the population is counted; ages refer to it."""

_SIZES: Final = (0.34, 0.28, 0.18, 0.14, 0.06)
"""Share of the households of 1 to 5 persons; 2.3 persons on average."""
_SEAL_SHARE: Final = 0.85
_PROTECTED_SHARE: Final = 0.005


def _words(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs of (written form, kana) of a list "form kana,form kana,..."."""
    pairs = (entry.split() for entry in text.split(",") if entry.strip())
    return tuple((word, kana) for word, kana in pairs)


_SURNAMES: Final = _words("""
見本 ミホン,山田 ヤマダ,田中 タナカ,中村 ナカムラ,村上 ムラカミ,上田 ウエダ,山本 ヤマモト,山口 ヤマグチ,川口 カワグチ,
石川 イシカワ,石田 イシダ,小川 オガワ,小山 オヤマ,小林 コバヤシ,大林 オオバヤシ,大野 オオノ,野口 ノグチ,野村 ノムラ,
中野 ナカノ,中山 ナカヤマ,木村 キムラ,高木 タカギ,高田 タカダ,高橋 タカハシ,大橋 オオハシ,松本 マツモト,松田 マツダ,
竹田 タケダ,竹内 タケウチ,森 モリ,森田 モリタ,林 ハヤシ
""")
_GIVEN_MALE: Final = _words("""
太郎 タロウ,一郎 イチロウ,光太郎 コウタロウ,正太郎 ショウタロウ,春太郎 ハルタロウ,明 アキラ,明人 アキト,光 ヒカル,
光一 コウイチ,光明 ミツアキ,正 タダシ,正一 ショウイチ,正人 マサト,正也 マサヤ,正明 マサアキ,正樹 マサキ,正和 マサカズ,
和一 カズイチ,和人 カズト,和也 カズヤ,和樹 カズキ,和明 カズアキ,和正 カズマサ,直 ナオ,直一 ナオイチ,直人 ナオト,
直也 ナオヤ,直樹 ナオキ,直明 ナオアキ,大樹 ダイキ,大和 ヤマト,大也 ダイヤ,信一 シンイチ,信也 シンヤ,信人 ノブト,
信明 ノブアキ,信和 ノブカズ,清 キヨシ,清一 セイイチ,清人 キヨト,清明 キヨアキ,清和 キヨカズ,春樹 ハルキ,春人 ハルト,
秋人 アキヒト,夏樹 ナツキ
""")
_GIVEN_FEMALE: Final = _words("""
花子 ハナコ,春子 ハルコ,夏子 ナツコ,秋子 アキコ,明子 アキコ,光子 ミツコ,正子 マサコ,和子 カズコ,直子 ナオコ,
信子 ノブコ,清子 キヨコ,真子 マコ,千子 チコ,花 ハナ,花美 ハナミ,春花 ハルカ,春美 ハルミ,春香 ハルカ,夏美 ナツミ,
夏花 ナツカ,夏香 ナツカ,秋美 アキミ,秋香 アキカ,明美 アキミ,明花 アキカ,明日香 アスカ,光美 ミツミ,正美 マサミ,
和美 カズミ,和花 カズハ,直美 ナオミ,直香 ナオカ,清美 キヨミ,清香 サヤカ,真美 マミ,真花 マナカ,真春 マハル,千春 チハル,
千夏 チナツ,千秋 チアキ,千花 チカ,千香 チカ,美春 ミハル,美和 ミワ,美花 ミカ,美香 ミカ,さくら サクラ,みどり ミドリ,
ひかり ヒカリ
""")
_TOWNS: Final = (
    "本町",
    "上町",
    "中町",
    "大町",
    "川町",
    "花町",
    "春日町",
    "光が丘",
    "松が丘",
    "竹が丘",
    "森の里",
    "清水町",
    "高野町",
    "石橋町",
    "小松町",
    "千本町",
)
_REGISTER_CITIES: Final = (CITY, CITY, CITY, "見本県小松市", "見本県高森市", "花川県大町市")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One person's row of a resident record.

    Args:
        version: version of the household's record, from 1; all its members carry the same.
        birth: ISO date, as is resident_since.
        householder: name of the 世帯主; relation, one of `RELATIONS`, is the person's to them.
        my_number: 12 digits, the last of which is never the right check digit.
        honseki: place of the family register (本籍); head_of_register is the name under which it is kept (筆頭者).
        protected: under 支援措置 (the address must not reach a pursuer), so that nothing may be issued by machine.
        seal: number of the seal registration; None when there is none, or none any more.
    """

    person: str
    household: str
    version: int
    name: str
    kana: str
    birth: str
    sex: Sex
    address: str
    householder: str
    relation: str
    my_number: str
    honseki: str
    head_of_register: str
    resident_since: str
    status: Status = "resident"
    protected: bool = False
    seal: str | None = None
    income_yen: int = 0
    tax_yen: int = 0


def check_digit(digits: str) -> int:
    """The check digit that belongs behind the first 11 digits of a My Number.

    With P_n the n-th digit from the right and Q_n = n + 1 for n <= 6, n - 5 above: 11 - (sum of P_n * Q_n mod 11), or 0
    where the remainder is 0 or 1 (ordinance of the Ministry of Internal Affairs 総務省令第85号 of 2014, article 5).
    """
    rest = sum(int(p) * (n + 1 if n <= 6 else n - 5) for n, p in enumerate(reversed(digits), start=1)) % 11
    return 0 if rest <= 1 else 11 - rest


def draw_my_number(random: Random) -> str:
    """12 digits that cannot be anybody's My Number, because the check digit is wrong."""
    digits = f"{random.randrange(10**11):011d}"
    return digits + str((check_digit(digits) + random.randint(1, 9)) % 10)


def draw_surname(random: Random) -> tuple[str, str]:
    """A surname and its kana."""
    return random.choice(_SURNAMES)


def draw_given(random: Random, sex: Sex) -> tuple[str, str]:
    """A given name and its kana."""
    return random.choice(_GIVEN_MALE if sex == "男" else _GIVEN_FEMALE)


def draw_address(random: Random) -> str:
    """An address inside the city."""
    return CITY + _draw_place(random) + f"{random.randint(1, 40)}号"


def draw_newcomer(random: Random, person: str, member: Person, *, taken: Collection[str]) -> Person:
    """Somebody who was born into a member's household or moves in from elsewhere, not yet with a registered seal.

    Args:
        taken: given names of the household, so that no two of it come to have the same name.
    """
    is_born = random.random() < 0.5
    sex = random.choice(_SEXES)
    surname, surname_kana = draw_surname(random)
    if is_born:
        surname, surname_kana = split_name(member.name)[0], split_name(member.kana)[0]
    while True:
        given, given_kana = draw_given(random, sex)
        if given not in taken:
            break
    name = f"{surname}　{given}"
    birth = _draw_day(random, AS_OF - timedelta(days=14), AS_OF) if is_born else _draw_birth(random, 20, 60)
    return msgspec.structs.replace(
        member,
        person=person,
        name=name,
        kana=f"{surname_kana}　{given_kana}",
        birth=birth.isoformat(),
        sex=sex,
        relation="子" if is_born else "同居人",
        my_number=draw_my_number(random),
        honseki=member.honseki if is_born else _draw_honseki(random),
        head_of_register=member.head_of_register if is_born else name,
        resident_since=(birth if is_born else AS_OF).isoformat(),
        protected=False,
        seal=None,
        income_yen=0,
        tax_yen=0,
    )


def split_name(name: str) -> tuple[str, str]:
    """Surname and given name, or their kana; empty where there is none."""
    surname, _, given = name.partition("　")
    return surname, given


def population(seed: int, households: int) -> list[Person]:
    """The residents of that many households, in order of their ids; a pure function of its arguments.

    No two have the same name, birth and address, nor the same My Number, and no two of a household the same name.
    """
    random = Random(seed)
    people: list[Person] = []
    identities: set[tuple[str, str, str]] = set()
    numbers: set[str] = set()
    for household in range(1, households + 1):
        while True:
            drawn = _draw_household(random, f"H{household:05d}", len(people) + 1)
            names = {one.name for one in drawn}
            looks = {(one.name, one.birth, one.address) for one in drawn}
            fresh = {one.my_number for one in drawn}
            if len(names) == len(fresh) == len(drawn) and not (looks & identities or fresh & numbers):
                break
        people += drawn
        identities |= looks
        numbers |= fresh
    return people


def glyphs() -> str:
    """All characters that a record or a certificate can contain, sorted: what the font must hold.

    The words of the records and of the certificates stand in three modules and nowhere else, so their sources hold
    every character.
    """
    here = Path(__file__)
    sources = (here, here.with_name("certificates.py"), here.with_name("paper.py"))
    written = {character for source in sources for character in source.read_text(encoding="utf-8")}
    return "".join(sorted(written.union(map(chr, range(0x20, 0x7F))) - {"\n"}))


def _draw_honseki(random: Random) -> str:
    return random.choice(_REGISTER_CITIES) + _draw_place(random)


def _draw_place(random: Random) -> str:
    return f"{random.choice(_TOWNS)}{random.randint(1, 6)}丁目{random.randint(1, 40)}番"


def _draw_day(random: Random, first: date, last: date) -> date:
    return first + timedelta(days=random.randint(0, max(0, (last - first).days)))


def _draw_birth(random: Random, youngest: int, oldest: int) -> date:
    """A birthday of somebody whose age in whole years lies between the two."""
    first = AS_OF.replace(year=AS_OF.year - oldest - 1) + timedelta(days=1)
    return _draw_day(random, first, AS_OF.replace(year=AS_OF.year - youngest))


def _draw_members(random: Random, size: int) -> list[tuple[str, Sex, int, int]]:
    """Relation, sex and range of ages in years of each member of a household."""
    head: Sex = "男" if random.random() < 0.7 else "女"
    if size == 1:
        return [("世帯主", head, 20, 90)]
    alone = random.random() < 0.15
    parent = size >= 4 and random.random() < 0.2
    children = size - 1 - (not alone) - parent
    youngest = random.randint(38, 48) if children else random.randint(25, 75)
    oldest = youngest + 8
    members: list[tuple[str, Sex, int, int]] = [("世帯主", head, youngest, oldest)]
    if not alone:
        members.append(("妻", "女", youngest, oldest) if head == "男" else ("夫", "男", youngest, oldest))
    members += [("子", random.choice(_SEXES), 0, 17) for _ in range(children)]
    if parent:
        members.append((*random.choice(_PARENTS), youngest + 30, oldest + 35))
    return members


def _draw_household(random: Random, household: str, first: int) -> list[Person]:
    size = random.choices(range(1, 6), _SIZES)[0]
    surname, surname_kana = draw_surname(random)
    address = draw_address(random)
    honseki = _draw_honseki(random)
    arrival = _draw_day(random, date(1995, 4, 1), AS_OF)
    protected = random.random() < _PROTECTED_SHARE
    people: list[Person] = []
    for offset, (relation, sex, youngest, oldest) in enumerate(_draw_members(random, size)):
        given, given_kana = draw_given(random, sex)
        name = f"{surname}　{given}"
        birth = _draw_birth(random, youngest, oldest)
        of_age = youngest >= 18
        income_yen = random.randint(0, 900) * 10_000 if of_age else 0
        householder = people[0].name if people else name
        people.append(
            Person(
                person=f"P{first + offset:05d}",
                household=household,
                version=1,
                name=name,
                kana=f"{surname_kana}　{given_kana}",
                birth=birth.isoformat(),
                sex=sex,
                address=address,
                householder=householder,
                relation=relation,
                my_number=draw_my_number(random),
                honseki=honseki,
                head_of_register=name if relation in ("父", "母") else householder,
                resident_since=max(birth, arrival).isoformat(),
                protected=protected,
                seal=f"{random.randrange(10**6):06d}" if of_age and random.random() < _SEAL_SHARE else None,
                income_yen=income_yen,
                # A tenth, as the resident tax is, above the allowance under which nobody pays.
                tax_yen=max(0, income_yen - 430_000) // 1000 * 100,
            )
        )
    return people
