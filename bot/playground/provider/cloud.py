"""The pretended cloud: one directory an environment, one JSON file a thing in it.

Layout: `cloud.json` (the hash of the one token that is let in), `<kind>/<id>.json`, and by hand or by a test
`faults.json`: operations that fail or take long, and `sick.json`: why its servers do not do their work. Editing or
removing a thing's file is drift.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Thing = dict[str, Any]


class CloudError(Exception):
    """The cloud refuses: a wrong token, an injected fault, no such thing."""


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_text(json.dumps(content, indent=1, sort_keys=True))
    draft.replace(path)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Cloud:
    """One environment's cloud. Several processes may use it at once; every file changes atomically."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def create(cls, directory: Path, token: str) -> Cloud:
        """Make an empty cloud that lets only `token` in (or set a new token on one that exists)."""
        _write(directory / "cloud.json", {"token_sha256": _digest(token)})
        return cls(directory)

    def admit(self, token: str) -> None:
        """Raises CloudError unless this cloud exists and `token` is its own."""
        try:
            known = json.loads((self.directory / "cloud.json").read_text())["token_sha256"]
        except FileNotFoundError:
            raise CloudError(f"404: there is no cloud in {self.directory}") from None
        if not hmac.compare_digest(known, _digest(token)):
            raise CloudError("403: this token does not belong to this cloud")

    def things(self, kind: str) -> dict[str, Thing]:
        """Everything of one kind (`server`, `dns_record`, `cluster`), by id."""
        found = {path.stem: self.get(kind, path.stem) for path in (self.directory / kind).glob("*.json")}
        return {key: thing for key, thing in sorted(found.items()) if thing is not None}

    def get(self, kind: str, key: str) -> Thing | None:
        """A thing, or None where somebody deleted it."""
        if not key or os.sep in key or key.startswith("."):
            return None
        try:
            thing: Thing = json.loads((self.directory / kind / f"{key}.json").read_text())
        except FileNotFoundError:
            return None
        return thing

    def put(self, kind: str, key: str, thing: Mapping[str, Any]) -> None:
        """Write a thing as it is, past all faults: what an operation ends with, and how drift is made."""
        _write(self.directory / kind / f"{key}.json", thing)

    def drop(self, kind: str, key: str) -> None:
        """Delete a thing, past all faults; nothing happens where there is none."""
        (self.directory / kind / f"{key}.json").unlink(missing_ok=True)

    def faults(self, faults: Mapping[str, Any]) -> None:
        """Set `faults.json`. Key: `<operation>:playground_<kind>.<name>`, `*` for any name.

        Value: a text (the operation fails with it), a number (it takes so many seconds longer), or
        `{"error": text, "delay": seconds, "times": n}`, which wears off after n times.
        """
        _write(self.directory / "faults.json", faults)

    def sicken(self, why: str) -> None:
        """Let its servers answer their health checks with `why`; an empty text makes them well again."""
        _write(self.directory / "sick.json", {"why": why})

    def trouble(self) -> str:
        """Why its servers are not healthy; empty where they are."""
        if not self.things("server"):
            return "there is no server"
        try:
            return str(json.loads((self.directory / "sick.json").read_text())["why"])
        except FileNotFoundError:
            return ""

    def operate(self, operation: str, kind: str, name: str, seconds: float = 0.0) -> None:
        """Take the time that an operation takes. Raises CloudError where a fault was set for it."""
        fault = self._fault(operation, kind, name)
        time.sleep(max(0.0, seconds) + float(fault.get("delay", 0)))
        if error := fault.get("error"):
            raise CloudError(str(error))

    def _fault(self, operation: str, kind: str, name: str) -> dict[str, Any]:
        try:
            faults = json.loads((self.directory / "faults.json").read_text())
        except FileNotFoundError:
            return {}
        for key in (f"{operation}:playground_{kind}.{name}", f"{operation}:playground_{kind}.*"):
            found = faults.get(key)
            if isinstance(found, str):
                return {"error": found}
            if isinstance(found, (int, float)):
                return {"delay": found}
            if isinstance(found, dict) and found.get("times", 1) > 0:
                if "times" in found:
                    self.faults(faults | {key: found | {"times": found["times"] - 1}})
                return dict(found)
        return {}
