"""The golden checksums of a described service: which document is right for whom, as calibration learnt it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from harness.calibration import Calibration, Learnt, LearntMask, Specimen, masks_of
from harness.evidence.ledger import LedgerError, write_json
from harness.fingerprint import CHECKSUM_NAME, Fingerprint, sha256
from harness.records import Change, Document, Print, Record, Refusal
from harness.target import TargetError

SCHEMA = 3


class Golden(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A golden file.

    Args:
        checksum: name of its checksums.
        service, version: whose documents they are; a run against another version is refused.
        of, masks: what calibration learnt to be varying by itself, as `[fingerprint]` of a target.toml would have it.
        digest: SHA-256 of everything else, so that nothing is believed that no calibration has seen.
    """

    schema: int = SCHEMA
    checksum: str = CHECKSUM_NAME
    service: str
    version: str
    of: Literal["bytes", "json", "pdf_text"] = "bytes"
    masks: tuple[dict[Literal["text", "json", "pdf"], str], ...] = ()
    specimens: tuple[Specimen, ...]
    digest: str = ""

    def sealed(self) -> "Golden":
        """With its digest."""
        return replace(self, digest=sha256(msgspec.json.encode(replace(self, digest=""))))

    def fingerprint(self, described: Fingerprint) -> Fingerprint:
        """The described one, with what was learnt.

        Raises:
            re.error: when a mask is no regular expression.
        """
        masks = [LearntMask(key=key, value=value) for mask in self.masks for key, value in mask.items()]
        return fingerprint_with(described, Learnt(of=self.of, masks=tuple(masks)))


def fingerprint_with(described: Fingerprint, learnt: Learnt) -> Fingerprint:
    """What is described comes first, for what was learnt is what that leaves."""
    return Fingerprint((*described.masks, *masks_of(learnt)), described.reader)


def golden_of(calibration: Calibration, *, service: str, version: str, described: Fingerprint) -> Golden:
    """A golden file of what was learnt."""
    learnt = calibration.learnt
    return Golden(
        checksum=fingerprint_with(described, learnt).name,
        service=service,
        version=version,
        of=learnt.of,
        masks=tuple({mask.key: mask.value} for mask in learnt.masks),
        specimens=calibration.specimens,
    )


def golden_path(target: Path) -> Path:
    """Where the golden file of a target.toml lies."""
    return target.with_suffix(".golden.json")


def note_changes(path: Path) -> None:
    """Remember that documents are being changed, so that what the golden file says of them is the past."""
    _changed(path).touch(mode=0o600)


def was_changed(path: Path) -> bool:
    """Whether documents were changed since the golden file was written."""
    return _changed(path).exists()


def _changed(path: Path) -> Path:
    return path.with_suffix(".changed")


def write_golden(path: Path, golden: Golden) -> None:
    """Keep it, for its owner's eyes alone.

    Raises:
        TargetError: when it cannot be written.
    """
    try:
        write_json(path, golden.sealed())
        _changed(path).unlink(missing_ok=True)
    except (LedgerError, OSError) as error:
        raise TargetError(str(error)) from error


def read_golden(path: Path, *, service: str, version: str, described: Fingerprint, command: str) -> Golden:
    """The golden file of a service.

    Args:
        version: that the service tells now; described: how its documents are told apart without what was learnt.
        command: that makes a golden file, for the message.

    Raises:
        TargetError: when it cannot be read, or is one of something else.
    """
    try:
        golden = msgspec.json.decode(path.read_bytes(), type=Golden)
        checksum = golden.fingerprint(described).name
    except OSError as error:
        raise TargetError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, re.error) as error:
        raise TargetError(f"{path}: is no golden file ({error}); make it again: {command}") from error
    if golden.schema != SCHEMA:
        raise TargetError(f"{path}: found schema {golden.schema}, right is schema {SCHEMA}; make it again: {command}")
    found = (golden.checksum, golden.service, golden.version)
    if found != (checksum, service, version):
        told, right = (
            f"{name}, service {of}, version {known or 'unknown'}"
            for name, of, known in (found, (checksum, service, version))
        )
        raise TargetError(f"{path}: found {told}, right is {right}; make it again: {command}")
    if golden != golden.sealed():
        raise TargetError(f"{path}: is not as calibration wrote it, and proves nothing; make it again: {command}")
    return golden


class RightDocuments:
    """What a golden file says, by checksum and by application."""

    def __init__(self, specimens: Iterable[Specimen]) -> None:
        same: defaultdict[str, list[Specimen]] = defaultdict(list)
        self._refusals: defaultdict[str, list[Refusal]] = defaultdict(list)
        self._of: dict[tuple[str, str, tuple[str, ...]], str] = {}
        for one in specimens:
            if one.checksum:
                same[one.checksum].append(one)
                self._of[one.person, one.kind, one.options] = one.checksum
            elif len(one.options) <= 1:  # those of more follow from these, as calibration made sure
                (option,) = one.options or ("",)
                self._refusals[one.group].append(
                    Refusal(applicant=one.person, kind=one.kind, option=option, reason=one.refused)
                )
        self._documents = {checksum: _document(checksum, them) for checksum, them in same.items()}
        self._documents_of: defaultdict[str, list[Document]] = defaultdict(list)
        for document in self._documents.values():
            self._documents_of[document.group].append(document)

    def expected(self, print_: Print) -> Iterator[Document]:
        """The document that is right for the application, and the one that came out if it is anybody's."""
        for checksum in {self._of.get((print_.applicant, print_.kind, print_.options)), print_.checksum}:
            if checksum is not None and (document := self._documents.get(checksum)) is not None:
                yield document

    def checksum_of(self, person: str, kind: str, options: tuple[str, ...]) -> str | None:
        """Of the document that is right for the application; None where there is none."""
        return self._of.get((person, kind, options))

    def find(self, checksum: str) -> Document | None:
        """The document of this checksum, whosever it is."""
        return self._documents.get(checksum)

    def perhaps_right_by(self, change: Change) -> Iterator[Document]:
        """The documents of the changed group, of which nobody knows yet whether they are right by its new version."""
        for document in self._documents_of.get(change.group, ()):
            yield replace(document, version=change.version, still="unknown")

    def refusals(self, group: str) -> tuple[Refusal, ...]:
        """What may not be issued to the people who apply by this group."""
        return tuple(self._refusals.get(group, ()))


def _document(checksum: str, specimens: Sequence[Specimen]) -> Document:
    one = specimens[0]
    persons = tuple(dict.fromkeys(specimen.person for specimen in specimens))
    return Document(
        persons=persons,
        applicants=persons,
        group=one.group,
        kind=one.kind,
        options=one.options,
        version=1,
        checksum=checksum,
        sha256=one.sha256,
    )
