"""What the deployment and its truth are asked, in a module apart, so that whoever asks does not load a server."""

import msgspec

from targets.municipal import changes

LOCAL_STORE = "memory:"
"""The address of a print wait in the AP server's own memory."""


class ApplicationForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a kiosk sends for a person. `nonce` is unique for each attempt."""

    nonce: str
    applicant: str
    kind: str
    options: tuple[str, ...] = ()


class DrawQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for a change of one of the kinds; `seed` makes the choice repeatable."""

    change: str
    household: str
    kinds: tuple[changes.ChangeKind, ...]
    seed: int


class DrawnChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change, the version that it will make, and the household's members after it."""

    change: changes.ResidentChange
    version: int
    persons: tuple[str, ...]


class DocumentQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the certificate that shows `persons` at `version` of their household."""

    persons: tuple[str, ...]
    kind: str
    options: tuple[str, ...]
    version: int
