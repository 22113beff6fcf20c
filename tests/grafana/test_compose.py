"""What compose.yaml starts finds its files, and can be reached from this machine only."""

import re

from tests.grafana.boards import CONFIG, GRAFANA

COMPOSE = (GRAFANA / "compose.yaml").read_text(encoding="utf-8")
DATA_SOURCE = (GRAFANA / "provisioning" / "datasources" / "prometheus.yaml").read_text(encoding="utf-8")
PROVIDER = (GRAFANA / "provisioning" / "dashboards" / "misissue.yaml").read_text(encoding="utf-8")


def test_exact_versions() -> None:
    """Every image has a full version, so that tomorrow the same thing starts."""
    images = re.findall(r"image: (\S+)", COMPOSE)
    assert [image.partition(":")[0] for image in images] == ["prom/prometheus", "grafana/grafana"]
    assert all(re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", image) for image in images)


def test_loopback_only() -> None:
    """Both listen on the loopback, which has to be said to each in the network of the host."""
    assert COMPOSE.count("network_mode: host") == COMPOSE.count("image: ") == 2
    assert "--web.listen-address=127.0.0.1:9090\n" in COMPOSE
    assert "GF_SERVER_HTTP_ADDR: 127.0.0.1\n" in COMPOSE
    assert "ports:" not in COMPOSE


def test_no_password() -> None:
    """The only password is a variable of the environment with a default that says what it is good for."""
    assert re.findall(r"PASSWORD: (.*)", COMPOSE) == ["${GRAFANA_ADMIN_PASSWORD:-local-machine-only}"]


def test_files_are_found() -> None:
    """Every file that is mounted is there, and stands in the container where it is looked for."""
    mounted = dict(re.findall(r"- \./(\S+):(\S+):ro", COMPOSE))
    assert all((GRAFANA / source).exists() for source in mounted)
    assert f"--config.file={mounted['prometheus/prometheus.yml']}\n" in COMPOSE
    assert mounted["prometheus/rules"] == "/etc/prometheus/rules"  # beside the configuration, which names rules/*.yml
    assert mounted["provisioning"] == "/etc/grafana/provisioning"  # where Grafana looks by itself
    assert f"      path: {mounted['dashboards']}\n" in PROVIDER
    (home,) = re.findall(r"HOME_DASHBOARD_PATH: (\S+)", COMPOSE)
    assert home == f"{mounted['dashboards']}/verification.json"
    assert (GRAFANA / "dashboards" / "verification.json").is_file()


def test_data_source() -> None:
    """Grafana asks the Prometheus that is started, and makes windows of rates from its scrape interval."""
    assert "    url: http://127.0.0.1:9090\n" in DATA_SOURCE
    (interval,) = re.findall(r"scrape_interval: (\w+)", CONFIG.read_text(encoding="utf-8"))
    assert f"timeInterval: {interval} " in DATA_SOURCE
