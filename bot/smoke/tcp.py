"""Check that a port accepts connections."""

from __future__ import annotations

import socket

from bot.domain.ports.smoke import Smoke
from bot.smoke.attempt import CheckFailed


def check(smoke: Smoke, timeout: float) -> str:
    """Connect once and close; return what was seen. Raises CheckFailed."""
    host, _, port = smoke.subject.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")  # an IPv6 address
    if not host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise CheckFailed(f"{smoke.subject} is not a host and port, such as db.example.com:5432")
    try:
        with socket.create_connection((host, int(port)), timeout):
            return f"{smoke.subject} accepts connections"
    except ConnectionRefusedError:
        reason = "refused"
    except TimeoutError:
        reason = f"no answer within {timeout:.3g} s"
    except (socket.gaierror, UnicodeError):
        reason = "no such host"
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
    raise CheckFailed(f"no connection to {smoke.subject}: {reason}")
