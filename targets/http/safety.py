"""What keeps a load from going where it must not: hosts, rates, production identities."""

import ipaddress
import math
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from harness.target import TargetError
from targets.http.models import Description, SafetyTable
from targets.http.people import People

_RANGE = re.compile(r"^(\d+)\s*-\s*(\d+)$")
_SHOWN = 3


def statement_for(hosts: list[str]) -> str:
    """The sentence by which the operator says that these hosts may be loaded."""
    return f"I operate {', '.join(hosts)}, and there are test persons only."


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its very name or number, so that nothing has to be looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def may_be_asked(described: Description, url: str) -> bool:
    """Whether a link of the service leads to where the operator says that it may be asked."""
    try:
        parts = urlsplit(url)
        host, of_service = parts.hostname or "", urlsplit(described.service.base_url).hostname
        is_place = parts.port != 0
    except ValueError:
        return False
    may = host == of_service or is_loopback(host) or host in described.safety.allowed_hosts
    return may and is_place and parts.scheme in {"http", "https"}


def complaints(described: Description, people: People) -> Iterator[tuple[tuple[str, ...], str]]:
    """(key, sentence) for everything that must not be."""
    safety = described.safety
    host = urlsplit(described.service.base_url).hostname or ""
    if not is_loopback(host) and host not in safety.allowed_hosts:
        right = statement_for([*safety.allowed_hosts, host])
        text = f'is not this machine; right is to list it in [safety] allowed_hosts, with statement = "{right}"'
        yield ("service", "base_url"), f"the host {host} {text}"
    if safety.allowed_hosts:
        right = statement_for(safety.allowed_hosts)
        if safety.statement != right:
            yield ("safety", "statement"), f'found {safety.statement!r}, right is "{right}", when it is true'
        for name in ("max_rate_per_s", "max_duration_s"):
            if getattr(safety, name) is None:
                yield ("safety", name), "is missing; right is the most that may be asked of these hosts"
    yield from _forbidden(safety, people)


def _forbidden(safety: SafetyTable, people: People) -> Iterator[tuple[tuple[str, ...], str]]:
    for rule in safety.forbidden_persons:
        numbers = _RANGE.match(rule)
        if numbers is not None and int(numbers.group(1)) > int(numbers.group(2)):
            yield ("safety", "forbidden_persons"), f"found {rule}, right is the lower number first"
            continue
        hit = [
            person
            for person in people.individuals
            if (
                fnmatchcase(person, rule)
                if numbers is None
                else person.isdecimal() and int(numbers.group(1)) <= int(person) <= int(numbers.group(2))
            )
        ]
        if hit:
            shown = ", ".join(hit[:_SHOWN]) + (f" and {len(hit) - _SHOWN} more" if len(hit) > _SHOWN else "")
            yield ("safety", "forbidden_persons"), f"{rule} forbids {shown}, right are test persons only"


def check_load(described: Description, *, rate_per_s: float | None, seconds: float, urls: Sequence[str] = ()) -> None:
    """Refuse a load that the description does not allow.

    Args:
        rate_per_s: of the plan of arrivals; None when users apply as soon as they are free, which nothing bounds.
        seconds: length of the plan; infinite when it is not known beforehand.
        urls: of servers that are loaded besides the described one.

    Raises:
        TargetError: naming the option, what was found and what would be right.
    """
    for url in urls:
        if not may_be_asked(described, url):
            raise TargetError(
                f"--host: found {url}, right is a server of this machine, or one whose host the target.toml lists in "
                "[safety] allowed_hosts"
            )
    for url in (described.service.base_url, *urls):
        host = urlsplit(url).hostname or ""
        if not is_loopback(host):
            _check_bounds(described.safety, host, rate_per_s=rate_per_s, seconds=seconds)


def _check_bounds(safety: SafetyTable, host: str, *, rate_per_s: float | None, seconds: float) -> None:
    most, longest_s = safety.max_rate_per_s, safety.max_duration_s
    if most is not None and rate_per_s is None:
        raise TargetError(
            f"--rate: found none, right against {host} is a plan of arrivals, such as --rate {most:g}/s at the most"
        )
    if most is not None and rate_per_s is not None and rate_per_s > most:
        raise TargetError(
            f"--rate: found {rate_per_s:g}/s, right against {host} is at most {most:g}/s (safety.max_rate_per_s)"
        )
    if longest_s is not None and seconds > longest_s:
        found = f"the plan takes {seconds:g} s" if math.isfinite(seconds) else "nothing says how long the load takes"
        raise TargetError(f"{found}, right against {host} is at most {longest_s:g} s (safety.max_duration_s)")
