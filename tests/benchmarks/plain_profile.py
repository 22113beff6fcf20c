"""The plain side: what somebody would write with Locust alone to send the same bytes and read the same answers."""

from itertools import count, cycle
from random import Random

from locust import FastHttpUser, constant, task

from tests.benchmarks.static_target import StaticTarget

applications = count(1)
random = Random(20230430)


class Plain(FastHttpUser):
    """Sends what a kiosk sends, at the address that --host gives, and judges nothing."""

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
        response = self.client.request(
            request.method, request.url, name=application.kind, data=request.body, headers=request.headers
        )
        assert response.content
