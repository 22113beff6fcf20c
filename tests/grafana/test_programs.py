"""A Prometheus that a test starts is gone afterwards."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.grafana.programs import Prometheus

CONFIG = "global: {scrape_interval: 1s}\n"
STARTED = """
import sys
from pathlib import Path
from tests.grafana.programs import Prometheus
with Prometheus(Path(sys.argv[1]), Path(sys.argv[2])) as prometheus:
    print(prometheus.process.pid, flush=True)
    sys.stdin.read()
"""


def is_running(pid: int) -> bool:
    """Whether the process is there, and no zombie that waits for init."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def test_stop(tmp_path: Path) -> None:
    """It answers while the context lasts, and is gone after it."""
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG)
    with Prometheus(config, tmp_path) as prometheus:
        assert prometheus.value("vector(2)") == 2
        assert is_running(prometheus.process.pid)
    assert not is_running(prometheus.process.pid)


def test_killed_parent(tmp_path: Path) -> None:
    """It does not outlive whoever started it, not even after SIGKILL."""
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG)
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTED, config, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    while is_running(pid):  # the kernel is not done with it the moment its parent is gone
        time.sleep(0.01)
