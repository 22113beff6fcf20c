"""docs/metrics.md lists every metric as the code has it, and none besides."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from harness.live.families import Family
from harness.live.log_metrics import LOG_FAMILIES, read_line
from harness.live.metrics import FAMILIES
from targets.municipal.metrics import ApMetrics, CenterMetrics, RegistryMetrics, SyncMetrics
from targets.municipal.points import Points
from tests.grafana.programs import find_program
from tests.harness.live.test_metrics import RUNNING
from tests.harness.live.test_metrics import exposition as metrics_of_a_run

PAGE = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")
UNITS = {"seconds": "seconds", "ratio": "0 to 1", "second": "per second", "info": ""}
SUFFIXES = {"counter": "_total"}


def rows(families: Sequence[Family[Any]]) -> Iterator[str]:
    """A row for each family of a run, or of a log."""
    for family in families:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        unit = UNITS.get(family.name.removesuffix("_total").rpartition("_")[2], "")
        yield f"| `{family.name}` | {family.kind} | {labels} | {unit} | {family.meaning} |"


def registries() -> dict[str, CollectorRegistry]:
    """Of the servers of the deployment; each family has a series from the beginning, which shows its labels."""
    return {
        "AP server": ApMetrics(Points(None), ["1"], Path(__file__).parent).registry,
        "sync agent": SyncMetrics().registry,
        "center": CenterMetrics().registry,
        "registry": RegistryMetrics().registry,
    }


def deployment_rows() -> Iterator[str]:
    """A row for each family of the deployment."""
    for server, registry in registries().items():
        for family in registry.collect():
            labels = ", ".join(f"`{label}`" for label in family.samples[0].labels)
            name = family.name + SUFFIXES.get(family.type, "")
            yield f"| `{name}` | {family.type} | {labels} | {server} | {family.documentation} |"


ROWS = [*rows(FAMILIES), *deployment_rows(), *rows(LOG_FAMILIES)]


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


def test_names_are_conventional() -> None:
    """Prometheus's own linter finds nothing to say about names, units and meanings."""
    scraped = [generate_latest(registry).decode() for registry in registries().values()]
    for exposition in (metrics_of_a_run(RUNNING), *scraped):
        checked = subprocess.run(
            [find_program("promtool"), "check", "metrics"],
            check=False,
            input=exposition,
            text=True,
            capture_output=True,
        )
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_lines_of_the_page_are_read() -> None:
    """What the page shows as lines of a log is counted as such."""
    lines = [line.encode() for line in PAGE.splitlines() if line.startswith("{")]
    assert len(lines) == 3
    assert all(map(read_line, lines))
