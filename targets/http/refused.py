"""Who has to be refused, as the people's file says: a column of kinds beside each person.

What a service did while it was asked alone is taken for right, and so a refusal that it forgot, or one too many, would
be learnt as well. Whoever knows who has to be refused says so, and is told where the service sees it differently.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.calibration import Specimen
from harness.records import Refusal
from harness.target import TargetError

REFUSED = "refused"
_EVERY_KIND, _WITH = "*", "+"
_SHOWN = 5

Kinds = Mapping[str, Sequence[str]]
"""Kind of documents -> its options."""


class Refused:
    """Everybody who has to be refused something; everybody else has to be issued everything.

    Args:
        column: person -> kinds separated by `;`, each perhaps with `+` and the option that makes it so; `*` for all.

    Raises:
        TargetError: naming a person with what there is not, and what would be right.
    """

    def __init__(self, column: Mapping[str, str], kinds: Kinds) -> None:
        self._by_person = {
            person: tuple(_refusal(person, entry.strip(), kinds) for entry in told.split(";") if entry.strip())
            for person, told in column.items()
        }

    def of(self, persons: Iterable[str]) -> tuple[Refusal, ...]:
        """What may not be issued to these people."""
        return tuple(refusal for person in persons for refusal in self._by_person.get(person, ()))

    def contradictions(self, specimens: Iterable[Specimen]) -> Iterator[str]:
        """A sentence on what was issued and must not be, and one on what was refused and is not named."""
        found: defaultdict[bool, list[str]] = defaultdict(list)
        for one in specimens:
            must = any(refusal.covers(one.person, one.kind, one.options) for refusal in self.of((one.person,)))
            if must is not bool(one.refused):
                found[must].append(f"{_WITH.join((one.kind, *one.options))} of {one.person}")
        if found[True]:
            yield (
                f"issued, although the column {REFUSED} says that it has to be refused: {_few(found[True])}; right is "
                "an answer as answer.refused describes it"
            )
        if found[False]:
            yield (
                f"refused, although the column {REFUSED} does not say so: {_few(found[False])}; right is to say it "
                "there where it has to be refused, and a service that issues everything else"
            )


def _refusal(person: str, entry: str, kinds: Kinds) -> Refusal:
    kind, _, option = (part.strip() for part in entry.partition(_WITH))
    options = {name for known in kinds.values() for name in known} if kind == _EVERY_KIND else kinds.get(kind)
    if options is None or (_WITH in entry and option not in options):
        right = [_EVERY_KIND, *kinds, *(f"{name}{_WITH}{one}" for name, known in kinds.items() for one in known)]
        raise TargetError(
            f"{REFUSED} of {person}: found {entry!r}, right is {', '.join(right)}; several with ; between"
        )
    return Refusal(
        applicant=person,
        kind="" if kind == _EVERY_KIND else kind,
        option=option,
        reason=f"the people's file says {entry}",
    )


def _few(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return ", ".join([*names[:_SHOWN], *more])
