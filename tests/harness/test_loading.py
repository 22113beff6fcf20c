"""Targets are found by their names."""

import pytest

from harness.loading import load_target
from harness.target import TargetError
from tests.harness.stub import StubTarget


def test_load_target() -> None:
    """A target is found by MODULE:ATTRIBUTE and made of its settings."""
    target = load_target("tests.harness.stub:StubTarget", {"build": "seed"})
    assert isinstance(target, StubTarget)
    assert target.settings == {"build": "seed"}


@pytest.mark.parametrize("name", ["", "nothing", "no.such:Thing", "harness.run:Nothing", ":StubTarget", "harness.run"])
def test_no_such_target(name: str) -> None:
    """A name that leads to no target is refused with the form that would be right."""
    with pytest.raises(TargetError, match="write MODULE:ATTRIBUTE"):
        load_target(name, {})
