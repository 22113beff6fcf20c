"""The settings of the deployment, as a person gives them: KEY=VALUE, every value a text."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Literal, get_args, get_type_hints

import msgspec

from harness.target import TargetError


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is deployed.

    Args:
        build: of the sync agent's program.
        topology: `split`: AP and DB server apart, prints queue on the DB server; `joined`: one host, they queue in the
            AP server's memory.
        sync: method of the synchronisation.
        seed: of the residents.
        households: how many.
        slots: print image files that the AP server has.
        stage_ms: how long a print image lies in its slot.
        time_scale: how many times faster than in reality the time-outs of center and kiosk run. The real values are not
            public; 120 s and 180 s stand above the two minutes that Sakai city tells its residents to expect.
        center_timeout_s, kiosk_timeout_s: real time-outs, before scaling; 0 waits for ever.
        link_latency_ms, link_jitter_ms: one way between AP and DB server. Need topology `split`.
        link_fault_pause_s: mean pause between two faults of that link, in seconds of the run; 0 for no faults. Faults
            come by a schedule drawn from the seed, in every three one of each kind: a second of latency (50 to 100 ms
            one way), a second in which all connections are reset again and again, and a cut. Needs topology `split`.
        link_cut_s: how long such a cut lasts, in seconds of the run; no byte is lost in it, all arrive late.
        batch_ms: period of method v1.
        host: address of this machine on which center, registry and truth listen, and under which other hosts reach
            them; everything else stays on the loopback.
        port: of the center; 0 takes a free one.
    """

    build: Literal["seed", "fixed"] = "seed"
    topology: Literal["split", "joined"] = "split"
    sync: Literal["v1", "v2"] = "v2"
    seed: int = 20230430
    households: int = 120
    slots: int = 3
    stage_ms: float = 5.0
    time_scale: float = 100.0
    center_timeout_s: float = 120.0
    kiosk_timeout_s: float = 180.0
    link_latency_ms: float = 0.0
    link_jitter_ms: float = 0.0
    link_fault_pause_s: float = 0.0
    link_cut_s: float = 2.0
    batch_ms: float = 50.0
    host: str = "127.0.0.1"
    port: int = 0


_LEAST = {"households": 1, "slots": 1, "time_scale": 0.001}


def read_settings(values: Mapping[str, str]) -> Settings:
    """Settings from texts.

    Raises:
        TargetError: naming the key, what was found and what would be right.
    """
    hints = get_type_hints(Settings)
    read: dict[str, object] = {}
    for key, text in values.items():
        if key not in hints:
            message = f"the municipal target has no setting {key!r}; it has {', '.join(hints)}"
            raise TargetError(message)
        read[key] = _read_host(text) if key == "host" else _read(key, text, hints[key])
    settings = Settings(**read)  # type: ignore[arg-type] # each value was read by its field's own type
    if settings.port > 65535:
        message = f"port: found {settings.port}, right would be 0 to 65535"
        raise TargetError(message)
    for key in ("link_latency_ms", "link_jitter_ms", "link_fault_pause_s"):
        if getattr(settings, key) and settings.topology != "split":
            message = f"{key}: found {getattr(settings, key):g}, right would be 0: there is no link"
            raise TargetError(f"{message} in the topology {settings.topology}")
    return settings


def _read_host(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        address = None
    if address is None or address.is_unspecified:
        message = f"host: found {text!r}, right would be one IP address of this machine"
        raise TargetError(message)
    return text


def _read(key: str, text: str, kind: type) -> object:
    if choices := get_args(kind):
        if text not in choices:
            message = f"{key}: found {text!r}, right would be {' or '.join(choices)}"
            raise TargetError(message)
        return text
    least = _LEAST.get(key, 0)
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not least <= value < float("inf"):
        name = "a whole number" if kind is int else "a number"
        message = f"{key}: found {text!r}, right would be {name} of at least {least:g}"
        raise TargetError(message)
    return value
