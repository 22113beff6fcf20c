"""Rectangles: on pages in points from the lower left corner, on pictures in pixels from the upper left one. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle; `low` is the edge of the smaller coordinate, which on a picture is the upper one."""

    left: float
    low: float
    right: float
    high: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From low to high."""
        return self.high - self.low

    @property
    def area(self) -> float:
        """Width times height."""
        return self.width * self.height

    def times(self, scale: float) -> "Box":
        """On a picture of another size."""
        return Box(*(edge * scale for edge in self))

    def wider(self, by: float) -> "Box":
        """With each edge moved outwards; inwards by less than 0."""
        return Box(self.left - by, self.low - by, self.right + by, self.high + by)

    def on_grid(self, step: int) -> "Box":
        """The smallest box of a grid's cells that holds this one."""
        low, high = self.low // step * step, -(-self.high // step) * step
        return Box(self.left // step * step, low, -(-self.right // step) * step, high)

    def holds(self, other: "Box") -> bool:
        """Whether the middle of the other is in it."""
        x, y = (other.left + other.right) / 2, (other.low + other.high) / 2
        return self.left <= x <= self.right and self.low <= y <= self.high

    def meets(self, other: "Box") -> bool:
        """Whether they have some area in common."""
        return max(self.left, other.left) < min(self.right, other.right) and max(self.low, other.low) < min(
            self.high, other.high
        )


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of them."""
    return Box(
        min(box.left for box in boxes),
        min(box.low for box in boxes),
        max(box.right for box in boxes),
        max(box.high for box in boxes),
    )


def joined(boxes: Iterable[Box]) -> list[Box]:
    """Those of one line that follow each other closely as one."""
    found: list[Box] = []
    for box in sorted(boxes, key=lambda one: (round(one.low), one.left)):
        last = found[-1] if found else None
        if last is not None and round(last.low) == round(box.low) and box.left - last.right <= box.height:
            found[-1] = around((last, box))
        else:
            found.append(box)
    return found
