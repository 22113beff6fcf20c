"""What a scrape shows of a real run, while it goes on and when it is decided."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import PROFILE, SHORT_PLAN, Command, read_verdict, wait_for_prints, wait_until
from tests.e2e.scrapes import begin_watch, check_against, is_in, look_on, read, scrape
from tests.ports import free_port

pytestmark = pytest.mark.timeout(180)
_GROWING = ("attempts_issued", "prints_judged", "misissuances", "sync_runs", "exposures", "error_notices")


def test_a_run_in_the_web_ui(start: Callable[..., Command], tmp_path: Path) -> None:
    """While a run goes on its servers are found and tell of the defect; decided, it shows the verdict's figures."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ui = ("--web-host", "127.0.0.1", "--web-port", str(port))
    locust = start("locust", "-f", str(PROFILE), *ui, "--autostart", "--out", "run", *SHORT_PLAN, "6")
    servers: dict[str, str] = {}

    def is_released() -> bool:
        for group in json.loads(read(f"{url}/metrics/targets") or "[]"):
            assert group["labels"]["target"] == "municipal"
            servers[group["labels"]["server"]] = f"http://{group['targets'][0]}"
        return "ap-server" in servers and "released" in scrape(servers["ap-server"]).by(
            "municipal_print_waits_total", "end"
        )

    wait_until(is_released, locust)
    assert set(servers) == {"ap-server", "center", "registry", "sync-agent"}
    assert set(scrape(servers["registry"]).by("municipal_changes_total", "kind")) <= {"relocate", "rename", "household"}
    assert scrape(servers["sync-agent"]).value("municipal_sync_runs_total") > 0
    wait_until(lambda: is_in("decided", url), locust)
    check_against(read_verdict(tmp_path / "run"), scrape(url))
    assert json.loads(read(f"{url}/metrics/targets")) == []
    locust.process.terminate()
    assert locust.wait() == 1, locust.stderr


@pytest.mark.parametrize("processes", [pytest.param(1, marks=pytest.mark.long), 2])
def test_a_headless_run(start: Callable[..., Command], tmp_path: Path, processes: int) -> None:
    """The port is told on stderr; counters only grow, never beyond the verdict's; a misissuance is FAIL at once.

    `misissue watch` sees the misissuances, too, from the directory alone; and afterwards what the verdict says.
    """
    several = ("--processes", "2") if processes == 2 else ()
    options = ("--out", "run", "--metrics-port", "0", *several, "--", *SHORT_PLAN, "6")
    run = start("harness", "verify", "april30", *options)
    assert run.process.stderr is not None
    line = run.process.stderr.readline()
    assert line.startswith("misissue: metrics at http://127.0.0.1:")
    url = line.split()[-1].removesuffix("/metrics")
    wait_for_prints(tmp_path / "run", 5, run)
    watch, watched = begin_watch(start, "run")
    seen, outside = look_on(run, url, watched)
    assert run.wait() == 1, run.stderr
    verdict = read_verdict(tmp_path / "run")
    first, last = seen[0], seen[-1]
    for name in (f"misissue_{name}_total" for name in _GROWING):
        values = [scraped.value(name) for scraped in seen]
        assert values == sorted(values), name
    issued = sum(process["issued"] for process in verdict["processes"].values())
    for name, most in (
        ("misissue_attempts_issued_total", issued),
        ("misissue_prints_judged_total", verdict["prints_judged"]),
        ("misissue_misissuances_total", len(verdict["incidents"])),
        ("misissue_exposed_persons", verdict["persons"]),
        ("misissue_exposures_total", verdict["exposures"]),
        ("misissue_coverage_cells_hit", sum(cell["sync_runs"] > 0 for cell in verdict["cells"])),
        ("misissue_sync_runs_total", verdict["sync_runs"]),
        ("misissue_error_notices_total", verdict["error_notices"]),
    ):
        assert 0 < last.value(name) <= most, name
    ended = last.value("misissue_prints_judged_total") + last.value("misissue_may_have_printed_total")
    assert last.value("misissue_print_latency_seconds_count") == ended
    assert {"ok", "wrong_person"} <= set(last.by("misissue_outcomes_total", "outcome"))
    assert set(last.by("misissue_outcomes_total", "kind")) <= {"juminhyo", "inkan", "koseki", "zei"}
    assert last.by("misissue_verdict", "verdict") == {"FAIL": 1}
    assert first.value("misissue_users") <= last.value("misissue_users") == 10
    assert last.value("misissue_planned_seconds") == pytest.approx(6.6)
    assert 0 < first.value("misissue_elapsed_seconds") < last.value("misissue_elapsed_seconds")
    assert sum(last.by("misissue_self_tests", "state").values()) == processes
    assert last.value("misissue_evidence_gaps") == 0
    assert not run.left_behind()
    assert outside[-1].value("misissue_misissuances_total") > 0
    assert outside[-1].by("misissue_verdict", "verdict") == {"FAIL": 1}
    assert outside[-1].value("misissue_evidence_gaps") == 0
    wait_until(lambda: is_in("decided", watched), watch)
    check_against(verdict, scrape(watched))
    watch.process.terminate()
    assert watch.wait() == 0
    assert (watch.stdout, watch.stderr) == ("stopped\n", "")
