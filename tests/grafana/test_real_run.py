"""A real Prometheus scrapes real runs and their deployment: every panel has something to show, every alert is right."""

import math
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.outcome import Outcome
from tests.e2e.conftest import PROFILE, Command, read_verdict, wait_until
from tests.grafana.boards import CONFIG, DASHBOARDS, Query, queries, read_board
from tests.grafana.programs import Prometheus
from tests.ports import free_port

UI, METRICS = "127.0.0.1:8089", "127.0.0.1:9646"  # as prometheus.yml names them
PLAN = ("--calm-s", "0.5", "--bursts", "1", "--burst-s", "6")
_TRIES = 3
STEP_S = 1  # of range queries, as Grafana chooses for a short time: the scrape interval
RUN = {"run": "defective", "target": "municipal"}
QUERIES = [query for path in DASHBOARDS for query in queries(read_board(path))]
VARIABLES = [
    pytest.param(variable["name"], variable["definition"], id=f"{path.stem} / {variable['name']}")
    for path in DASHBOARDS
    for variable in read_board(path)["templating"]["list"]
    if variable["type"] == "query"
]


class Series(NamedTuple):
    """One of an answer: its labels and its values."""

    labels: Mapping[str, str]
    values: list[float]


class Scraped(NamedTuple):
    """What a Prometheus has seen of a run of the program with the defect, and what was firing at its end."""

    prometheus: Prometheus
    directory: Path
    begin_s: float
    end_s: float
    firing: frozenset[str]

    def send(self, query: Query) -> list[Series]:
        """What Grafana is answered, with the run chosen and its time as the time range."""
        range_s = math.ceil(self.end_s - self.begin_s)
        ranges = {"__rate_interval": f"{4 * STEP_S}s", "__range": f"{range_s}s"}
        expression = query.with_variables(RUN | ranges)
        if query.instant:
            result = self.prometheus.ask("query", query=expression, time=self.end_s)["result"]
            return [Series(series["metric"], [float(series["value"][1])]) for series in result]
        times = {"start": self.end_s - range_s, "end": self.end_s, "step": STEP_S}
        result = self.prometheus.ask("query_range", query=expression, **times)["result"]
        return [Series(series["metric"], [float(value) for _, value in series["values"]]) for series in result]


def configure(directory: Path) -> tuple[Path, str, str]:
    """The committed configuration with two free ports in place of its addresses; the ports of web UI and metrics."""
    shutil.copytree(CONFIG.parent, directory / "prometheus")
    config = directory / "prometheus" / CONFIG.name
    text, ports = config.read_text(encoding="utf-8"), (free_port(), free_port())
    for address, port in zip((UI, METRICS), ports, strict=True):
        assert address in text
        text = text.replace(address, f"127.0.0.1:{port}")
    config.write_text(text, encoding="utf-8")
    return config, str(ports[0]), str(ports[1])


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """A run in Locust's web UI that is decided, and then the UI is closed."""
    directory = tmp_path_factory.mktemp("defective")
    config, port, _ = configure(directory)
    with Prometheus(config, directory) as prometheus:
        begin_s = time.time()
        ui = ("--web-host", "127.0.0.1", "--web-port", port, "--autostart")
        locust = Command(
            "locust", "-f", str(PROFILE), *ui, *PLAN, "--rate", "150/s", "--out", RUN["run"], cwd=directory
        )
        try:
            wait_until(lambda: prometheus.value('run_target:misissue_run_state:code{run="defective"}') == 1, locust)
            firing, end_s = frozenset(prometheus.firing()), time.time()
            locust.process.terminate()
            locust.wait()
            assert not locust.left_behind()
        finally:
            locust.end()
        yield Scraped(prometheus, directory, begin_s, end_s, firing)


@pytest.mark.parametrize("query", QUERIES, ids=[query.where for query in QUERIES])
def test_every_query_returns_data(scraped: Scraped, query: Query) -> None:
    """Every query of every panel and every annotation has a value at some time of the run, and no query is refused."""
    assert [series for series in scraped.send(query) if not all(map(math.isnan, series.values))]


@pytest.mark.parametrize(("name", "definition"), VARIABLES)
def test_variables(scraped: Scraped, name: str, definition: str) -> None:
    """What can be chosen is the run, and its target."""
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", definition)
    assert found is not None
    matching = Query(name, found.group(1), False, ()).with_variables(RUN)
    asked: dict[str, str | float] = {"match[]": matching, "start": scraped.begin_s, "end": scraped.end_s}
    assert scraped.prometheus.ask(f"label/{found.group(2)}/values", **asked) == [RUN[name]]


def test_every_legend_is_filled(scraped: Scraped) -> None:
    """Every label that a legend names is one of the series that come; alerts have only those of their own condition."""
    for query in QUERIES:
        labels = {label for series in scraped.send(query) for label in series.labels}
        assert "ALERTS" in query.expression or set(named_labels(query)) <= labels, query.where


def named_labels(query: Query) -> list[str]:
    """The labels that its legends name."""
    return re.findall(r"\{\{(\w+)\}\}", " ".join(query.legends))


def test_the_board_says_what_the_verdict_says(scraped: Scraped) -> None:
    """At the end of the run the panels show the figures of verdict.json."""
    verdict = read_verdict(scraped.directory / RUN["run"])
    ended, by_kind = verdict["outcomes"], verdict["outcomes_by_kind"]
    shown = {query.where: scraped.send(query) for query in QUERIES}

    def last(panel: str, reference: str = "A") -> float:
        (series,) = shown[f"Misissue: Verification / {panel} / {reference}"]
        return series.values[-1]

    outcomes = shown["Misissue: Verification / Outcomes by kind of document / A"]
    cells = shown["Misissue: Verification / Coverage cells by phase / A"]
    assert verdict["verdict"] == "FAIL"
    assert last("Verdict") == 3
    assert last("Misissuances") == sum(ended[one] for one in Outcome if one.is_misissue)
    assert last("Persons exposed") == verdict["persons"] > 0
    assert last("Exposures") == verdict["exposures"] > 0
    assert last("Bound") == pytest.approx(verdict["bound"]["upper"])
    assert last("Coverage cells hit") == len([cell for cell in verdict["cells"] if cell["sync_runs"]])
    assert last("Coverage cells hit", "B") == len(verdict["cells"])
    assert last("Rate kept") == pytest.approx(verdict["rate_share"])
    assert last("Late starts and re-sends") == verdict["late_starts"]
    assert last("Errors") == verdict["error_notices"]
    assert last("Evidence gaps") == 0
    assert {(one.labels["kind"], one.labels["outcome"]): one.values[-1] for one in outcomes if one.values[-1]} == {
        (kind, outcome): number for kind, ends in by_kind.items() for outcome, number in ends.items()
    }
    assert {(one.labels["phase"], one.labels["states"]): one.values[-1] for one in cells if one.values[-1]} == {
        (cell["phase"], "+".join(cell["states"])): cell["sync_runs"] for cell in verdict["cells"] if cell["sync_runs"]
    }


def test_alerts_of_a_defective_program(scraped: Scraped) -> None:
    """A run of the program with the defect raises the alerts on what it did to people, and none on the harness."""
    assert scraped.firing == {"Misissuance", "PrintWaitReleasedByMistake", "ErrorNotices"}


@pytest.mark.timeout(400)
def test_a_right_program_raises_no_alert(tmp_path: Path) -> None:
    """A headless run of the right program fires nothing, neither while it goes on nor when its process has ended.

    On a machine so busy that prints time out there are error notices, and an alert on them is right: it is run again.
    """
    for number in range(_TRIES):
        place = tmp_path / str(number)
        place.mkdir()
        firing = _alerts_of_a_right_program(place)
        if not read_verdict(place / "right")["error_notices"]:
            assert firing == set()
            return
        assert "ErrorNotices" in firing
    pytest.fail(f"in each of {_TRIES} runs prints timed out: run this on a quieter machine")


def _alerts_of_a_right_program(place: Path) -> set[str]:
    """Names of those that fired at any time."""
    config, _, port = configure(place)
    with Prometheus(config, place) as prometheus:
        metrics = ("--build", "fixed", "--metrics-port", port)
        locust = Command("locust", "-f", str(PROFILE), "--headless", *metrics, *PLAN, "--out", "right", cwd=place)
        try:
            assert locust.wait() == 0, locust.stderr
            assert not locust.left_behind()
        finally:
            locust.end()
        prometheus.wait_for_rules(time.time() + 4)  # longer than any alert waits before it fires
        judged = prometheus.value('last_over_time(misissue_prints_judged_total{run="right"}[10m])')
        assert judged, "nothing was scraped"
        fired = prometheus.ask("query", query='max_over_time(ALERTS{alertstate="firing"}[10m])')["result"]
        return {alert["metric"]["alertname"] for alert in fired}
