"""For all tests."""

from collections.abc import Iterator

import locust  # noqa: F401 - it patches the interpreter, and has to come before whatever test imports ssl
import pytest
from hypothesis import settings

# Timings are noisy where others share the machine: a test that is slow for once has found nothing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def _plain_environment() -> Iterator[None]:
    """Whoever runs the tests has a language, and a CI service a page for summaries; neither is the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        yield
