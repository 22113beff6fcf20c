"""Settings as a person gives them."""

import pytest

from harness.target import TargetError
from targets.municipal.settings import Settings, read_settings


def test_what_is_not_given_is_default() -> None:
    """No settings at all are the deployment of the release."""
    settings = read_settings({})
    assert settings == Settings()
    assert (settings.build, settings.topology, settings.sync) == ("seed", "split", "v2")


def test_values_are_read_by_their_type() -> None:
    """A word stays a word, a whole number becomes one, and so does one with a fraction."""
    settings = read_settings({"build": "fixed", "households": "7", "stage_ms": "2.5", "center_timeout_s": "0"})
    assert settings == Settings(build="fixed", households=7, stage_ms=2.5, center_timeout_s=0.0)


@pytest.mark.parametrize(
    ("key", "found", "right"),
    [
        ("build", "broken", "seed or fixed"),
        ("topology", "", "split or joined"),
        ("sync", "V2", "v1 or v2"),
        ("households", "0", "a whole number of at least 1"),
        ("households", "1.5", "a whole number of at least 1"),
        ("slots", "many", "a whole number of at least 1"),
        ("seed", "-1", "a whole number of at least 0"),
        ("stage_ms", "nan", "a number of at least 0"),
        ("stage_ms", "inf", "a number of at least 0"),
        ("link_jitter_ms", "-0.1", "a number of at least 0"),
        ("link_fault_pause_s", "often", "a number of at least 0"),
        ("link_cut_s", "-2", "a number of at least 0"),
        ("time_scale", "0", "a number of at least 0.001"),
        ("port", "65536", "0 to 65535"),
        ("host", "", "one IP address of this machine"),
        ("host", "localhost", "one IP address of this machine"),
        ("host", "0.0.0.0", "one IP address of this machine"),  # noqa: S104 - found to be wrong
        ("host", "::", "one IP address of this machine"),
    ],
)
def test_wrong_value_is_named(key: str, found: str, right: str) -> None:
    """The error for a wrong value says where, what was found, and what would be right."""
    with pytest.raises(TargetError) as error:
        read_settings({key: found})
    message = str(error.value)
    assert message.startswith(f"{key}: found {found if key == 'port' else repr(found)}, right would be {right}")


def test_unknown_key_is_named() -> None:
    """The error for an unknown key says which there are."""
    with pytest.raises(TargetError, match=r"no setting 'tpology'; it has build, topology, sync, .*port$"):
        read_settings({"tpology": "split"})


@pytest.mark.parametrize("key", ["link_latency_ms", "link_jitter_ms", "link_fault_pause_s"])
def test_what_a_link_does_needs_a_link(key: str) -> None:
    """Delays and faults are refused where no link could have them, because the run would not show what it claims."""
    assert getattr(read_settings({"topology": "split", key: "1.5"}), key) == 1.5
    assert getattr(read_settings({"topology": "joined", key: "0"}), key) == 0
    with pytest.raises(TargetError, match=rf"^{key}: found 1\.5, right would be 0: .* topology joined$"):
        read_settings({"topology": "joined", key: "1.5"})
