"""What is scraped of a real run, from its own process or by `misissue watch`."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from tests.e2e.conftest import Command
from tests.scraping import Scrape


def read(url: str) -> str:
    """What is answered; empty as long as nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own server
            text: str = answer.read().decode()
            return text
    except (urllib.error.URLError, ConnectionError):
        return ""


def scrape(url: str) -> Scrape:
    """What a scrape shows; nothing as long as nobody listens."""
    return Scrape(read(f"{url}/metrics"))


def is_in(state: str, url: str) -> bool:
    """Whether the run is in the state."""
    return scrape(url).by("misissue_run_state", "state") == {state: 1}


def check_against(verdict: Mapping[str, Any], scraped: Scrape) -> None:
    """Each figure of a run that is decided is that of its verdict."""
    counts = {
        "misissue_attempts_issued_total": sum(process["issued"] for process in verdict["processes"].values()),
        "misissue_prints_judged_total": verdict["prints_judged"],
        "misissue_misissuances_total": len(verdict["incidents"]),
        "misissue_exposed_persons": verdict["persons"],
        "misissue_exposures_total": verdict["exposures"],
        "misissue_sync_runs_total": verdict["sync_runs"],
        "misissue_prints_in_flight": verdict["in_flight_at_stop"],
        "misissue_error_notices_total": verdict["error_notices"],
        "misissue_may_have_printed_total": verdict["may_have_printed"],
        "misissue_resends_total": verdict["resends"],
        "misissue_coverage_cells": len(verdict["cells"]),
        "misissue_coverage_cells_hit": sum(cell["sync_runs"] > 0 for cell in verdict["cells"]),
        "misissue_users": 0,
        "misissue_evidence_gaps": 0,
    }
    assert {name: scraped.value(name) for name in counts} == counts
    taken = scraped.value("misissue_print_latency_seconds_count")
    assert taken == verdict["prints_judged"] + verdict["may_have_printed"]
    assert scraped.by("misissue_verdict", "verdict") == {verdict["verdict"]: 1}
    assert scraped.by("misissue_run_state", "state") == {"decided": 1}
    assert scraped.by("misissue_self_tests", "state") == {"caught": len(verdict["processes"])}
    assert scraped.by("misissue_bound_ratio", "confidence") == {"0.95": verdict["bound"]["upper"]}
    assert scraped.by("misissue_outcomes_total", "outcome", "kind") == {
        f"{outcome}/{kind}": number
        for kind, outcomes in verdict["outcomes_by_kind"].items()
        for outcome, number in outcomes.items()
        if number
    }
    assert scraped.by("misissue_coverage_cell_sync_runs", "phase", "states") == {
        f"{cell['phase']}/{'+'.join(cell['states'])}": cell["sync_runs"]
        for cell in verdict["cells"]
        if cell["sync_runs"]
    }


def look_on(run: Command, *urls: str) -> list[list[Scrape]]:
    """What was seen at each place of a headless run while its users were at work."""
    seen: list[list[Scrape]] = [[] for _ in urls]
    while run.process.poll() is None:
        scraped = [scrape(url) for url in urls]
        states = [one.by("misissue_run_state", "state") for one in scraped]
        for of_place, one, state in zip(seen, scraped, states, strict=True):
            if state == {"running": 1}:
                of_place.append(one)
        if all(seen) and {"running": 1} not in states:
            break
        time.sleep(0.2)
    return seen


def begin_watch(start: Callable[..., Command], path: str, *options: str) -> tuple[Command, str]:
    """Watch what lies there; also where to scrape."""
    watch = start("harness", "watch", path, "--port", "0", "--every", "0.1", *options)
    assert watch.process.stdout is not None
    line = watch.process.stdout.readline()
    assert line.startswith("metrics at http://127.0.0.1:"), watch.process.communicate()
    return watch, line.split(";")[0].split()[-1].removesuffix("/metrics")
