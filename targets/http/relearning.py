"""What is right after the changes of a run, learnt from the service when nobody else asks it. Pure but for `ask`.

A document that nobody knows is taken for the right one only when it comes out twice, alone, for the person who applies;
when its own marks say that it is this person's; and when it is nobody else's. Without marks nobody could tell one that
is new from one that is wrong.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec.structs import replace

from harness.exchange import attempt, new_name
from harness.fingerprint import Fingerprint, UnreadableError, sha256
from harness.records import Application, Change, Document, Mark, Print
from harness.target import Target
from targets.http.golden import RightDocuments

LONGEST_S = 300.0
"""For which the service is asked at the most, first and second prints together."""
_SILENT = 5
_NO_MARK = (
    "it shows no identity mark, and nobody can tell one that is new from one that is wrong; right is "
    "[fingerprint.marks] in the target.toml"
)
_NOT_ASKED = "time ran out before the service was asked"


class Case(NamedTuple):
    """What somebody may apply for."""

    group: str
    applicant: str
    kind: str
    options: tuple[str, ...]

    @classmethod
    def of(cls, asked: Application | Print) -> "Case":
        """That of an application."""
        return cls(asked.group, asked.applicant, asked.kind, asked.options)


class Twice(NamedTuple):
    """What the service handed out for a case, first and again; or what there was instead."""

    case: Case
    first: bytes = b""
    second: bytes = b""
    problem: str = ""


class Weighed(NamedTuple):
    """Register entries, and the cases of which the right document is known now or not, and why."""

    documents: list[Document]
    known: frozenset[Case]
    problems: dict[Case, str]


def ask(target: Target, cases: Sequence[Case], now_s: Callable[[], float] = time.monotonic) -> list[Twice]:
    """Print every case and then every case again, so that what changes with time is seen, too."""
    give_up_s = now_s() + LONGEST_S
    told: dict[Case, list[tuple[bytes, str]]] = {case: [] for case in cases}
    silent = 0
    for _ in ("first", "again"):
        for case in cases:
            if silent >= _SILENT or now_s() > give_up_s:
                told[case].append((b"", _NOT_ASKED))
                continue
            application = Application(
                application=new_name(),
                applicant=case.applicant,
                group=case.group,
                kind=case.kind,
                options=case.options,
            )
            answer = attempt(target, application, timeout_s=target.client_timeout_s).answer
            silent = silent + 1 if answer.unanswered else 0
            said = answer.refused or answer.error or answer.unanswered or answer.nothing or "it was empty"
            told[case].append((answer.document, "") if answer.document else (b"", f"the service brought none: {said}"))
    return [Twice(case, first, second, problem or other) for case, ((first, problem), (second, other)) in told.items()]


def weigh(
    found: Iterable[Twice],
    not_asked: Mapping[Case, str],
    *,
    right: RightDocuments,
    members: Mapping[str, Collection[str]],
    changes: Mapping[str, Change],
    fingerprint: Fingerprint,
) -> Weighed:
    """What follows from the prints.

    Args:
        not_asked: cases of which nothing could be printed, and why.
        right: what was right before; members: of each group, those whose data its documents may show.
        changes: group -> its change; of every case found.
    """
    problems = dict(not_asked)
    new: defaultdict[str, list[Twice]] = defaultdict(list)
    unaltered: set[Case] = set()
    for twice in found:
        case = twice.case
        problem = twice.problem
        if not problem:
            told, again = _checksum(fingerprint, twice.first), _checksum(fingerprint, twice.second)
            problem = "it cannot be read" if not told else "" if told == again else "it was not the same twice"
        if not problem:
            if told == right.checksum_of(case.applicant, case.kind, case.options):
                unaltered.add(case)
                continue
            problem = (
                "it is known as the right one of another application"
                if right.find(told) is not None
                else _not_marked(case, fingerprint.marks(twice.first), members[case.group])
            )
        if problem:
            problems[case] = problem
        else:
            new[told].append(twice)
    documents = []
    for told, same in new.items():
        if len({(one.case.group, one.case.kind, one.case.options) for one in same}) > 1:
            problems.update((one.case, "the same was learnt for another application") for one in same)
        else:
            documents.append(_document(told, same, changes))
    learnt = {one.case for same in new.values() for one in same} - problems.keys()
    documents += _still_right(right, unaltered, learnt, problems, changes)
    return Weighed(documents, frozenset(learnt | unaltered), problems)


def tell(problems: Mapping[Case, str], changes: Mapping[str, Change]) -> Iterator[str]:
    """One sentence for each reason; by changes and not by persons, because everybody may read it."""
    for problem, number in Counter(problems.values()).items():
        case = next(case for case, its in problems.items() if its == problem)
        yield (
            f"{number} document(s) that follow a change were not learnt anew, such as {case.kind} after change "
            f"{changes[case.group].change}: {problem}"
        )


def _checksum(fingerprint: Fingerprint, document: bytes) -> str:
    """Empty of a document that cannot be read."""
    try:
        return fingerprint.checksum(document)
    except UnreadableError:
        return ""


def _not_marked(case: Case, marks: Sequence[Mark], members: Collection[str]) -> str:
    if not marks:
        return _NO_MARK
    persons = {person for mark in marks for person in mark.persons}
    if case.applicant not in persons or not persons.issubset(members):
        return "its marks are not those of the person who applied"
    if any(mark.kind not in {"", case.kind} for mark in marks):
        return "its marks are not those of the kind that was applied for"
    return ""


def _document(told: str, same: Sequence[Twice], changes: Mapping[str, Change]) -> Document:
    case = same[0].case
    persons = tuple(dict.fromkeys(one.case.applicant for one in same))
    return Document(
        persons=persons,
        applicants=persons,
        group=case.group,
        kind=case.kind,
        options=case.options,
        version=changes[case.group].version,
        checksum=told,
        sha256=sha256(same[0].first),
    )


def _still_right(
    right: RightDocuments,
    unaltered: Collection[Case],
    learnt: Collection[Case],
    problems: Mapping[Case, str],
    changes: Mapping[str, Change],
) -> Iterator[Document]:
    """What was right before and is so still; or perhaps is, and then nobody may call it stale; or surely not."""
    of_document: defaultdict[str, list[Case]] = defaultdict(list)
    for case in (*unaltered, *learnt, *problems):
        before = right.checksum_of(case.applicant, case.kind, case.options)
        if before is not None:
            of_document[before].append(case)
    for before, cases in of_document.items():
        document = right.find(before)
        if document is None:
            continue
        still: Literal["unknown", "altered", "right"] = "unknown"
        if all(case in unaltered for case in cases):
            still = "right"
        elif all(case in learnt for case in cases):
            still = "altered"
        yield replace(document, version=changes[document.group].version, still=still)
