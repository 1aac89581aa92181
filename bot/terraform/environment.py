"""What Terraform may know of the bot's environment: an allowlist, the target's own variables, and nothing else."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bot.domain.inherited import inherited
from bot.domain.ports.terraform import Place

_ALSO = frozenset(
    [
        "TF_CLI_CONFIG_FILE",
        "TF_PLUGIN_CACHE_DIR",
        "TF_REGISTRY_DISCOVERY_RETRY",
        "TF_REGISTRY_CLIENT_TIMEOUT",
        "GOGC",
        "GOMEMLIMIT",
    ]
)

_SECRET = re.compile(r"password|passwd|secret|token|key|credential|kubeconfig", re.IGNORECASE)


class Environment:
    """Makes environments for Terraform. `process` is the bot's own, from which only the allowlist is taken.

    home: a private directory, so that nothing of the bot's user (`~/.aws`, `~/.netrc`) is in reach by accident.
    """

    def __init__(self, process: Mapping[str, str], home: Path, cli_config: Path | None = None) -> None:
        self._base = inherited(process, _ALSO)
        self._base["HOME"] = str(home)
        if cli_config:
            self._base["TF_CLI_CONFIG_FILE"] = str(cli_config)

    @property
    def plugin_cache(self) -> str:
        return self._base.get("TF_PLUGIN_CACHE_DIR", "")

    @property
    def cli_config(self) -> str:
        return self._base.get("TF_CLI_CONFIG_FILE", "")

    def call(self, place: Place) -> dict[str, str]:
        """For any call but init."""
        fixed = {
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            "TF_DATA_DIR": ".terraform",
        }
        workspace = {"TF_WORKSPACE": place.workspace} if place.workspace else {}
        # 30 tries last over a restart of the built-in backend; with the default 2 an apply loses its state's save.
        return {"TF_HTTP_RETRY_MAX": "30"} | self._base | dict(place.env) | fixed | workspace

    def init(self, place: Place, backend: Mapping[str, str]) -> dict[str, str]:
        """For init: with the backend's credentials and git's, and without a workspace, which may not exist yet."""
        made = self.call(place) | dict(backend)
        made.pop("TF_WORKSPACE", None)
        return made | _git(place)


def secrets_of(place: Place, backend: Mapping[str, str]) -> list[str]:
    """Values of this call whose names say that nobody should read them."""
    given = {**place.env, **backend}
    found = [value for key, value in given.items() if _SECRET.search(key)]
    return found + ([place.git_credentials[2]] if place.git_credentials else [])


def _git(place: Place) -> dict[str, str]:
    """git's configuration for private modules, by environment alone (git 2.31): a helper that answers for the one
    URL prefix, and the same host's ssh addresses read as that prefix, since there is no ssh key."""
    settings = {"GIT_TERMINAL_PROMPT": "0"}
    if place.git_credentials is None:
        return settings
    prefix, user, password = place.git_credentials
    host = urlsplit(prefix).hostname or ""
    header = base64.b64encode(f"{user}:{password}".encode()).decode()
    pairs = [
        (f"http.{prefix}.extraHeader", f"Authorization: Basic {header}"),
        (f"url.{prefix}.insteadOf", f"git@{host}:"),
        (f"url.{prefix}.insteadOf", f"ssh://git@{host}/"),
    ]
    settings["GIT_CONFIG_COUNT"] = str(len(pairs))
    for index, (key, value) in enumerate(pairs):
        settings[f"GIT_CONFIG_KEY_{index}"] = key
        settings[f"GIT_CONFIG_VALUE_{index}"] = value
    return settings
