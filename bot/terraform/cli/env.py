"""Terraform's environment: an allowlist of the bot's own variables, plus the target's variables."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bot.domain.env_allowlist import inherited
from bot.domain.ports.terraform import WorkDir

_TERRAFORM_ALLOWLIST = frozenset(
    [
        "TF_CLI_CONFIG_FILE",
        "TF_PLUGIN_CACHE_DIR",
        "TF_REGISTRY_DISCOVERY_RETRY",
        "TF_REGISTRY_CLIENT_TIMEOUT",
        "GOGC",
        "GOMEMLIMIT",
    ]
)

_SECRET_NAME = re.compile(r"password|passwd|secret|token|key|credential|kubeconfig", re.IGNORECASE)


class Environment:
    """Builds Terraform's environment for each call.

    process: the bot's own environment, from which only the allowlist is taken. cli_config: for TF_CLI_CONFIG_FILE.
    """

    def __init__(self, process: Mapping[str, str], cli_config: Path | None = None) -> None:
        self._base = inherited(process, _TERRAFORM_ALLOWLIST)
        if cli_config:
            self._base["TF_CLI_CONFIG_FILE"] = str(cli_config)

    @property
    def plugin_cache(self) -> str:
        return self._base.get("TF_PLUGIN_CACHE_DIR", "")

    @property
    def cli_config(self) -> str:
        return self._base.get("TF_CLI_CONFIG_FILE", "")

    def for_call(self, work_dir: WorkDir) -> dict[str, str]:
        """Return the environment of any command except `init`."""
        fixed = {
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            "TF_DATA_DIR": ".terraform",
        }
        workspace = {"TF_WORKSPACE": work_dir.workspace} if work_dir.workspace else {}
        # 30 retries outlast a restart of the built-in backend; with the default (2) an apply fails to save its state.
        return {"TF_HTTP_RETRY_MAX": "30"} | self._base | dict(work_dir.env) | fixed | workspace

    def for_init(self, work_dir: WorkDir, backend: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of `init`: with the backend's and git's credentials, without a workspace.

        The workspace may not exist before `init`.
        """
        env = self.for_call(work_dir) | dict(backend)
        env.pop("TF_WORKSPACE", None)
        return env | _git_settings(work_dir)


def secrets_of(work_dir: WorkDir, backend: Mapping[str, str]) -> list[str]:
    """Return the values to redact: those of variables whose names suggest a secret, unless they are known to be
    none, and git's password."""
    env = {**work_dir.env, **backend}
    secrets = [
        value for key, value in env.items() if _SECRET_NAME.search(key) and key not in work_dir.settings
    ]
    return secrets + ([work_dir.git_access.password] if work_dir.git_access else [])


def _git_settings(work_dir: WorkDir) -> dict[str, str]:
    """Return git's configuration for private modules, as environment variables (git 2.31 or later).

    An Authorization header for the one URL prefix. The host's ssh addresses are rewritten to that prefix, since there
    is no ssh key.
    """
    settings = {"GIT_TERMINAL_PROMPT": "0"}
    access = work_dir.git_access
    if access is None:
        return settings
    prefix, host = access.prefix, urlsplit(access.prefix).hostname or ""
    header = base64.b64encode(f"{access.user}:{access.password}".encode()).decode()
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
