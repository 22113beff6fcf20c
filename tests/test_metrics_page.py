"""docs/metrics.md lists every metric as the code has it, and none besides."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from harness.metrics import FAMILIES
from targets.municipal.metrics import ApMetrics, CenterMetrics, RegistryMetrics, SyncMetrics
from targets.municipal.points import Points

PAGE = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")
UNITS = {"seconds": "seconds", "ratio": "0 to 1", "second": "per second", "info": ""}
SUFFIXES = {"counter": "_total"}


def run_rows() -> Iterator[str]:
    """A row for each family of a run."""
    for family in FAMILIES:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        unit = UNITS.get(family.name.removesuffix("_total").rpartition("_")[2], "")
        yield f"| `{family.name}` | {family.kind} | {labels} | {unit} | {family.meaning} |"


def deployment_rows() -> Iterator[str]:
    """A row for each family of the deployment; each has a series from the beginning, which shows its labels."""
    registries: dict[str, CollectorRegistry] = {
        "AP server": ApMetrics(Points(None), ["1"], Path(__file__).parent).registry,
        "sync agent": SyncMetrics().registry,
        "center": CenterMetrics().registry,
        "registry": RegistryMetrics().registry,
    }
    for server, registry in registries.items():
        for family in registry.collect():
            labels = ", ".join(f"`{label}`" for label in family.samples[0].labels)
            name = family.name + SUFFIXES.get(family.type, "")
            yield f"| `{name}` | {family.type} | {labels} | {server} | {family.documentation} |"


ROWS = [*run_rows(), *deployment_rows()]


@pytest.mark.parametrize("row", ROWS)
def test_every_metric_is_on_the_page(row: str) -> None:
    """Each metric has its row, with type, labels and meaning."""
    assert f"{row}\n" in PAGE, row


def test_the_page_makes_up_no_metric() -> None:
    """Each row of the page is a metric that there is, and each query asks for such."""
    names = [re.findall(r"`(\w+)`", row)[0] for row in ROWS]
    assert re.findall(r"^\| `((?:misissue|municipal)_\w+)` \|", PAGE, re.MULTILINE) == names
    told = {name.removesuffix("_bucket") for name in re.findall(r"\b((?:misissue|municipal)_\w+)", PAGE)}
    assert told - {"misissue_", "municipal_"} <= set(names)
