"""Read git objects from mirrors, with caches: a commit, tree or blob never changes."""

from __future__ import annotations

import os
import sys
import threading

from cachetools import LRUCache, cachedmethod

from bot.domain.refusal import Refusal, Refused, refused, require
from bot.git.limits import MAX_BLOB, MAX_PATHS, tree_limits
from bot.git.mirror import Mirror
from bot.git.worktree import Tree

_MAX_TREE_PATHS = 100_000
"""Paths in all cached trees together, some 40 MB. A larger tree is cached alone."""
_DIRECTORY = "040000"
"""The mode of a directory in a tree."""
_MAX_TREE_IDS = 256
_MAX_BLOB = 16 * 1024
"""Bytes of the largest cached blob. A configuration is read again for each commit, and each read takes two processes."""
_MAX_BLOBS = 1024
"""Cached blobs, 16 MB at most."""


def _by_commit(_objects: Objects, _mirror: Mirror, repository: str, commit: str) -> tuple[str, str]:
    return repository.lower(), commit


class Objects:
    """Safe to share between threads. repository: the mirror's, by which its objects are cached. max_paths: files that a
    commit may have."""

    def __init__(self, max_paths: int = MAX_PATHS) -> None:
        self._max_paths = max_paths
        most = _MAX_TREE_PATHS
        self._trees: LRUCache[tuple[str, str], Tree] = LRUCache(most, lambda tree: min(len(tree), most))
        self._refusals: LRUCache[tuple[str, str], Refused] = LRUCache(_MAX_TREE_IDS)
        self._tree_ids: LRUCache[tuple[str, str], str] = LRUCache(_MAX_TREE_IDS)
        self._blobs: LRUCache[tuple[str, str], bytes] = LRUCache(_MAX_BLOBS)
        self._guard = threading.Lock()
        self._listing = threading.Lock()

    def cached_tree(self, repository: str, commit: str) -> Tree | None:
        """Return a commit's tree if it is cached."""
        with self._guard:
            return self._trees.get((repository.lower(), commit))

    def tree(self, mirror: Mirror, repository: str, commit: str) -> Tree:
        """Return all files of a commit. Raises GitFailed, and Refusal for a commit that exceeds a limit.

        One is listed at a time, since several surfaces and commands ask at once for a commit that was just pushed, and each
        listing takes memory.
        """
        key = repository.lower(), commit
        if (known := self._known(key)) is not None:
            return known
        with self._listing:
            if (known := self._known(key)) is not None:
                return known
            try:
                tree = self._list(mirror, commit)
            except Refusal as error:
                with self._guard:
                    self._refusals[key] = refused(error)
                raise
            with self._guard:
                self._trees[key] = tree
            return tree

    def _known(self, key: tuple[str, str]) -> Tree | None:
        with self._guard:
            tree, refusal = self._trees.get(key), self._refusals.get(key)
        require(refusal)
        return tree

    def _list(self, mirror: Mirror, commit: str) -> Tree:
        """List a commit. Directories are listed and counted too: a few small objects can hold millions of empty ones."""
        limits, tree = tree_limits(commit, self._max_paths), {}
        for record in mirror.records("ls-tree", "-r", "-t", "-z", commit):
            mode, blob, name = parse_entry(record)
            limits.check(name)
            if mode != _DIRECTORY:
                tree[os.fsdecode(name)] = (mode, blob)
        return tree

    @cachedmethod(lambda self: self._tree_ids, _by_commit, lambda self: self._guard)
    def tree_id(self, mirror: Mirror, _repository: str, commit: str) -> str:
        """Return the id of a commit's tree. Raises GitFailed."""
        return mirror.git("rev-parse", f"{commit}^{{tree}}").decode().strip()

    def blob(self, mirror: Mirror, repository: str, blob: str) -> bytes | None:
        """Return the content of a blob, None for one of more than 8 MB; only small ones are cached. Raises GitFailed."""
        key = repository.lower(), blob
        with self._guard:
            cached = self._blobs.get(key)
        if cached is not None:
            return cached
        content = mirror.start_of(blob, MAX_BLOB + 1)
        if len(content) <= _MAX_BLOB:
            with self._guard:
                self._blobs[key] = content
        return content if len(content) <= MAX_BLOB else None


def parse_entry(record: bytes) -> tuple[str, str, bytes]:
    """Parse an entry of `ls-tree -z` into (mode, object, path)."""
    fields, _, name = record.partition(b"\t")
    mode, _, blob = fields.decode().split(" ")
    return sys.intern(mode), blob, name
