"""What has to hold of that which was learnt, so that it can prove anything. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

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


def mistaken(specimen: Specimen, marks: Sequence[Mark], permitted: Collection[str]) -> Iterator[str]:
    """What is wrong with the identity marks of the right document.

    Somebody has to be on it, and nobody who is not of the group; whose mark a household's paper shows is its own
    matter.

    Args:
        permitted: the group's people.
    """
    name = f"{kind_of(specimen)} of {specimen.person}"
    if not marks:
        yield f"{name} shows no identity mark; right is a pattern that every document matches"
    for person in dict.fromkeys(person for mark in marks for person in mark.persons if person not in permitted):
        yield (
            f"{name} shows the identity mark of {person}, who is not of the group {specimen.group}; "
            "right is a pattern that matches nothing but the name or number of whose document it is"
        )


def kind_of(specimen: Specimen) -> str:
    """Kind and options, for people."""
    return " ".join((specimen.kind, *specimen.options))
