"""Store state versions, and Terraform's state locks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select

from bot.domain.ports.state import Author
from bot.domain.states import LockInfo, StateInfo, StateRefused, StateVersion, follows
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.state_data import StateData
from bot.storage.tables import state_deltas, state_files, state_heads, state_locks, states


class StateRows(Rows):
    """Implements bot.domain.ports.state.StateStore."""

    def current(self, target_key: str) -> tuple[StateVersion, bytes] | None:
        version = self.newest(target_key)
        return None if version is None else (version, self._data.read(version))

    def newest(self, target_key: str) -> StateVersion | None:
        query = select(states).join_from(state_heads, states, state_heads.c.state_id == states.c.id)
        return self.one(StateVersion, query.where(state_heads.c.target_key == target_key))

    def newest_of(self, target_keys: Iterable[str]) -> dict[str, StateVersion]:
        query = select(states).join_from(state_heads, states, state_heads.c.state_id == states.c.id)
        found = self.many(StateVersion, query.where(state_heads.c.target_key.in_(list(target_keys))))
        return {version.target_key: version for version in found}

    def append(
        self,
        target_key: str,
        data: bytes,
        info: StateInfo,
        author: Author | None = None,
        *,
        lock_id: str | None = None,
        observed: bool = False,
    ) -> StateVersion:
        self._serialise(target_key, lock_id)
        current = self.newest(target_key)
        if current is not None and (
            current.sha256 == info.sha256 if observed else not follows(current, info)
        ):
            return current
        author = author or Author()
        version = StateVersion(
            id=uuid.uuid4().hex,
            target_key=target_key,
            serial=info.serial,
            lineage=info.lineage,
            sha256=info.sha256,
            size=info.size,
            resources=info.resources,
            run_id=author.run_id,
            commit=author.commit,
            actor=author.actor,
            created_at=datetime.now(UTC),
            outputs=info.outputs,
            reverts=author.reverts,
        )
        self.insert(states, values(states, version))
        self._data.keep(version, data, current)
        self._set_head(target_key, version.id)
        return version

    def end(self, target_key: str, *, lock_id: str | None = None) -> None:
        self._serialise(target_key, lock_id)
        self._set_head(target_key, None)

    def forget(self, target_key: str) -> None:
        versions = select(states.c.id).where(states.c.target_key == target_key)
        self.connection.execute(state_heads.delete().where(state_heads.c.target_key == target_key))
        for table in (state_deltas, state_files):
            self.connection.execute(table.delete().where(table.c.state_id.in_(versions)))
        self.connection.execute(states.delete().where(states.c.target_key == target_key))

    def versions(self, target_key: str, limit: int) -> list[StateVersion]:
        query = select(states).where(states.c.target_key == target_key)
        return self.many(StateVersion, query.order_by(states.c.seq.desc()).limit(limit))

    def numbered(self, target_key: str, serial: int) -> StateVersion | None:
        query = select(states).where(states.c.target_key == target_key, states.c.serial == serial)
        return self.one(StateVersion, query.order_by(states.c.seq.desc()))

    def data(self, version_id: str) -> bytes:
        version = self.one(StateVersion, select(states).where(states.c.id == version_id))
        if version is None:
            raise KeyError(version_id)
        return self._data.read(version)

    def damaged(self, versions: Sequence[StateVersion]) -> frozenset[str]:
        return self._data.damaged(versions)

    def released(self, target_key: str, run_id: str, release: str, reverts: str = "") -> None:
        newest = select(func.max(states.c.seq)).where(
            states.c.target_key == target_key, states.c.run_id == run_id
        )
        change = states.update().where(states.c.seq == newest.scalar_subquery())
        self.connection.execute(change.values(release=release, reverts=reverts))

    def lock(self, target_key: str, lock: LockInfo, holder: str) -> LockInfo | None:
        row = {"target_key": target_key, "holder": holder, **asdict(lock)}
        while not self.upsert(state_locks, row):
            if present := self.locked(target_key):
                return None if present.id == lock.id else present
            # On Postgres the lock may be released between the two statements: try again.
        return None

    def unlock(self, target_key: str, lock_id: str | None) -> bool:
        held = state_locks.delete().where(state_locks.c.target_key == target_key)
        self.connection.execute(held if lock_id is None else held.where(state_locks.c.id == lock_id))
        return self.locked(target_key) is None

    def abandon(self, holder: str) -> None:
        self.connection.execute(state_locks.delete().where(state_locks.c.holder == holder))

    def holds(self, target_key: str, holder: str) -> bool:
        held = select(state_locks.c.id).where(
            state_locks.c.target_key == target_key, state_locks.c.holder == holder
        )
        return self.first(held) is not None

    def locked(self, target_key: str) -> LockInfo | None:
        return self.one(LockInfo, _lock_of(target_key))

    @property
    def _data(self) -> StateData:
        return StateData(self.connection, self.vault)

    def holder(self, target_key: str) -> str:
        row = self.first(select(state_locks.c.holder).where(state_locks.c.target_key == target_key))
        return "" if row is None else str(row.holder)

    def _serialise(self, target_key: str, lock_id: str | None) -> None:
        """Let only one transaction at a time change a state. Raises StateRefused unless `lock_id`, if given, holds it."""
        if lock_id is not None:
            held = self.one(LockInfo, _lock_of(target_key).with_for_update())
            if held is None or held.id != lock_id:
                raise StateRefused(
                    f"the state's lock is {'not held' if held is None else f'held with the id {held.id}'}"
                )
        self.upsert(state_heads, {"target_key": target_key, "state_id": None})
        self.first(select(state_heads).where(state_heads.c.target_key == target_key).with_for_update())

    def _set_head(self, target_key: str, state_id: str | None) -> None:
        head = state_heads.update().where(state_heads.c.target_key == target_key)
        self.connection.execute(head.values(state_id=state_id))


def _lock_of(target_key: str) -> Select[Any]:
    return select(state_locks).where(state_locks.c.target_key == target_key)
