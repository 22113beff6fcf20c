"""Numbers as a person reads them, alike in every language of a report. Pure."""

from collections.abc import Callable


def count(number: float) -> str:
    """With its thousands apart."""
    return f"{number:,}"


def share(number: float) -> str:
    """A share or a chance, in per cent with three digits; a small one keeps them."""
    return f"{float(f'{number * 100:.3g}'):,g} %"


def duration(seconds: float) -> str:
    """In the unit that suits it, with three digits."""
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(seconds) >= unit:
            return f"{float(f'{seconds / unit:.3g}'):,g} {name}"
    return f"{round(seconds * 1e9)} ns" if seconds else "0 s"


def milliseconds(nanoseconds: int, digits: int = 3) -> str:
    """With a sign where it is less than none."""
    return f"{round(nanoseconds / 1e6, digits) + 0.0:,.{digits}f}".replace("-", "−")


def clock(at: str) -> str:
    """The time of day of a moment in ISO 8601, as it was where the run was made; the day is that of the run."""
    return at[11:23]


def known(shown: Callable[[float], str], number: float | None, unknown: str) -> str:
    """The number, or the word for what is not known: never a zero in its place."""
    return unknown if number is None else shown(number)
