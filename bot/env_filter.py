"""Select variables of the process environment: those that git needs, and the secrets of one prefix."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from bot.errors import UserError
from bot.settings import PREFIX, process_environment

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


def prefixed_secrets(prefix: str, data_dir: Path) -> dict[str, str]:
    """Return the variables that start with `prefix`, without it: from the environment and from `secrets.toml`.

    The file wins if both have a name. The bot's own settings are never returned, whatever prefix a policy names.
    Raises UserError if the file is not TOML.
    """
    variables = {**process_environment(), **secrets_file(data_dir)}
    return {
        name.removeprefix(prefix): value
        for name, value in variables.items()
        if name.startswith(prefix) and name != prefix and not name.startswith(PREFIX)
    }


def secrets_file(data_dir: Path) -> dict[str, str]:
    """Read `secrets.toml` in the data directory, lines such as `STAGING_TOKEN = "…"`. Empty if there is no such file.

    Raises UserError, which quotes nothing of its content, if it is not TOML.
    """
    path = data_dir / "secrets.toml"
    if not path.is_file():
        return {}
    try:
        return {key: str(value) for key, value in tomllib.loads(path.read_text()).items()}
    except ValueError:
        raise UserError(
            f"{path} is not valid TOML.", next_step='Write lines such as STAGING_TOKEN = "…".'
        ) from None
