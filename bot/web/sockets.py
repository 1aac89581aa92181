"""The socket that HTTP is served on, and how many the process may have open."""

from __future__ import annotations

import resource
import socket

MOST_FILES = 65_536
"""Open files that are asked of the system: more than any process here needs."""


def raise_file_limit() -> int:
    """Raise the limit of open files (RLIMIT_NOFILE) as far as the system allows; return it.

    Each connection is a file, and the usual limit of 1,024 is only for programs that use select(). Programs in Go, such
    as Terraform, raise it in the same way when they start.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):  # macOS allows less than it says
            return soft
        return wanted
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket; port 0 picks a free one. Raises OSError.

    Sets TCP_NODELAY, as asyncio does only for sockets that it creates itself: without it, each small answer waits about
    40 ms for the client's acknowledgement.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
