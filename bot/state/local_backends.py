"""Backends of a laptop: every target's state is in the laptop's own database, wherever the team keeps its states."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.policy import BackendPolicy, Policy
from bot.domain.ports.state import Author, StateLocation
from bot.domain.ports.terraform import Backend
from bot.domain.target import Target
from bot.errors import UserError
from bot.state.backends import Backends


class LocalBackends(Backends):
    """The built-in backend for all targets. A block of another kind in the repository is replaced, so that no laptop can
    reach the state of another environment by it."""

    def backend(self, target: Target, policy: Policy, declared: str, credential: tuple[str, str]) -> Backend:
        stack = replace(policy.stacks[target.stack], backend=BackendPolicy(kind="http"))
        ours = replace(policy, stacks={**policy.stacks, target.stack: stack})
        kept = declared if declared == "http" else ""
        return replace(super().backend(target, ours, kept, credential), replaces=True)

    def location(self, target: Target, backend: Backend, author: Author | None = None) -> StateLocation:
        if backend.config.get("address") != self.address(target):
            raise elsewhere(target)
        return super().location(target, backend, author)


def elsewhere(target: Target) -> UserError:
    """What a killed command left belongs to the other of a laptop's two states."""
    return UserError(
        f"The last command on {target} was killed, and used another state: your own, or the one that is shared.",
        next_step="Run it again with (or without) `--shared` first.",
    )
