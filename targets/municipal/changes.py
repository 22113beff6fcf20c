"""The changes (異動) that a counter clerk enters: the message format of the registry's API, and no rule."""

from typing import Literal

import msgspec

from targets.municipal.people import Person


class _Change(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Common part. `change` is the clerk's own id: a repeated request with it changes nothing again."""

    change: str
    household: str


class Relocate(_Change, frozen=True, kw_only=True, tag="relocate"):
    """転居: the whole household moves within the city."""

    address: str


class Rename(_Change, frozen=True, kw_only=True, tag="rename"):
    """氏名変更."""

    person: str
    name: str
    kana: str


class ChangeHouseholder(_Change, frozen=True, kw_only=True, tag="household"):
    """世帯主変更. `relations` gives each member's relation to the new householder, by person."""

    householder: str
    relations: dict[str, str]


class MoveIn(_Change, frozen=True, kw_only=True, tag="move_in"):
    """転入 or 出生: people join the household, which may be a new one."""

    persons: tuple[Person, ...]


class MoveOut(_Change, frozen=True, kw_only=True, tag="move_out"):
    """転出届: counts from the moment at which the notice is filed."""

    persons: tuple[str, ...]


class Death(_Change, frozen=True, kw_only=True, tag="death"):
    """死亡."""

    person: str


class RegisterSeal(_Change, frozen=True, kw_only=True, tag="seal_register"):
    """印鑑登録."""

    person: str
    seal: str


class AbolishSeal(_Change, frozen=True, kw_only=True, tag="seal_abolish"):
    """印鑑登録の廃止."""

    person: str


class Protect(_Change, frozen=True, kw_only=True, tag="protect"):
    """支援措置: begins or ends for one person."""

    person: str
    protected: bool


ResidentChange = Relocate | Rename | ChangeHouseholder | MoveIn | MoveOut | Death | RegisterSeal | AbolishSeal | Protect
ChangeKind = Literal[
    "relocate", "rename", "household", "move_in", "move_out", "death", "seal_register", "seal_abolish", "protect"
]
