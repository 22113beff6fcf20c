"""Learns which document is right for whom from a service that is asked by nobody else: alone, slowly, more than once.

What is learnt is only as right as the service was then, so it refuses whatever would blunt the proof: two persons whose
documents cannot be told apart, and documents that differ from one print to the next in a way that no mask is made for.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain, count, zip_longest

import msgspec

from harness.calibration.checks import alike, mistaken, unruly
from harness.calibration.forms import Near
from harness.calibration.learning import Learnt, contradicting, learn, masks_of
from harness.calibration.specimens import Calibrated, Calibration, CalibrationError, Shelf, Specimen, cases
from harness.calibration.texts import UnlearnableError
from harness.exchange import attempt, new_name
from harness.fingerprint import Fingerprint, UnreadableError, sha256
from harness.records import Application

_CONTEXT_BYTES = 20
_SHOWN = 5
_SAMPLE = 24
"""So many cases are looked at closely; what is learnt of them is tried on all."""
_CLOCK_S = 1.1
"""The last round begins so much later than the first one, so that clocks that show seconds have gone on."""


def calibrate(
    target: Calibrated,
    *,
    times: int,
    exact: bool = False,
    show: Callable[[int, int], None],
    pause: Callable[[float], None] = time.sleep,
) -> Calibration:
    """Print everything `times` over, in turns from first to last and back, so that what changes with time is seen, too.

    On the way back others are asked right before: else a service that hands out what those before asked for would bring
    the same each time.

    What is learnt from all rounds but the last is tried on the last. When that does not do, it goes on, with as many
    rounds more at most.

    Args:
        exact: documents that vary are refused.
        show: called with the number of prints made and that of all to be made.

    Raises:
        CalibrationError: when something was neither a document nor a refusal, varies in a way that cannot be masked, is
            the same for two persons who may not receive each other's documents, or is refused by no rule for single
            options.
    """
    shelf = Shelf()
    try:
        return _Calibration(target, shelf, times, show, pause).make(exact=exact)
    finally:
        shelf.close()


class _Calibration:
    def __init__(
        self,
        target: Calibrated,
        shelf: Shelf,
        times: int,
        show: Callable[[int, int], None],
        pause: Callable[[float], None],
    ) -> None:
        self._target, self._shelf, self._times, self._show, self._pause = target, shelf, times, show, pause
        self._cases = cases(target)
        self._refused: dict[int, str] = {}
        self._begin = datetime.now().astimezone()

    def make(self, *, exact: bool) -> Calibration:
        """All rounds, until one brought nothing new."""
        learnt = Learnt() if exact else None
        for round_ in count(1):
            if round_ == self._times:
                self._pause(max(0.0, _CLOCK_S - (datetime.now().astimezone() - self._begin).total_seconds()))
            _refuse(self._print(round_))
            if exact:
                _refuse(self._unsteady())
            if round_ >= self._times and learnt is not None and not self._unlike(learnt):
                return self._conclude(learnt)
            if round_ == 2 * self._times:
                break
            if round_ >= self._times - 1:
                learnt = self._learn(may_fail=round_ < self._times)
        raise CalibrationError(
            f"each of {2 * self._times} rounds brought something that was not seen before; right is a service that "
            "nobody else uses, or --times with a higher number"
        )

    def _print(self, round_: int) -> Iterator[str]:
        """Everything once; what was wrong with it."""
        all_ = len(self._cases) * max(self._times, round_)
        order = [*enumerate(self._cases)]
        for made, (number, application) in enumerate(order if round_ % 2 else reversed(order), 1):
            named = msgspec.structs.replace(application, application=new_name())
            answer = attempt(self._target, named, timeout_s=self._target.client_timeout_s).answer
            self._show((round_ - 1) * len(self._cases) + made, all_)
            name = _name(application)
            if answer.document:
                self._shelf.add(number, answer.document)
            elif answer.document is not None:
                yield f"{name} brought a document of no bytes, which anybody's could be"
            elif not answer.refused:
                told = answer.error or answer.unanswered or answer.nothing
                yield f"{name} brought neither a document nor a refusal: {told}"
            was_refused = self._refused.setdefault(number, answer.refused)
            if bool(was_refused) is not bool(answer.refused):
                yield f"{name} was refused once, and once it was not"

    def _unsteady(self) -> Iterator[str]:
        """Documents that are not the same each time."""
        for number in self._shelf.cases():
            first, *others = self._shelf.prints(number)
            other = next((other for other in others if other != first), None)
            if other is not None:
                yield f"{_name(self._cases[number])} is not the same twice: {_difference(first, other)}"

    def _learn(self, *, may_fail: bool) -> Learnt | None:
        """From some of the cases, and from those that contradict what was learnt from these.

        Args:
            may_fail: what looks as if it did not vary may do so in the next round; then nothing is learnt.
        """
        sample = self._sample()
        try:
            while True:
                learnt = learn([self._described(number) for number in sample], self._near())
                more = [number for number in self._unlike(learnt) if number not in sample]
                if not more:
                    return learnt
                sample += more[:_SAMPLE]
        except UnlearnableError as error:
            if may_fail:
                return None
            raise CalibrationError(f"what varies by itself cannot be learnt: {error}") from error

    def _sample(self) -> list[int]:
        """A few of each kind with its options."""
        by_kind: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        for number in self._shelf.cases():
            one = self._cases[number]
            by_kind.setdefault((one.kind, one.options), []).append(number)
        turns = chain.from_iterable(zip_longest(*by_kind.values()))
        taken = [number for number in turns if number is not None]
        return taken[: max(_SAMPLE, 2 * len(by_kind))]

    def _described(self, number: int) -> list[bytes]:
        """The prints of a case, as the masks that are described leave them."""
        try:
            return [self._target.fingerprint.masked(document) for document in self._shelf.prints(number)]
        except UnreadableError as error:
            raise CalibrationError(
                f"{_name(self._cases[number])} brought a document that its fingerprint cannot read: {error}"
            ) from error

    def _unlike(self, learnt: Learnt) -> list[int]:
        """Cases of which the prints are not alike by what was learnt, or of which it hides what does not vary."""
        return contradicting(
            learnt, ((number, self._described(number)) for number in self._shelf.cases()), self._near()
        )

    def _near(self) -> Near:
        return Near(self._begin, datetime.now().astimezone())

    def _conclude(self, learnt: Learnt) -> Calibration:
        described = self._target.fingerprint
        masks = masks_of(learnt)
        fingerprint = Fingerprint((*described.masks, *masks), described.reader)
        specimens = []
        problems: list[str] = []
        groups = {group.group: group for group in self._target.groups()}
        for number, application in enumerate(self._cases):
            document = next(iter(self._shelf.prints(number)), b"")
            specimen = Specimen(
                person=application.applicant,
                group=application.group,
                kind=application.kind,
                options=application.options,
                refused=self._refused[number],
                checksum=fingerprint.checksum(document) if document else "",
                sha256=sha256(document) if document else "",
            )
            specimens.append(specimen)
            if document and fingerprint.reader is not None:
                problems += mistaken(specimen, self._target.marks(document), groups[application.group].persons)
        problems += chain(alike(specimens, groups.values(), is_masked=bool(fingerprint.masks)), unruly(specimens))
        _refuse(problems)
        return Calibration(specimens=tuple(specimens), learnt=learnt)


def _refuse(found: Iterator[str] | list[str]) -> None:
    problems = [*found]
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise CalibrationError("\n".join([*problems[:_SHOWN], *more]))


def _difference(one: bytes, other: bytes) -> str:
    """Where two documents begin to differ, with what stands there."""
    place = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if place is None:
        return f"{len(one)} bytes, and then {len(other)}"
    begin = max(0, place - _CONTEXT_BYTES)
    end = place + _CONTEXT_BYTES
    return f"from byte {place} on, {one[begin:end]!r} and then {other[begin:end]!r}"


def _name(application: Application) -> str:
    return f"{' '.join((application.kind, *application.options))} of {application.applicant}"
