"""What calibration asks for, what it learns, and where documents lie meanwhile."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import chain, combinations
from tempfile import TemporaryFile
from typing import Protocol, runtime_checkable

from harness.calibration.learning import Learnt
from harness.fingerprint import checksum
from harness.records import Application, Record
from harness.target import Enumerated, Target


class CalibrationError(Exception):
    """Raised when nothing may be learnt from the service; one line of the message for each thing wrong."""


class Specimen(Record, frozen=True, kw_only=True):
    """What the service hands out to one person for one kind with these options.

    Args:
        refused: why there is no document; empty when there is one.
        checksum: by the fingerprint with everything that was learnt; sha256: of all bytes of its first print.
    """

    person: str
    group: str
    kind: str
    options: tuple[str, ...] = ()
    refused: str = ""
    checksum: str = ""
    sha256: str = ""


class Calibration(Record, frozen=True, kw_only=True):
    """What was learnt of a service."""

    specimens: tuple[Specimen, ...]
    learnt: Learnt = Learnt()


@runtime_checkable
class Calibrated(Target, Enumerated, Protocol):
    """A target whose right documents are learnt from the service itself, which is there before anybody opens it."""

    def reach(self) -> None:
        """Prepare for asking the service without knowing what is right.

        Raises:
            TargetError: when the service cannot be asked.
        """

    def recall(self) -> bool:
        """Take up what was kept; False when nothing was.

        Raises:
            TargetError: when what was kept is of another service, or of another version of it.
        """

    def secrets(self) -> Collection[str]:
        """What must be shown to nobody."""

    def keep(self, calibration: Calibration) -> str:
        """Keep what was learnt, for later runs; says where.

        Raises:
            CalibrationError: when it is not what the target knows beforehand.
        """


def cases(target: Calibrated) -> list[Application]:
    """An application for every person, kind and combination of options."""
    wanted = (
        (person, group.group, kind, options)
        for group in target.groups()
        for person in target.applicants(group)
        for kind, known in target.kinds().items()
        for options in chain.from_iterable(combinations(known, size) for size in range(len(known) + 1))
    )
    return [
        Application(application=str(number), applicant=person, group=group, kind=kind, options=options)
        for number, (person, group, kind, options) in enumerate(wanted, 1)
    ]


class Shelf:
    """All prints of all cases, in a file that has no name and is gone with this process, whatever ends it."""

    def __init__(self) -> None:
        self._file = TemporaryFile(prefix="misissue-")  # noqa: SIM115 - closed by `close`
        self._places: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._known: dict[tuple[int, str], tuple[int, int]] = {}

    def add(self, case: int, document: bytes) -> None:
        """One more print of a case; the same bytes again take no more room."""
        key = case, checksum(document)
        if key not in self._known:
            self._known[key] = self._file.seek(0, 2), len(document)
            self._file.write(document)
        self._places[case].append(self._known[key])

    def prints(self, case: int) -> list[bytes]:
        """Of a case, in their order."""
        found = []
        for place, length in self._places.get(case, ()):
            self._file.seek(place)
            found.append(self._file.read(length))
        return found

    def cases(self) -> Iterator[int]:
        """Those that have any."""
        yield from self._places

    def close(self) -> None:
        """Forget everything."""
        self._file.close()
