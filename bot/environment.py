"""What of the process's environment others may see: git's few variables, and each environment's secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.settings import PREFIX, process_environment, secrets_file

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


def seen_by_git(environment: Mapping[str, str]) -> dict[str, str]:
    """What git needs of the world: where programs are, and how the network is reached. No secret of ours."""
    return {name: value for name, value in environment.items() if name.upper() in _GIT}


def secrets_of(prefix: str, data_dir: Path) -> dict[str, str]:
    """The variables of one prefix, with it taken off: from the environment, then from the secrets file in `data_dir`.

    Never the bot's own settings, whatever prefix a policy names. Raises UserError where the file is not TOML.
    """
    every = {**process_environment(), **secrets_file(data_dir)}
    return {
        name.removeprefix(prefix): value
        for name, value in every.items()
        if name.startswith(prefix) and name != prefix and not name.startswith(PREFIX)
    }
