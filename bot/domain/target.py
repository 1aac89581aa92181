"""What a run acts on: repository + stack + environment (+ instance)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, order=True)
class Target:
    """The thing that has one state, one lock and one queue.

    `repository` is `owner/name` as the platform spells it, lower-cased (GitHub's names are case-insensitive);
    `instance` is empty, or such as `pr-42` for an environment that exists once per pull request.
    """

    repository: str
    stack: str
    environment: str
    instance: str = ""

    @property
    def key(self) -> str:
        """The one spelling used as a database key and a queue's partition: `owner/name:stack:env[:instance]`."""
        parts = [self.repository, self.stack, self.environment]
        return ":".join([*parts, self.instance] if self.instance else parts)

    @property
    def path(self) -> str:
        """A relative directory name that is safe on every file system."""
        return "/".join(_SAFE.sub("_", part) for part in self.key.split(":"))

    @classmethod
    def from_key(cls, key: str) -> Target:
        """The target behind `key`. Raises ValueError for anything that `key` could not have made."""
        parts = key.split(":")
        if len(parts) not in (3, 4) or not all(parts):
            raise ValueError(f"not a target: {key!r}")
        return cls(*parts)

    def __str__(self) -> str:
        name = self.environment if self.stack in ("", "infra") else f"{self.environment}/{self.stack}"
        return f"{name} ({self.instance})" if self.instance else name
