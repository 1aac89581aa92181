"""The stand-in for a cloud: one directory per environment, one JSON file per resource.

Layout: `cloud.json` (hash of the token that grants access) and `<kind>/<id>.json`. Tests and people may add
`faults.json` (operations that fail or are slow) and `unhealthy.json` (why the servers fail their health checks).
Editing or deleting the file of a resource causes drift.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

Attributes = dict[str, Any]
"""A resource's attributes, as Terraform gives them."""


class FaultSpec(TypedDict, total=False):
    """A fault in `faults.json`. error: the operation fails. delay: extra seconds. times: how often it applies."""

    error: str
    delay: float
    times: int


@dataclass(frozen=True)
class _Fault:
    error: str = ""
    delay: float = 0.0


class CloudError(Exception):
    """The cloud rejects a request: wrong token, injected fault, no such resource."""


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_text(json.dumps(content, indent=1, sort_keys=True))
    draft.replace(path)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Cloud:
    """One environment's cloud. Several processes may use it at once, as every file changes atomically."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def create(cls, directory: Path, token: str) -> Cloud:
        """Create an empty cloud that `token` grants access to, or change the token of an existing one."""
        _write(directory / "cloud.json", {"token_sha256": _digest(token)})
        return cls(directory)

    def admit(self, token: str) -> None:
        """Raise CloudError unless this cloud exists and `token` grants access to it."""
        try:
            known = json.loads((self.directory / "cloud.json").read_text())["token_sha256"]
        except FileNotFoundError:
            raise CloudError(f"404: there is no cloud in {self.directory}") from None
        if not hmac.compare_digest(known, _digest(token)):
            raise CloudError("403: this token does not belong to this cloud")

    def things(self, kind: str) -> dict[str, Attributes]:
        """Return all resources of one kind (`server`, `dns_record`, `cluster`), by id."""
        found = {path.stem: self.get(kind, path.stem) for path in (self.directory / kind).glob("*.json")}
        return {key: attributes for key, attributes in sorted(found.items()) if attributes is not None}

    def get(self, kind: str, key: str) -> Attributes | None:
        """Return a resource, or None if it does not exist."""
        if not key or os.sep in key or key.startswith("."):
            return None
        try:
            attributes: Attributes = json.loads((self.directory / kind / f"{key}.json").read_text())
        except FileNotFoundError:
            return None
        return attributes

    def put(self, kind: str, key: str, attributes: Mapping[str, Any]) -> None:
        """Write a resource, ignoring faults. Operations end with this, and tests cause drift with it."""
        _write(self.directory / kind / f"{key}.json", attributes)

    def drop(self, kind: str, key: str) -> None:
        """Delete a resource if it exists, ignoring faults."""
        (self.directory / kind / f"{key}.json").unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete all resources and faults."""
        for path in self.directory.glob("*"):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "cloud.json":
                path.unlink()

    def faults(self, faults: Mapping[str, str | float | FaultSpec]) -> None:
        """Replace all faults. Key: `<operation>:playground_<kind>.<name>`, with `*` for any name.

        Value: a text (the operation fails with it), a number (extra seconds), or a FaultSpec.
        """
        _write(self.directory / "faults.json", faults)

    def set_unhealthy(self, reason: str) -> None:
        """Make the servers fail their health checks with `reason`. An empty text makes them healthy again."""
        _write(self.directory / "unhealthy.json", {"reason": reason})

    def health_problem(self) -> str:
        """Return why the servers are unhealthy. Empty if they are healthy."""
        if not self.things("server"):
            return "no servers"
        try:
            return str(json.loads((self.directory / "unhealthy.json").read_text())["reason"])
        except FileNotFoundError:
            return ""

    def operate(self, operation: str, kind: str, name: str, seconds: float = 0.0) -> None:
        """Wait as long as an operation takes. Raises CloudError if a fault was set for it."""
        fault = self._take_fault(operation, kind, name)
        time.sleep(max(0.0, seconds) + fault.delay)
        if fault.error:
            raise CloudError(fault.error)

    def _take_fault(self, operation: str, kind: str, name: str) -> _Fault:
        """Return the fault for an operation, and count it down."""
        try:
            faults = json.loads((self.directory / "faults.json").read_text())
        except FileNotFoundError:
            return _Fault()
        for key in (f"{operation}:playground_{kind}.{name}", f"{operation}:playground_{kind}.*"):
            found = faults.get(key)
            if isinstance(found, str):
                return _Fault(error=found)
            if isinstance(found, (int, float)):
                return _Fault(delay=found)
            if isinstance(found, dict) and found.get("times", 1) > 0:
                if "times" in found:
                    self.faults(faults | {key: found | {"times": found["times"] - 1}})
                return _Fault(str(found.get("error") or ""), float(found.get("delay", 0)))
        return _Fault()
