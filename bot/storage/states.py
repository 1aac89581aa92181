"""State versions, and the locks that Terraform takes on a state."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select

from bot.domain.state import LockInfo, StateInfo, StateRefused, StateVersion, follows
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.state_data import StateData
from bot.storage.tables import state_heads, state_locks, states


class StateRows(Rows):
    def current(self, target_key: str) -> tuple[StateVersion, bytes] | None:
        """The newest version with its data; None where there is none, or where the state was ended."""
        version = self.newest(target_key)
        return None if version is None else (version, self._data.read(version))

    def newest(self, target_key: str) -> StateVersion | None:
        """The same version without its data."""
        query = select(states).join_from(state_heads, states, state_heads.c.state_id == states.c.id)
        return self.one(StateVersion, query.where(state_heads.c.target_key == target_key))

    def newest_of(self, target_keys: Iterable[str]) -> dict[str, StateVersion]:
        """The same of each of the targets that has one, by its key."""
        query = select(states).join_from(state_heads, states, state_heads.c.state_id == states.c.id)
        found = self.many(StateVersion, query.where(state_heads.c.target_key.in_(list(target_keys))))
        return {version.target_key: version for version in found}

    def append(
        self,
        target_key: str,
        data: bytes,
        info: StateInfo,
        *,
        run_id: str = "",
        commit: str = "",
        actor: str = "",
        lock_id: str | None = None,
        observed: bool = False,
        reverts: str = "",
    ) -> StateVersion:
        """Record a state after the current one; the same bytes again give the version that is there.

        lock_id, observed, reverts: see bot.domain.ports.state.StateStore. Raises StateRefused.
        """
        self._enter(target_key, lock_id)
        current = self.newest(target_key)
        if current is not None and (
            current.sha256 == info.sha256 if observed else not follows(current, info)
        ):
            return current
        version = StateVersion(
            id=uuid.uuid4().hex,
            target_key=target_key,
            serial=info.serial,
            lineage=info.lineage,
            sha256=info.sha256,
            size=info.size,
            resources=info.resources,
            run_id=run_id,
            commit=commit,
            actor=actor,
            created_at=datetime.now(UTC),
            outputs=info.outputs,
            reverts=reverts,
        )
        self.insert(states, values(states, version))
        self._data.keep(version, data, current)
        self._point(target_key, version.id)
        return version

    def end(self, target_key: str, *, lock_id: str | None = None) -> None:
        """There is no state any more. Raises StateRefused where `lock_id` is given and does not hold the lock."""
        self._enter(target_key, lock_id)
        self._point(target_key, None)

    def versions(self, target_key: str, limit: int) -> list[StateVersion]:
        """Newest first, also those before an end."""
        query = select(states).where(states.c.target_key == target_key)
        return self.many(StateVersion, query.order_by(states.c.seq.desc()).limit(limit))

    def numbered(self, target_key: str, serial: int) -> StateVersion | None:
        """The newest version of that serial."""
        query = select(states).where(states.c.target_key == target_key, states.c.serial == serial)
        return self.one(StateVersion, query.order_by(states.c.seq.desc()))

    def data(self, version_id: str) -> bytes:
        """Raises KeyError where there is no such version, StateDamaged where its bytes are not those that were
        written."""
        version = self.one(StateVersion, select(states).where(states.c.id == version_id))
        if version is None:
            raise KeyError(version_id)
        return self._data.read(version)

    def damaged(self, versions: Sequence[StateVersion]) -> frozenset[str]:
        """The ids of those that cannot be read."""
        return self._data.damaged(versions)

    def released(self, target_key: str, run_id: str, release: str, reverts: str = "") -> None:
        """Tie the newest version that a run wrote to the release that it left."""
        newest = select(func.max(states.c.seq)).where(
            states.c.target_key == target_key, states.c.run_id == run_id
        )
        change = states.update().where(states.c.seq == newest.scalar_subquery())
        self.connection.execute(change.values(release=release, reverts=reverts))

    def lock(self, target_key: str, lock: LockInfo, holder: str) -> LockInfo | None:
        """None where we have it now (also again under the same id), else the present one. `holder`: the run id."""
        row = {"target_key": target_key, "holder": holder, **asdict(lock)}
        while not self.put(state_locks, row):
            if there := self.locked(target_key):
                return None if there.id == lock.id else there
            # Somebody released it between the two statements (on Postgres): it is free, so take it.
        return None

    def unlock(self, target_key: str, lock_id: str | None) -> bool:
        """True where it is free now; False where another id holds it. `lock_id` None: whoever holds it."""
        held = state_locks.delete().where(state_locks.c.target_key == target_key)
        self.connection.execute(held if lock_id is None else held.where(state_locks.c.id == lock_id))
        return self.locked(target_key) is None

    def abandon(self, holder: str) -> None:
        """Free what a run holds whose Terraform is surely gone."""
        self.connection.execute(state_locks.delete().where(state_locks.c.holder == holder))

    def holds(self, target_key: str, holder: str) -> bool:
        """Whether the present lock was taken by that run."""
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
        """A run id, or a person's; empty where nobody holds it."""
        row = self.first(select(state_locks.c.holder).where(state_locks.c.target_key == target_key))
        return "" if row is None else str(row.holder)

    def _enter(self, target_key: str, lock_id: str | None) -> None:
        """Let one transaction at a time change a state, and only the lock's holder where it is asked."""
        if lock_id is not None:
            held = self.one(LockInfo, _lock_of(target_key).with_for_update())
            if held is None or held.id != lock_id:
                raise StateRefused(
                    f"the state's lock is {'not held' if held is None else f'held under {held.id}'}"
                )
        self.put(state_heads, {"target_key": target_key, "state_id": None})
        self.first(select(state_heads).where(state_heads.c.target_key == target_key).with_for_update())

    def _point(self, target_key: str, state_id: str | None) -> None:
        head = state_heads.update().where(state_heads.c.target_key == target_key)
        self.connection.execute(head.values(state_id=state_id))


def _lock_of(target_key: str) -> Select[Any]:
    return select(state_locks).where(state_locks.c.target_key == target_key)
