"""Locust's own application with our pages in it, and a run that somebody makes up."""

from argparse import Namespace
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from harness.live.snapshot import Snapshot
from harness.target import TargetError

PEOPLE = frozenset({"P00057", "P00063", "P00064"})


class FakeOwner:
    """Has the run that a test gives it."""

    def __init__(self) -> None:
        self.seen: Snapshot | None = None
        self.is_busy = self.is_guest = False
        self.people: Collection[str] = PEOPLE
        self.opened: list[Mapping[str, object]] = []
        self.refuses = ""
        self.given_up = 0

    def snapshot(self) -> Snapshot | None:
        return self.seen

    def open(self, environment: Any, options: Mapping[str, object]) -> None:
        del environment
        if self.refuses:
            raise TargetError(self.refuses)
        self.opened.append(options)

    def give_up(self, environment: Any) -> None:
        del environment
        self.given_up += 1


class FakeRunner:
    """As much of a runner as Locust's views ask for."""

    def __init__(self, locust: Any) -> None:
        self.state, self.user_count = "ready", 0
        self.errors: dict[str, object] = {}
        self.exceptions: dict[str, object] = {}
        self.stats = locust("stats").RequestStats()
        self.user_classes: list[object] = []
        self.started = 0

    def start_shape(self) -> None:
        """Locust begins."""
        self.started += 1


class Site:
    """Locust's application with ours in it."""

    def __init__(self, locust: Callable[[str], Any], **options: Any) -> None:
        self.owner = FakeOwner()
        self.environment = locust("env").Environment(
            parsed_options=Namespace(burst_s=7.0, confidence=None, max=[], **_LOCUSTS | options)
        )
        self.environment.shape_class = SimpleNamespace(use_common_options=True)
        self.runner = self.environment.runner = FakeRunner(locust)
        self.web_ui = self.environment.create_web_ui(
            "", 0, delayed_start=True, web_base_path=options.get("web_base_path"), web_login="login" in options
        )
        import_module("harness.load.web.ui").add_web_ui(self.environment, self.owner)
        self.app = self.web_ui.app
        self.client = self.app.test_client()
        self.web_ui.update_template_args()

    def get(self, path: str, **headers: str) -> Any:
        """An answer."""
        answer = self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer.get_data()
        answer.close()
        return answer

    def start(self, **fields: str) -> dict[str, Any]:
        """As the form does."""
        told: dict[str, Any] = self.client.post(
            "/swarm", data={"user_count": "9", "spawn_rate": "9", **fields}
        ).get_json()
        return told


_LOCUSTS = {
    "web_base_path": "",
    "lang": "",
    "num_users": 1,
    "spawn_rate": 1.0,
    "run_time": None,
    "stats_history_enabled": False,
    "profile": None,
}


MakeSite = Callable[..., Site]
"""Takes what `Site` takes, but Locust's modules."""
