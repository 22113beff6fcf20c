"""Elements of inline SVG, and scales for what is drawn. Pure; the same input gives the same bytes."""

from collections.abc import Iterable, Iterator
from math import ceil, floor, log10

from markupsafe import Markup, escape


def element(name: str, *content: str, **attributes: str | float | None) -> Markup:
    """One element. Whatever is no markup already is escaped.

    Args:
        content: inside it, one behind the other.
        attributes: by name, a `_` for each `-` and a trailing one for a word of Python's; None leaves it out.
    """
    shown = Markup().join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _shown(value))
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup().join(map(escape, content))
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), shown, inside)  # noqa: S704 - names are our own words


def picture(width: float, height: float, *content: str, name: str, title: str, description: str) -> Markup:
    """A whole picture, which a screen reader reads out as title and description.

    Args:
        name: unique on the page.
    """
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *content,
        class_="picture",
        viewBox=f"0 0 {plain(width)} {plain(height)}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def text(x: float, y: float, content: str, *, class_: str = "", anchor: str = "") -> Markup:
    """One line of text on its base line; `anchor` is middle or end where x is not its beginning."""
    return element("text", content, x=x, y=y, class_=class_ or None, text_anchor=anchor or None)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """From one point to another."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rectangle(x: float, y: float, width: float, height: float, class_: str, *, rounding: float | None = None) -> Markup:
    """By its upper left corner."""
    return element("rect", x=x, y=y, width=width, height=height, rx=rounding, class_=class_)


def bars(boxes: Iterable[tuple[float, float, float, float]], class_: str) -> Markup:
    """Many rectangles (x, y, width, height) as one path; those of no height are left out."""
    path = "".join(
        f"M{plain(x)} {plain(y)}h{plain(width)}v{plain(height)}h{plain(-width)}z"
        for x, y, width, height in boxes
        if height > 0
    )
    return element("path", d=path, class_=class_) if path else Markup()


def plain(number: float) -> str:
    """To a tenth of a pixel, without what says nothing."""
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")


def nice_step(length: float, most: int) -> float:
    """The least of ..., 1, 2, 5, 10, ... of which at most so many make the length."""
    if length <= 0:
        return 1.0
    power = floor(log10(length / most)) - 1
    return next(
        step * 10.0**exponent
        for exponent in range(power, power + 4)
        for step in (1, 2, 5)
        if length / (step * 10.0**exponent) <= most
    )


def ticks(begin: float, end: float, most: int) -> Iterator[float]:
    """Multiples of a nice step from begin to end, both included."""
    step = nice_step(end - begin, most)
    for number in range(ceil(begin / step - 1e-9), floor(end / step + 1e-9) + 1):
        yield number * step


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else plain(value)
