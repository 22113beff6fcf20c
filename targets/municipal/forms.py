"""What the deployment and its truth are asked, in a module apart, so that whoever asks does not load a server."""

from typing import Annotated

import msgspec

from harness.records import Refusal
from targets.municipal import changes

LOCAL_STORE = "memory:"
"""The address of a print wait in the AP server's own memory."""


_Text = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00]*\Z")]
"""Without the one character that the database does not take."""


class ApplicationForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a kiosk sends for a person. `nonce` is unique for each attempt."""

    nonce: _Text
    applicant: _Text
    kind: str
    options: tuple[str, ...] = ()


class DrawQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for a change of one of the kinds; `seed` makes the choice repeatable."""

    change: str
    household: str
    kinds: tuple[changes.ChangeKind, ...]
    seed: int


class DrawnChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change, the version that it will make, and of that version the members and what may not be issued to them."""

    change: changes.ResidentChange
    version: int
    persons: tuple[str, ...]
    refusals: tuple[Refusal, ...]


class DocumentQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the certificate that shows `persons` at `version` of their household."""

    persons: tuple[str, ...]
    kind: str
    options: tuple[str, ...]
    version: int
