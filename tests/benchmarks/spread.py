"""How repeated measurements are summed up: by their middle and their spread, never by their best."""

import statistics
from collections.abc import Sequence
from typing import Self

import msgspec


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Smallest, quartiles and largest of `n` measurements."""

    n: int
    minimum: float
    lower_quartile: float
    median: float
    upper_quartile: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The spread of at least two values; quartiles are interpolated between the values themselves."""
        lower, middle, upper = statistics.quantiles(values, n=4, method="inclusive")
        return cls(
            n=len(values),
            minimum=min(values),
            lower_quartile=lower,
            median=middle,
            upper_quartile=upper,
            maximum=max(values),
        )

    def __format__(self, spec: str) -> str:
        shown = (self.minimum, self.lower_quartile, self.median, self.upper_quartile, self.maximum)
        smallest, lower, middle, upper, largest = (format(value, spec) for value in shown)
        return f"median {middle}, quartiles {lower} to {upper}, all {smallest} to {largest} (n={self.n})"
