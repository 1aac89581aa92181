"""A socket to serve HTTP on."""

from __future__ import annotations

import socket


def listen(host: str, port: int) -> socket.socket:
    """A TCP socket that listens; port 0 takes a free one. Raises OSError.

    Its connections send at once: asyncio sees to that only for sockets that it makes itself, and without it each small
    answer waits for the other side's acknowledgement, some 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
