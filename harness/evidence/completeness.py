"""What only all prints, or all sync runs, together show to be wrong with the evidence. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from harness.evidence.prints import Prints, numbered
from harness.records import SyncRun


def faults_of(prints: Prints) -> Iterator[str]:
    """One sentence for each sort of fault."""
    repeated = _repeated(prints)
    if repeated:
        yield f"{len(repeated)} attempt(s) are on record more than once, such as {repeated[0]}"
    number, example = _shared_identities(prints)
    if number:
        yield (
            f"two users had one identity {number} time(s), such as in {' and '.join(example)}: "
            "a mix-up between the two could not be seen"
        )


def repeated_sync_runs(sync_runs: Sequence[SyncRun]) -> Iterator[str]:
    """One sentence where some are on record more than once: each would count in an exposure of its own."""
    names = [run.sync_run for run in sync_runs]
    if len(set(names)) < len(names):
        repeated = sorted(name for name, number in Counter(names).items() if number > 1)
        yield f"{len(repeated)} sync run(s) are on record more than once, such as {repeated[0]}"


def _repeated(prints: Prints) -> list[str]:
    """Nonces that are on record more than once."""
    order = prints.by_application
    same = prints.application[order[1:]] == prints.application[order[:-1]]
    several = order[np.append(same, False) | np.append(False, same)] if len(order) else order
    several = several[np.lexsort((prints.attempt[several], prints.application[several]))]
    application, attempt = prints.application[several], prints.attempt[several]
    again = np.flatnonzero((application[1:] == application[:-1]) & (attempt[1:] == attempt[:-1]))
    # Two applications may share a number; only the names themselves are proof.
    rows = prints.fetch({*several[again].tolist(), *several[again + 1].tolist()})
    nonces = Counter(print_.nonce for print_ in rows.values())
    return sorted(nonce for nonce, number in nonces.items() if number > 1)


def _shared_identities(prints: Prints) -> tuple[int, list[str]]:
    """How many prints of one group were for certain in flight together with the one before, and the first such pair.

    If any two prints of a group were, then also two of them that follow one another in the order of the time sent.
    """
    groups, group_of_sort = numbered(prints.known_sorts.groups)
    if len(groups) < 2**15:  # the smaller the numbers, the quicker they are sorted
        group_of_sort = group_of_sort.astype(np.int16)
    sent_ns, answered_ns = prints.certain
    # Without those of no certain duration, which could at most touch another one.
    known = np.flatnonzero(sent_ns < answered_ns)
    group = group_of_sort[prints.sort[known]] if len(known) else known
    order = np.lexsort((sent_ns[known], group))
    rows, group = known[order], group[order]
    together = np.flatnonzero((group[1:] == group[:-1]) & (sent_ns[rows[1:]] < answered_ns[rows[:-1]]))
    pair = rows[together[0] : together[0] + 2].tolist() if len(together) else []
    return len(together), sorted(print_.nonce for print_ in prints.fetch(pair).values())
