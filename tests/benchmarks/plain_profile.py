"""The plain side: what somebody would write with Locust alone to send the same bytes and read the same answers."""

from itertools import count, cycle
from random import Random
from typing import Any

from locust import FastHttpUser, constant, task

from tests.benchmarks.static_target import StaticTarget

applications = count(1)
random = Random(20230430)


class Plain(FastHttpUser):
    """Sends what a kiosk sends, at the address that --host gives, and judges nothing."""

    abstract = True
    wait_time = constant(0)

    def on_start(self) -> None:
        """The service describes its requests to both sides."""
        self.service = StaticTarget({"address": str(self.host).removeprefix("http://")})
        self.groups = cycle(self.service.groups())

    @task
    def apply(self) -> None:
        """One application."""
        application = self.service.draw_application(f"A{next(applications)}", next(self.groups), random)
        request = self.service.print_request(application)
        client: Any = self.client  # Locust's annotations are narrower than what it takes
        response = client.request(
            request.method, request.url, name=application.kind, data=request.body, headers=request.headers
        )
        assert response.content


class AsItIs(Plain):
    """With everything that Locust does for its users."""


class WithoutCookies(Plain):
    """With as little as the shipped users let Locust do: what is left between it and them is the judging."""

    def on_start(self) -> None:
        """Neither side looks into a jar that stays empty."""
        super().on_start()
        self.client.client.cookiejar = None
