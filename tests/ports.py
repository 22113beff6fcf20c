"""Ports for servers that a test starts."""

import socket

from harness.ports import reserve_port

_kept: list[socket.socket] = []


def free_port() -> int:
    """One of the loopback that nobody else is given as long as these tests run, however often its server starts."""
    _kept.append(reserve_port("127.0.0.1"))
    port: int = _kept[-1].getsockname()[1]
    return port
