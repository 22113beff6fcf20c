"""A contract check of a target before any load: what every verdict on it will rest on, tried once and alone."""

from collections.abc import Iterator, Mapping
from itertools import islice
from random import Random
from typing import Literal

import msgspec

from harness.calibration import Calibrated
from harness.exchange import Exchange, attempt, new_name
from harness.fingerprint import sha256
from harness.oracle import judge_identity
from harness.outcome import Outcome
from harness.records import Application, Document, Group, Mark, Print, Record
from harness.register import Register
from harness.target import Answer, Target
from harness.trust import UNTRUSTED

Result = Literal["ok", "failed", "skipped", "unreachable"]
EXIT_CODES = {"ok": 0, "skipped": 0, "failed": 1, "unreachable": 4}
_TRIES = 20
"""So many people are asked for until somebody is not refused."""


class Step(Record, frozen=True, kw_only=True):
    """One thing that was checked.

    Args:
        name: reached, same_twice, strangers, right, self_test, refused.
        found: key of the sentence on what was found, told when it is not as it should be.
        values: of the sentence.
        exchanges: that were made for it, in their order.
    """

    name: str
    result: Result
    found: str = ""
    values: Mapping[str, str] = {}
    exchanges: tuple[Exchange, ...] = ()


class Probe:
    """Checks a target that is open, or that can be reached.

    Args:
        random: draws who is asked for what.
    """

    def __init__(self, target: Target, random: Random) -> None:
        self._target = target
        self._random = random
        self._groups = list(target.groups())
        self._is_known = not isinstance(target, Calibrated) or target.recall()
        self._register = Register()
        for group in self._groups:
            self._register.add_group(group)

    def steps(self) -> Iterator[Step]:
        """Each as soon as it was made; the first that fails for good is the last."""
        first = self._first()
        if isinstance(first, Step):
            yield first
            return
        application, exchange = first
        document = exchange.answer.document or b""
        yield Step(name="reached", result="ok", exchanges=(exchange,))
        again = self._attempt(application)
        is_same = self._is_same(again.answer.document, document)
        # What varies by itself is not known yet, and who gets what cannot be seen by documents that differ anyway.
        varies = again.answer.document is not None and not is_same and not self._is_known
        seen = {"told": told(again.answer)}
        if varies:
            yield Step(name="same_twice", result="skipped", found="varies", values=seen)
        else:
            yield self._told("same_twice", again, is_same, (exchange, again))
        stranger = self._stranger(application)
        if stranger is None:
            yield Step(name="strangers", result="failed", found="no_stranger", values={"person": application.applicant})
            return
        other = self._attempt(stranger)
        is_other = other.answer.document is not None and not self._is_same(other.answer.document, document)
        if varies and is_other:
            yield Step(name="strangers", result="skipped", found="varies", values=seen)
        else:
            yield self._told("strangers", other, is_other, (exchange, other))
        self._learn(application, document, stranger, other.answer.document)
        if not self._is_known:
            yield Step(name="right", result="skipped", found="nothing_known")
        else:
            is_right = self._outcome(application, document) is Outcome.OK
            yield self._told("right", exchange, is_right, (exchange,))
        caught = self._outcome(stranger, document) is Outcome.WRONG_PERSON
        yield self._told("self_test", exchange, caught, ())
        yield self._refused()

    def _first(self) -> tuple[Application, Exchange] | Step:
        """The first application that brings a document, or what came instead."""
        exchange = None
        for group in islice(self._groups, _TRIES):
            application = self._target.draw_application("probe", group, self._random)
            exchange = self._attempt(application)
            answer = exchange.answer
            if answer.document:
                return application, exchange
            if not answer.refused:
                break
        made = (exchange,) if exchange is not None else ()
        if exchange is None or exchange.answer.refused:
            return Step(name="reached", result="failed", found="all_refused", exchanges=made)
        if exchange.answer.document is not None:
            return Step(name="reached", result="failed", found="empty", exchanges=made)
        result: Result = "unreachable" if exchange.answer.unanswered else "failed"
        found = "untrusted" if exchange.answer.unanswered.startswith(UNTRUSTED) else "no_document"
        return Step(name="reached", result=result, found=found, values={"told": told(exchange.answer)}, exchanges=made)

    def _attempt(self, application: Application) -> Exchange:
        named = msgspec.structs.replace(application, application=new_name())
        return attempt(self._target, named, timeout_s=self._target.client_timeout_s)

    def _stranger(self, application: Application) -> Application | None:
        """The same application of somebody who must not see the first one's document; not of somebody known to be
        refused, where there is anybody else.
        """
        found = [
            (group, msgspec.structs.replace(drawn, kind=application.kind, options=application.options))
            for group in self._groups
            if application.applicant not in group.persons
            and not {*group.persons} & self._register.permitted(application.group)
            for drawn in (self._target.draw_application("probe", group, self._random),)
        ]
        found.sort(key=lambda one: _refuses(one[0], one[1]))
        return found[0][1] if found else None

    def _learn(self, one: Application, document: bytes, other: Application, other_document: bytes | None) -> None:
        """What is right: by the target where it knows, else by the two documents that were just printed."""
        if self._is_known:
            for application, content in ((one, document), (other, other_document or b"")):
                marks = self._target.marks(content)
                for expected in self._target.expected(self._print(application, content, marks)):
                    self._register.add(expected)
            return
        owners = (one.applicant, other.applicant) if self._is_same(other_document, document) else (one.applicant,)
        self._register.add(self._entry(one, owners, document))

    def _outcome(self, application: Application, document: bytes) -> Outcome:
        return judge_identity(self._print(application, document), self._register).outcome

    def _is_same(self, one: bytes | None, other: bytes) -> bool:
        """By what the target tells documents apart."""
        checksum = self._target.fingerprint.checksum_on_record
        return one is not None and checksum(one) == checksum(other)

    def _print(self, application: Application, document: bytes, marks: tuple[Mark, ...] = ()) -> Print:
        return Print(
            application=application.application,
            applicant=application.applicant,
            group=application.group,
            kind=application.kind,
            options=application.options,
            sent_ns=0,
            answered_ns=0,
            checksum=self._target.fingerprint.checksum_on_record(document),
            size_bytes=len(document),
            marks=marks,
        )

    def _entry(self, application: Application, owners: tuple[str, ...], document: bytes) -> Document:
        return Document(
            persons=owners,
            applicants=owners,
            group=application.group,
            kind=application.kind,
            options=application.options,
            version=1,
            checksum=self._target.fingerprint.checksum_on_record(document),
            sha256=sha256(document),
        )

    def _refused(self) -> Step:
        for group in self._groups:
            for refusal in group.refusals:
                drawn = self._target.draw_application("probe", group, self._random)
                application = msgspec.structs.replace(
                    drawn,
                    applicant=refusal.applicant,
                    kind=refusal.kind or drawn.kind,
                    options=(refusal.option,) if refusal.option else (),
                )
                exchange = self._attempt(application)
                return self._told("refused", exchange, bool(exchange.answer.refused), (exchange,))
        return Step(name="refused", result="skipped", found="nobody_refused")

    def _told(self, name: str, exchange: Exchange, holds: bool, made: tuple[Exchange, ...]) -> Step:
        if holds:
            return Step(name=name, result="ok", exchanges=made)
        return Step(
            name=name,
            result="unreachable" if exchange.answer.unanswered else "failed",
            found=f"not_{name}",
            values={"told": told(exchange.answer)},
            exchanges=made,
        )


def told(answer: Answer) -> str:
    """What an answer was, in a few words; of a document its length."""
    if answer.document is not None:
        return f"{len(answer.document)} bytes"
    return f"refused: {answer.refused}" if answer.refused else answer.error or answer.unanswered or answer.nothing


def exit_code(steps: list[Step]) -> int:
    """Of the command: 1 before 4, as everywhere."""
    codes = {EXIT_CODES[step.result] for step in steps}
    return 1 if 1 in codes else max(codes)


def _refuses(group: Group, application: Application) -> bool:
    return any(
        refusal.covers(application.applicant, application.kind, application.options) for refusal in group.refusals
    )
