"""Many ranges of numbers at once. Pure."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.intp]


def ranges(first: Numbers, last: Numbers) -> tuple[Numbers, Numbers]:
    """All numbers of several half-open ranges, each behind the number of its range."""
    lengths = np.maximum(last - first, 0)
    range_ = np.repeat(np.arange(len(first)), lengths)
    begins = np.cumsum(lengths) - lengths
    return range_, np.arange(len(range_)) - begins[range_] + first[range_]
