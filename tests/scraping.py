"""Reads what a scrape brings."""

from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """All series of one scrape.

    Args:
        text: in the text format of Prometheus.
    """

    def __init__(self, text: str) -> None:
        self.series = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    @property
    def names(self) -> set[str]:
        """Of the series."""
        return {name for name, _ in self.series}

    def value(self, name: str, **labels: str) -> float:
        """Of the one series that has this name and these labels, others beside them allowed."""
        (value,) = (
            value
            for (found, told), value in self.series.items()
            if found == name and labels.items() <= dict(told).items()
        )
        return value

    def by(self, name: str, *labels: str) -> dict[str, float]:
        """Values of these labels, joined by a slash -> value, of the series that have the name and are not 0."""
        return {
            "/".join(dict(told)[label] for label in labels): value
            for (found, told), value in self.series.items()
            if found == name and value
        }
