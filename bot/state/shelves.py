"""One target's state where it is kept, to read, lock and write: in the bot's own tables, or in a bucket."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

from bot.domain.ports.state import Author, States
from bot.domain.state import LockInfo, StateInfo, StateRefused, refuse
from bot.state.bucket import Buckets


@dataclass(frozen=True)
class InTables:
    """Fulfils bot.domain.ports.state.StatePlace for the built-in backend."""

    states: States
    key: str
    author: Author

    def read(self) -> bytes | None:
        with self.states.read() as tables:
            found = tables.states.current(self.key)
        return found[1] if found else None

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
            tables.states.append(self.key, data, info, lock_id=lock_id, **asdict(self.author))


@dataclass(frozen=True)
class InBucket:
    """The same for s3 and R2, with Terraform's own lock file beside the state. Each write names the object that it
    replaces, so that of two at once one is refused, also where one of them does not ask for the lock."""

    buckets: Buckets
    bucket: str
    name: str
    endpoint: str
    region: str

    def read(self) -> bytes | None:
        found = self._get(self.name)
        return found[0] if found else None

    def held(self) -> LockInfo | None:
        found = self._get(self._lock_name)
        return _parsed(*found) if found else None

    def lock(self, wanted: LockInfo) -> LockInfo | None:
        while not self._put(self._lock_name, wanted.dump(), None):
            if there := self.held():
                return None if there.id == wanted.id else there
            # Somebody released it in between: it is free, so take it.
        return None

    def unlock(self, lock_id: str) -> bool:
        found = self._get(self._lock_name)
        if found is None:
            return True
        if _parsed(*found).id != lock_id:
            return False
        return self.buckets.delete(
            self.bucket, self._lock_name, found[1], endpoint=self.endpoint, region=self.region
        )

    def write(self, data: bytes, lock_id: str) -> None:
        held = self.held()
        if held is None or held.id != lock_id:
            raise StateRefused(
                f"the state's lock is {'not held' if held is None else f'held under {held.id}'}"
            )
        found = self._get(self.name)
        if found is not None:
            if found[0] == data:
                return
            refuse(StateInfo.parse(found[0]), StateInfo.parse(data))
        if not self._put(self.name, data, found[1] if found else None):
            raise StateRefused("somebody else wrote the state at the same time")

    @property
    def _lock_name(self) -> str:
        return f"{self.name}.tflock"

    def _get(self, name: str) -> tuple[bytes, str] | None:
        return self.buckets.get(self.bucket, name, endpoint=self.endpoint, region=self.region)

    def _put(self, name: str, data: bytes, instead_of: str | None) -> bool:
        return self.buckets.put(
            self.bucket, name, data, instead_of=instead_of, endpoint=self.endpoint, region=self.region
        )


def _parsed(data: bytes, etag: str) -> LockInfo:
    """A lock file, also one that nobody can read: it stands in Terraform's way all the same."""
    try:
        return LockInfo.parse(data)
    except ValueError:
        return LockInfo(f"unreadable-{hashlib.sha256(data + etag.encode()).hexdigest()[:8]}")
