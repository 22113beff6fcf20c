"""Reads what a scrape brings."""


def samples(text: str) -> dict[str, float]:
    """Series as it stands in the text format, such as `up{job="a"}` -> value."""
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {series: float(value) for series, _, value in lines}
