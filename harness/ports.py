"""Ports that a server will listen on, chosen before it is there."""

import socket


def reserve_port(host: str, port: int = 0) -> socket.socket:
    """Bind `port`, or a free one for 0, without listening: nobody else is given it, and the server may bind it, too.

    Linux lets two sockets with SO_REUSEADDR share an address as long as at most one of them listens (socket(7)); one
    that was merely free a moment ago can be the near end of somebody's connection by the time the server comes.

    Raises:
        OSError: when it cannot be had.
    """
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        reserved.bind((host, port))
    except OSError:
        reserved.close()
        raise
    return reserved
