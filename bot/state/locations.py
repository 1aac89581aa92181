"""Read, lock and write one target's state where it is stored: in the bot's own tables, or in a bucket."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bot.domain.ports.state import Author, States
from bot.domain.states import LockInfo, StateInfo, StateRefused, check_successor, resources_in
from bot.state.bucket import Bucket, Buckets


@dataclass(frozen=True)
class InTables:
    """Implements bot.domain.ports.state.StateLocation for the built-in backend. key: the target's."""

    states: States
    key: str
    author: Author

    def read(self) -> bytes | None:
        with self.states.read() as tables:
            current = tables.states.current(self.key)
        return current[1] if current else None

    def held(self) -> LockInfo | None:
        with self.states.read() as tables:
            return tables.states.locked(self.key)

    def lock(self, wanted: LockInfo) -> LockInfo | None:
        with self.states.begin() as tables:
            return tables.states.lock(self.key, wanted, self.author.run_id or f"lock:{wanted.id}")

    def unlock(self, lock_id: str) -> bool:
        with self.states.begin() as tables:
            return tables.states.unlock(self.key, lock_id)

    def write(self, data: bytes, lock_id: str) -> None:
        info = StateInfo.parse(data)
        with self.states.begin() as tables:
            tables.states.append(self.key, data, info, self.author, lock_id=lock_id)


@dataclass(frozen=True)
class InBucket:
    """Implements bot.domain.ports.state.StateLocation for s3 and R2, with Terraform's lock file beside the state.

    key: the state's object key. Each write names the object that it replaces, so that of two concurrent ones one is
    refused, even if one of them does not use the lock.
    """

    buckets: Buckets
    bucket: Bucket
    key: str

    def read(self) -> bytes | None:
        found = self.buckets.get(self.bucket, self.key)
        return found[0] if found else None

    def held(self) -> LockInfo | None:
        found = self.buckets.get(self.bucket, self._lock_key)
        return _parse_lock(*found) if found else None

    def lock(self, wanted: LockInfo) -> LockInfo | None:
        while not self.buckets.put(self.bucket, self._lock_key, wanted.dump(), instead_of=None):
            if present := self.held():
                return None if present.id == wanted.id else present
            # Released between the two requests: try again.
        return None

    def unlock(self, lock_id: str) -> bool:
        found = self.buckets.get(self.bucket, self._lock_key)
        if found is None:
            return True
        if _parse_lock(*found).id != lock_id:
            return False
        return self.buckets.delete(self.bucket, self._lock_key, found[1])

    def write(self, data: bytes, lock_id: str) -> None:
        lock = self.held()
        if lock is None or lock.id != lock_id:
            raise StateRefused(
                f"the state's lock is {'not held' if lock is None else f'held with the id {lock.id}'}"
            )
        found = self.buckets.get(self.bucket, self.key)
        if found is not None:
            if found[0] == data:
                return
            check_successor(StateInfo.parse(found[0]), StateInfo.parse(data))
        if not self.buckets.put(self.bucket, self.key, data, instead_of=found[1] if found else None):
            raise StateRefused("the state was changed by somebody else at the same time")

    def discard(self) -> bool:
        """Delete the state if it has no resources and no lock; return whether there is none now."""
        found = self.buckets.get(self.bucket, self.key)
        if found is None:
            return True
        if self.held() is not None or resources_in(found[0]) != 0:
            return False
        return self.buckets.delete(self.bucket, self.key, found[1])

    @property
    def _lock_key(self) -> str:
        return f"{self.key}.tflock"


def _parse_lock(data: bytes, etag: str) -> LockInfo:
    """Parse a lock file; an unreadable one gets an id of its own, since it blocks Terraform all the same."""
    try:
        return LockInfo.parse(data)
    except ValueError:
        return LockInfo(f"unreadable-{hashlib.sha256(data + etag.encode()).hexdigest()[:8]}")
