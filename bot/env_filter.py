"""Select variables of the process environment: those that git needs."""

from __future__ import annotations

from collections.abc import Mapping

_GIT = frozenset(
    [
        "PATH",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "GIT_SSL_CAINFO",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ]
)


def git_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that git needs to find programs and reach the network. None of them is a secret."""
    return {name: value for name, value in environment.items() if name.upper() in _GIT}
