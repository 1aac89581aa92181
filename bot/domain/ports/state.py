"""What the built-in state backend needs of the database. All within the transaction of whoever holds the store."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.state import LockInfo, StateInfo, StateVersion


@dataclass(frozen=True)
class Grant:
    """What a credential allows: one target's state, until `expires_at` (UTC, not included).

    write: change and lock it, not only read. lockless: write without holding the lock. `run_id`, `commit` and
    `actor` go into each state version that is written with it.
    """

    target_key: str
    run_id: str
    write: bool
    expires_at: datetime
    commit: str = ""
    actor: str = ""
    lockless: bool = False


class StateStore(Protocol):
    """States are append-only: versions stay, also behind a deletion. Data is plain here, encrypted at rest."""

    def current(self, target_key: str) -> tuple[StateVersion, bytes] | None:
        """The newest version with its data; None where there is none, or where the state was ended."""
        ...

    def newest(self, target_key: str) -> StateVersion | None:
        """The same version without its data, which may be large."""
        ...

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
    ) -> StateVersion:
        """Record a state after the current one; the same bytes again give the version that is there.

        lock_id: the target's lock must be held under this id (None: not asked). observed: another backend has taken
        this state already, so lineage and serial are not asked. Raises StateRefused (see bot.domain.state.follows).
        Two appends at once have one winner.
        """
        ...

    def end(self, target_key: str, *, lock_id: str | None = None) -> None:
        """There is no state any more; a new one may have any lineage. Nothing happens where there is none. Raises
        StateRefused where `lock_id` is given and does not hold the lock."""
        ...

    def versions(self, target_key: str, limit: int) -> list[StateVersion]:
        """Newest first, also those before an end."""
        ...

    def data(self, version_id: str) -> bytes:
        """Raises KeyError where there is no such version."""
        ...

    def lock(self, target_key: str, lock: LockInfo, holder: str) -> LockInfo | None:
        """Take the state's lock: None where we have it now (also again under the same id), else the present one.
        `holder` is the run id."""
        ...

    def unlock(self, target_key: str, lock_id: str | None) -> bool:
        """Release it, whoever holds it where `lock_id` is None. True where it is free now, as it is when nobody
        held it; False where another id holds it."""
        ...

    def abandon(self, holder: str) -> None:
        """Free what a run holds whose Terraform is surely gone (killed, its machine too): no lock without an owner."""
        ...

    def holds(self, target_key: str, holder: str) -> bool:
        """Whether the present lock was taken by that run."""
        ...

    def locked(self, target_key: str) -> LockInfo | None:
        """The present lock."""
        ...


class CredentialStore(Protocol):
    """Credentials of runs. Passwords are kept as sha256 only, and compared in constant time."""

    def issue(self, username: str, password: str, grant: Grant) -> None:
        """Keep a credential; an older one of the same name is replaced."""
        ...

    def resolve(self, username: str, password: str) -> Grant | None:
        """What the credential allows, expired or not (the caller knows the time); None where it is wrong."""
        ...

    def revoke(self, run_id: str) -> None:
        """Forget all credentials of a run."""
        ...


class StateTables(Protocol):
    """The part of a transaction that the state backend needs."""

    states: StateStore
    credentials: CredentialStore


class States(Protocol):
    """Transactions; bot.domain.ports.store.Store is one."""

    def begin(self) -> AbstractContextManager[StateTables]:
        """A writing transaction: committed at the end, rolled back on an exception."""
        ...

    def read(self) -> AbstractContextManager[StateTables]:
        """A reading one."""
        ...
