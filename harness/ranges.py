"""Many ranges of numbers at once. Pure."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.intp]


def ranges(first: Numbers, last: Numbers) -> tuple[Numbers, Numbers]:
    """All numbers of several half-open ranges, each behind the number of its range."""
    lengths = np.maximum(last - first, 0)
    begins = np.cumsum(lengths) - lengths
    numbers = np.arange(int(lengths.sum()))
    numbers += np.repeat(first - begins, lengths)
    return np.repeat(np.arange(len(first)), lengths), numbers


def changes(column: ArrayLike) -> Numbers:
    """Rows that differ from the one before, the first one included."""
    values = np.asarray(column)
    return np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else np.zeros(0, dtype=np.intp)


def stretches(column: NDArray[np.signedinteger], at_once: int) -> tuple[Numbers, Numbers]:
    """Where stretches of about so many rows begin and end, none of which cuts equal numbers in two.

    Args:
        column: in ascending order.
    """
    cuts = np.searchsorted(column, column[::at_once], side="left")
    firsts = cuts[changes(cuts)]
    return firsts, np.append(firsts[1:], len(column))[: len(firsts)]
