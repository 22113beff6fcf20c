"""Every metric that there is, with its labels and, where they are known beforehand, their values."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from harness.live.families import RUN_LABELS
from harness.live.metrics import FAMILIES, VERDICTS
from harness.live.snapshot import SelfTestState, State
from harness.outcome import Outcome
from targets.municipal.metrics import ApMetrics, CenterMetrics, RegistryMetrics, SyncMetrics
from targets.municipal.points import Points

ANY: frozenset[str] = frozenset()
"""Of a label that can have any value."""
Labels = Mapping[str, frozenset[str]]

_RUN_VALUES = {
    ("misissue_run_state", "state"): frozenset(get_args(State)),
    ("misissue_self_tests", "state"): frozenset(get_args(SelfTestState)),
    ("misissue_verdict", "verdict"): frozenset(VERDICTS),
    ("misissue_outcomes_total", "outcome"): frozenset(map(str, Outcome)),
}
_SCRAPED = {"instance": ANY, "job": frozenset({"verification", "deployment"})}
_OF_A_RUN = {**_SCRAPED, **dict.fromkeys(RUN_LABELS, ANY)}
_OF_A_SERVER = {**_SCRAPED, "server": ANY, "target": ANY}
_OF_AN_ALERT = {
    **_OF_A_SERVER,
    "alertname": ANY,
    "alertstate": frozenset({"firing", "pending"}),
    "severity": frozenset({"critical", "warning"}),
    "run": ANY,
    "code": ANY,
}
RECORDED = ("run_target:misissue_verdict:code", "run_target:misissue_run_state:code")


def known_metrics(spool: Path) -> dict[str, Labels]:
    """Metric -> label -> values: of runs, of the deployment, of the recording rules and of Prometheus itself."""
    known: dict[str, Labels] = dict.fromkeys(RECORDED, dict.fromkeys(RUN_LABELS, ANY))
    known |= {"up": _OF_A_SERVER, "scrape_duration_seconds": _OF_A_SERVER, "ALERTS": _OF_AN_ALERT}
    for family in FAMILIES:
        labels = {label: _RUN_VALUES.get((family.name, label), ANY) for label in family.labels} | _OF_A_RUN
        names = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
        known |= {f"{family.name}{name}": labels for name in names}
    for server in (ApMetrics(Points(None), ["1"], spool), SyncMetrics(), CenterMetrics(), RegistryMetrics()):
        for metric in server.registry.collect():
            for sample in metric.samples:
                labels = dict(known.get(sample.name, _OF_A_SERVER))
                known[sample.name] = labels | {
                    label: labels.get(label, ANY) | {value} for label, value in sample.labels.items()
                }
    return known
