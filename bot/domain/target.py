"""What a run acts on: repository + stack + environment (+ instance)."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_STACK = "infra"
"""The stack that commands, texts and names of checks leave out, see docs/policy.md."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, order=True)
class Target:
    """What has one state, one lock and one queue.

    `repository` is `owner/name` in lower case, since GitHub's names are case-insensitive; `instance` is empty, or such
    as `pr-42` for an environment that exists once per pull request.
    """

    repository: str
    stack: str
    environment: str
    instance: str = ""

    @property
    def key(self) -> str:
        """The database key and queue partition: `owner/name:stack:env[:instance]`."""
        parts = [self.repository, self.stack, self.environment]
        return ":".join([*parts, self.instance] if self.instance else parts)

    @property
    def path(self) -> str:
        """A relative directory name that is safe on every file system."""
        return "/".join(_UNSAFE.sub("_", part) for part in self.key.split(":"))

    @property
    def named_stack(self) -> str:
        """The stack as commands and names include it: "" for the default one."""
        return "" if self.stack == DEFAULT_STACK else self.stack

    @classmethod
    def from_key(cls, key: str) -> Target:
        """Return the target with that key. Raises ValueError for anything that `key` cannot return."""
        parts = key.split(":")
        if len(parts) not in (3, 4) or not all(parts):
            raise ValueError(f"not a target: {key!r}")
        return cls(*parts)

    def __str__(self) -> str:
        name = f"{self.environment}/{self.named_stack}" if self.named_stack else self.environment
        return f"{name} ({self.instance})" if self.instance else name


def command(word: str, target: Target) -> str:
    """Return the chat command for this target; it names the stack unless that is the default one."""
    return " ".join(part for part in (f"/{word}", target.environment, target.named_stack) if part)
