"""A reserved port is there for the server that it was reserved for, and for nobody else."""

import errno
import os
import socket
import struct

import pytest

from harness.ports import reserve_port

HOST = "127.0.0.1"
_IP_LOCAL_PORT_RANGE = 51  # linux/in.h, since Linux 6.3


def test_its_server_listens_on_it_as_often_as_it_likes() -> None:
    """As any server does that sets SO_REUSEADDR, also after one that had guests."""
    with reserve_port(HOST) as reserved:
        address = reserved.getsockname()
        for _ in range(2):
            with socket.create_server(address) as server, socket.create_connection(address) as guest:
                server.accept()[0].close()  # it is the first to go, so the connection keeps the port for a minute
                assert guest.recv(1) == b""


def test_nobody_listens_on_it() -> None:
    """Until its server comes, whoever calls is refused."""
    with reserve_port(HOST) as reserved, pytest.raises(ConnectionRefusedError):
        socket.create_connection(reserved.getsockname())


def test_nobody_else_calls_from_it() -> None:
    """No connection of another program can begin there, which is how a port gets lost that was only looked for."""
    with socket.create_server((HOST, 0)) as elsewhere, reserve_port(HOST) as reserved, socket.socket() as caller:
        port = reserved.getsockname()[1]
        try:
            caller.setsockopt(socket.IPPROTO_IP, _IP_LOCAL_PORT_RANGE, struct.pack("=HH", port, port))
        except OSError:
            pytest.skip("this kernel leaves no program one port alone")
        with pytest.raises(OSError, match=os.strerror(errno.EADDRNOTAVAIL)):
            caller.connect(elsewhere.getsockname())


def test_one_that_is_in_use_cannot_be_had() -> None:
    """Where somebody listens nobody else will."""
    with socket.create_server((HOST, 0)) as server, pytest.raises(OSError, match="already in use"):
        reserve_port(HOST, server.getsockname()[1])
