"""What may not be issued, as the truth knows it: rules of its own, written apart from those of the AP server.

In a module apart from the truth's server, because the target tells the same of the residents as they were at first.
"""

from collections.abc import Iterable, Iterator

from harness.records import Refusal
from targets.municipal.people import Person


def refusals(members: Iterable[Person]) -> tuple[Refusal, ...]:
    """Everything that may not be issued to the members of a household, all of one version of its record.

    Nothing to who has moved out (from the notice on), has died, or is under protection; no seal certificate without a
    registered seal; no paper for the household while one of its residents is under protection, whose address it shows.
    """
    members = tuple(members)
    shows_protected = any(one.protected for one in members if one.status == "resident")
    return tuple(refusal for one in members for refusal in _of(one, shows_protected=shows_protected))


def _of(one: Person, *, shows_protected: bool) -> Iterator[Refusal]:
    if one.status != "resident":
        yield Refusal(applicant=one.person, reason=one.status)
    elif one.protected:
        yield Refusal(applicant=one.person, reason="protected")
    else:
        if one.seal is None:
            yield Refusal(applicant=one.person, kind="inkan", reason="no_seal")
        if shows_protected:
            yield Refusal(applicant=one.person, kind="juminhyo", option="household", reason="protected")
