"""The static service as the harness sees it: everybody is a group of their own, nothing is ever changed."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import ClassVar

import msgspec

from harness.fingerprint import Fingerprint, sha256
from harness.fingerprint.pdf_text import PdfText
from harness.fingerprint.pixels import Pixels
from harness.fingerprint.text_mask import TextMask
from harness.records import Application, Change, Document, ErrorNotice, Group, Mark, Print, PrintEvent, SyncRun
from harness.target import Answer, Request, TargetError
from tests.benchmarks.static_service import PERSONS, document, person_name

_KIND = "certificate"


class PixelsInTheLoad(Pixels, frozen=True, kw_only=True):
    """As if they were fast, so that they hold up the load: what is measured must be able to see that."""

    is_slow: ClassVar[bool] = False


_HEADERS = {"Content-Type": "application/json"}
FINGERPRINTS = {
    "bytes": Fingerprint(),
    "masked text": Fingerprint([TextMask(r"Printed at (?P<varies>\S+)"), TextMask(r"Serial no\. (?P<varies>\d+)")]),
    "pdf text": Fingerprint([PdfText()]),
    "pixels": Fingerprint([Pixels()]),
    "pixels in the load": Fingerprint([PixelsInTheLoad()]),
}
_encoder = msgspec.json.Encoder()


class StaticTarget:
    """What `tests.benchmarks.static_service` serves at the setting `address` (HOST:PORT), in the form of `form`.

    The setting `by` names the fingerprint by which its documents are told apart.
    """

    name = "static"
    clock = "monotonic"
    client_timeout_s: float | None = 60.0
    reapply_after_s = (0.0, 0.0)
    shows_points = False
    synchronises = True

    def __init__(self, settings: Mapping[str, str]) -> None:
        if "address" not in settings:
            message = f"settings: found {sorted(settings)}, right would be with address"
            raise TargetError(message)
        self._address = settings["address"]
        self.fingerprint = FINGERPRINTS[settings.get("by", "bytes")]
        form = settings.get("form", "random")
        # Before the load begins: to draw a page and to look at it takes longer than anything that is measured there.
        self._right = {person: document(person, form) for person in map(person_name, range(PERSONS))}
        self._documents = {person: self._document(person, right) for person, right in self._right.items()}

    def open(self, directory: Path) -> Mapping[str, object]:  # noqa: ARG002 - protocol
        """Somebody else started it."""
        return {"address": self._address}

    def share(self) -> Mapping[str, str]:
        """Of the one server."""
        return {"address": self._address}

    def attach(self, shared: Mapping[str, str]) -> None:
        """It knows nobody, so nothing is to be told to it."""
        self._address = shared["address"]

    def addresses(self) -> Mapping[str, str]:
        """Of the one server."""
        return {"service": self._address}

    def close(self) -> None:
        """Whoever started it stops it."""

    def failure(self) -> str:
        """A dead service shows as errors of all prints."""
        return ""

    def groups(self) -> Sequence[Group]:
        """One person each."""
        return [Group(group=person, persons=(person,)) for person in self._right]

    def draw_application(self, application: str, group: Group, random: Random) -> Application:
        """Whoever of the group it is, for the one kind that there is."""
        return Application(
            application=application, applicant=random.choice(group.persons), group=group.group, kind=_KIND
        )

    def print_request(self, application: Application) -> Request:
        """POST with the nonce and what is wanted, as a real service takes them."""
        body = {"nonce": application.nonce, "applicant": application.applicant, "kind": application.kind}
        url = f"http://{self._address}/prints/{application.applicant}"
        return Request(url=url, headers=_HEADERS, body=_encoder.encode(body))

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:  # noqa: ARG002 - protocol
        """200 is a document."""
        return Answer(document=body) if status == 200 else Answer(error=f"status {status}")

    def draw_change(self, change: str, group: Group, kinds: Sequence[str], random: Random) -> tuple[Change, Request]:
        """Nobody enters changes here."""
        raise NotImplementedError

    def expected(self, print_: Print) -> Iterable[Document]:
        """The documents of whoever applied and of whoever the delivery shows."""
        persons = {print_.applicant, *(person for mark in print_.marks for person in mark.persons)}
        return [self._documents[person] for person in persons & self._documents.keys()]

    def right_document(self, print_: Print) -> bytes | None:
        """That of whoever applied."""
        return self._right[print_.applicant]

    def marks(self, document: bytes) -> tuple[Mark, ...]:
        """The name in the first line."""
        person = document.partition(b"\n")[0].decode(errors="replace")
        return (Mark(persons=(person,), kind=_KIND, version=1, page=1, pages=1),)

    def new_sync_runs(self, rest: bool = False) -> Iterable[SyncRun]:  # noqa: ARG002 - protocol
        """None."""
        return ()

    def new_print_events(self) -> Iterable[PrintEvent]:
        """None."""
        return ()

    def new_error_notices(self) -> Iterable[ErrorNotice]:
        """None."""
        return ()

    def _document(self, person: str, right: bytes) -> Document:
        return Document(
            persons=(person,),
            applicants=(person,),
            group=person,
            kind=_KIND,
            version=1,
            checksum=self.fingerprint.checksum(right),
            sha256=sha256(right),
        )
