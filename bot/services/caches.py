"""Caches of use cases: what GitHub, git and their own rows said recently."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from cachetools import LRUCache

from bot.domain.exports import ExportPolicies, PullCheck
from bot.domain.policy import Policy
from bot.domain.ports.chat import ChatUser
from bot.domain.ports.forge import PullRequest, Repository
from bot.domain.ports.terraform import ProviderUse
from bot.domain.states import Outputs

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LARGEST = 1024
"""Default number of entries in a cache."""


class Cache(Generic[K, V]):
    """The most recently used `size` values, each with its age. Safe to use from many threads.

    timer: monotonic seconds. cachetools' own TTLCache has one age for all readers; here each says what it accepts, since
    a gate needs the newest commit of a branch and a status comment does not.
    """

    def __init__(self, size: int = LARGEST, timer: Callable[[], float] = time.monotonic) -> None:
        self._values: LRUCache[K, tuple[float, V]] = LRUCache(size)
        self._lock = threading.Lock()
        self._timer = timer

    def get(self, key: K, ask: Callable[[], V], at_most: float = math.inf) -> V:
        """Return the value of `key` that is less than `at_most` seconds old, else what `ask` returns, and keep it."""
        with self._lock:
            known = self._values.get(key)
        if known is not None and self._timer() - known[0] < at_most:
            return known[1]
        value = ask()
        with self._lock:
            self._values[key] = self._timer(), value
        return value

    def forget(self, key: K) -> None:
        """Ask again next time."""
        with self._lock:
            self._values.pop(key, None)


class Caches:
    """The caches of one Context. timer: monotonic seconds."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self.pulls: Cache[tuple[str, int], PullRequest] = Cache(timer=timer)
        """Pull requests as GitHub returned them, by repository and number."""
        self.repositories: Cache[str, Repository] = Cache(timer=timer)
        """Rows of repositories, by name."""
        self.claims: Cache[Repository, Repository] = Cache(256, timer)
        """GitHub's answers about repositories, by what a payload said about them."""
        self.slack_users: Cache[str, ChatUser | None] = Cache(timer=timer)
        """Slack users, by id; None for those that Slack does not know."""
        self.tips: Cache[tuple[str, str], str] = Cache(timer=timer)
        """The newest commit of a branch, by repository and branch."""
        self.policies: Cache[tuple[str, str], Policy | None] = Cache(256)
        """The policy at a commit, by repository and commit."""
        self.configurations: Cache[tuple[str, str, str, str], str] = Cache(4096)
        """Digests of a stack's configuration at a commit, see `configuration_of`."""
        self.providers: Cache[tuple[str, str, str], tuple[ProviderUse, ...]] = Cache(4096)
        """The providers that a stack's files use at a commit, by repository, commit and root."""
        self.parity: Cache[tuple[str, str, str, str], tuple[str, ...]] = Cache(timer=timer)
        """Notes on the environments that a pull request makes differ, by repository, base, latest commit and source of the
        policy in force."""
        self.exports: Cache[tuple[str, str, str], PullCheck | None] = Cache(timer=timer)
        """What a pull request makes of exports, by repository, base and latest commit."""
        self.export_policies: Cache[tuple[str, str], tuple[ExportPolicies, str]] = Cache(256)
        """The policy of exports at a commit and its text, by repository and commit; the clock asks four times a minute."""
        self.outputs: Cache[str, Outputs | None] = Cache(256)
        """The outputs that other stacks may get, by state version."""
        self.backends: Cache[tuple[str, str, str], tuple[str, Mapping[str, str]] | None] = Cache(4096)
        """The backend that a stack's files declare at a commit, by repository, commit and root; every look at a pull
        request asks."""
