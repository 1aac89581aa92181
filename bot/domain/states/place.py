"""Where a state is: in which bucket and object, or at which address of the built-in backend."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.target import Target

DEFAULT_PREFIX = "env:"
"""Terraform's `workspace_key_prefix`."""


@dataclass(frozen=True)
class StatePlace:
    """Where a state is.

    kind: of the backend. workspace: Terraform's, `default` for none. bucket, key, endpoint: of s3; endpoint "" for AWS.
    prefix: of workspaces other than the default one. address: of the built-in backend.
    """

    kind: str
    workspace: str = "default"
    bucket: str = ""
    key: str = ""
    endpoint: str = ""
    prefix: str = DEFAULT_PREFIX
    address: str = ""

    @property
    def object(self) -> str:
        """The key of the object in the bucket that has the state."""
        return self.key if self.workspace == "default" else f"{self.prefix}/{self.workspace}/{self.key}"

    @property
    def next_step(self) -> str:
        """The commands that lead a directory to this place; "" if none can."""
        if self.kind == "http":
            return "Run `towpath state login`, then the `terraform init` that it prints."
        if self.kind != "s3":
            return ""
        settings = {"bucket": self.bucket, "key": self.key}
        if self.endpoint:
            settings["endpoints"] = json.dumps({"s3": self.endpoint})
        given = " ".join(
            f"-backend-config={shlex.quote(f'{name}={value}')}" for name, value in settings.items()
        )
        select = (
            "select default"
            if self.workspace == "default"
            else f"select -or-create {shlex.quote(self.workspace)}"
        )
        return f"Run `terraform init -reconfigure {given}`, then `terraform workspace {select}`."

    def __str__(self) -> str:
        if self.kind != "s3":
            return (
                f"the built-in backend at {self.address}"
                if self.kind == "http"
                else f"a backend of kind {self.kind}"
            )
        endpoint = f" at {self.endpoint}" if self.endpoint else ""
        return f"bucket {self.bucket}{endpoint}, key {self.key}, workspace {self.workspace} (object {self.object})"


def place_of(target: Target, kind: str, config: Mapping[str, str]) -> StatePlace:
    """Return where a target's state is, by the settings that `init` gets."""
    if kind == "s3":
        endpoint = json.loads(config["endpoints"])["s3"] if "endpoints" in config else ""
        return StatePlace(kind, target.instance or "default", config["bucket"], config["key"], endpoint)
    address = config.get("address", "") or "/state/" + target.key.replace(":", "/")
    return StatePlace(kind, address=address)


def place_in(left: Mapping[str, Any], workspace: str) -> StatePlace:
    """Return where an initialised directory keeps its state.

    left: `backend` of its `.terraform/terraform.tfstate`. workspace: the selected one, "" for none.
    """
    config = left.get("config") or {}
    endpoint = (config.get("endpoints") or {}).get("s3") or config.get("endpoint") or ""
    return StatePlace(
        str(left.get("type", "")),
        workspace or "default",
        str(config.get("bucket") or ""),
        str(config.get("key") or ""),
        str(endpoint),
        str(config.get("workspace_key_prefix") or DEFAULT_PREFIX),
        str(config.get("address") or ""),
    )
