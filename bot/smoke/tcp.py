"""A port that takes connections."""

from __future__ import annotations

import socket

from bot.domain.ports.smoke import Smoke
from bot.smoke.trying import NotWell


def ask(smoke: Smoke, timeout: float) -> str:
    """Connect once, and hang up. Raises NotWell."""
    host, _, port = smoke.subject.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")  # an IPv6 address
    if not host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise NotWell(f"{smoke.subject} is no host and port, such as db.example.com:5432")
    try:
        with socket.create_connection((host, int(port)), timeout):
            return f"{smoke.subject} takes connections"
    except ConnectionRefusedError:
        reason = "refused"
    except TimeoutError:
        reason = f"no answer within {timeout:.3g} s"
    except (socket.gaierror, UnicodeError):
        reason = "no such host"
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
    raise NotWell(f"no connection to {smoke.subject}: {reason}")
