"""What has to hold of that which was learnt, so that it can prove anything. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from harness.calibration.specimens import Specimen
from harness.records import Group, Mark


def alike(specimens: Sequence[Specimen], groups: Iterable[Group], *, is_masked: bool) -> Iterator[str]:
    """Documents that would be right for two persons of whom one must not see the other's.

    Args:
        is_masked: parts that vary by themselves do not count.
    """
    but = " but for what varies by itself" if is_masked else ""
    permitted = {group.group: set(group.persons) for group in groups}
    by_checksum: defaultdict[str, list[Specimen]] = defaultdict(list)
    for specimen in specimens:
        if specimen.checksum:
            by_checksum[specimen.checksum].append(specimen)
    for same in by_checksum.values():
        for other in same[1:]:
            one = same[0]
            if other.person not in permitted[one.group] or one.person not in permitted[other.group]:
                yield (
                    f"{other.person} and {one.person} get the same {other.kind}{but}: whose it is cannot be told; "
                    "right are test persons whose documents differ"
                )
            elif (one.kind, one.options) != (other.kind, other.options):
                yield (
                    f"{one.person}'s {kind_of(one)} and {other.person}'s {kind_of(other)} are the same document{but}: "
                    "which was asked for cannot be told; right are kinds and options that differ"
                )


def unruly(specimens: Sequence[Specimen]) -> Iterator[str]:
    """Refusals that are not those of a kind, or of single options, which is all that a register can say of them."""
    refused = {(one.person, one.kind, one.options) for one in specimens if one.refused}
    for one in specimens:
        rules = ((), *((option,) for option in one.options))
        follows = any((one.person, one.kind, options) in refused for options in rules)
        if follows is not bool(one.refused):
            yield (
                f"{kind_of(one)} of {one.person} is {'refused' if one.refused else 'issued'}, which does not follow "
                "from its options one by one; right are kinds of their own for options that depend on each other"
            )


def mistaken(specimen: Specimen, marks: Sequence[Mark], permitted: Iterable[str]) -> Iterator[str]:
    """Identity marks that do not say whose document it is.

    Args:
        permitted: everybody who may be on it.
    """
    persons = {person for mark in marks for person in mark.persons}
    shown = ", ".join(sorted(persons)) or "nobody"
    if specimen.person not in persons and not persons & set(permitted):
        yield (
            f"the marks of {kind_of(specimen)} of {specimen.person} say {shown}; right is a [fingerprint.marks] that "
            f"finds {specimen.person} there"
        )


def kind_of(specimen: Specimen) -> str:
    """Kind and options, for people."""
    return " ".join((specimen.kind, *specimen.options))
