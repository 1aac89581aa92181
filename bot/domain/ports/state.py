"""Ports for states: their versions, locks and credentials in the database, and the places where states are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.states import LockInfo, StateInfo, StateVersion, Unsaved
from bot.domain.target import Target

PERSON = "person:"
"""Prefix of the holder of a state lock that a person's own Terraform took; their login follows."""


@dataclass(frozen=True)
class Author:
    """For whom a state is written; recorded with the version. reverts: see StateVersion."""

    run_id: str = ""
    commit: str = ""
    actor: str = ""
    reverts: str = ""


@dataclass(frozen=True)
class Grant:
    """What a credential allows: access to one target's state before `expires_at` (UTC). A person's has no run.

    write: change and lock the state, not only read it. lockless: write without holding the lock. run_id, commit,
    actor: recorded with each state version that is written with it.
    """

    target_key: str
    run_id: str
    write: bool
    expires_at: datetime
    commit: str = ""
    actor: str = ""
    lockless: bool = False

    @property
    def person(self) -> bool:
        """Whether it belongs to a person, for their own Terraform, and not to a run."""
        return not self.run_id

    @property
    def holder(self) -> str:
        """The holder of locks that are taken with it: the run id, or PERSON and the login."""
        return self.run_id or f"{PERSON}{self.actor}"

    @property
    def author(self) -> Author:
        """Whom to record with states that are written with it."""
        return Author(self.run_id, self.commit, self.actor)


class StateStore(Protocol):
    """States by target, append-only: versions remain after a deletion. Data is plain here, and encrypted at rest."""

    def current(self, target_key: str) -> tuple[StateVersion, bytes] | None:
        """Return the newest version with its data, None if there is none or the state was ended. Raises StateDamaged."""
        ...

    def newest(self, target_key: str) -> StateVersion | None:
        """Return the same version without its data, which may be large."""
        ...

    def newest_of(self, target_keys: Iterable[str]) -> dict[str, StateVersion]:
        """Return target key → newest version, for those that have one."""
        ...

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
        """Record a state after the current one; if it is the same state, return the current version.

        lock_id: the id with which the target's lock must be held, or None. observed: another backend has accepted this
        state already, so lineage and serial are not checked. Raises StateRefused (see
        bot.domain.states.check_successor). Of two concurrent appends one wins.
        """
        ...

    def end(self, target_key: str, *, lock_id: str | None = None) -> None:
        """Record that the target has no state any more, if it has one; the next may have any lineage.

        Raises StateRefused if `lock_id` is given and does not hold the lock.
        """
        ...

    def forget(self, target_key: str) -> None:
        """Delete all versions of a target's state."""
        ...

    def versions(self, target_key: str, limit: int) -> list[StateVersion]:
        """Return the newest versions first, including those before an end."""
        ...

    def numbered(self, target_key: str, serial: int) -> StateVersion | None:
        """Return the newest version with that serial."""
        ...

    def data(self, version_id: str) -> bytes:
        """Return a version's bytes, with their digest verified.

        Raises KeyError if there is no such version, and StateDamaged if its bytes, or those of a version that it is
        stored as a difference from, are damaged.
        """
        ...

    def damaged(self, versions: Sequence[StateVersion]) -> frozenset[str]:
        """Return the ids of those of `versions` (of one target) that cannot be read. Reads all of them."""
        ...

    def released(self, target_key: str, run_id: str, release: str, reverts: str = "") -> None:
        """Record that the newest version written by this run is the state of that release.

        reverts: see StateVersion. Does nothing if the run wrote none, since its apply changed nothing.
        """
        ...

    def lock(self, target_key: str, lock: LockInfo, holder: str) -> LockInfo | None:
        """Take the state's lock; return None if it is now held with this id, else the present lock.

        holder: a run id, or PERSON and a login.
        """
        ...

    def unlock(self, target_key: str, lock_id: str | None) -> bool:
        """Release the lock with this id, or any lock if `lock_id` is None; return whether the state is unlocked now."""
        ...

    def abandon(self, holder: str) -> None:
        """Release all state locks of a run whose Terraform is certainly gone."""
        ...

    def holds(self, target_key: str, holder: str) -> bool:
        """Whether this holder has the present lock."""
        ...

    def locked(self, target_key: str) -> LockInfo | None:
        """Return the present lock."""
        ...

    def holder(self, target_key: str) -> str:
        """Return who holds the lock: a run id, or PERSON and a login; "" if nobody does."""
        ...


class CredentialStore(Protocol):
    """Credentials of runs and people. Only the sha256 of a password is stored; it is compared in constant time."""

    def issue(self, username: str, password: str, grant: Grant) -> None:
        """Store a credential, replacing one with the same username."""
        ...

    def resolve(self, username: str, password: str) -> Grant | None:
        """Return what the credential allows, even if it has expired; None if it is wrong."""
        ...

    def revoke(self, run_id: str) -> None:
        """Delete all credentials of a run."""
        ...

    def drop(self, username: str) -> None:
        """Delete one credential."""
        ...

    def forget(self, now: datetime, limit: int) -> int:
        """Delete at most `limit` expired credentials; return how many."""
        ...


class UnsavedStates(Protocol):
    """States that Terraform could not upload, encrypted at rest."""

    def keep(self, state: Unsaved, data: bytes) -> None:
        """Store it; does nothing if it is stored already."""
        ...

    def open(self, targets: Iterable[Target]) -> list[Unsaved]:
        """Return those of the targets that still have to be pushed, newest first."""
        ...

    def data(self, state_id: str) -> bytes:
        """Return its bytes. Raises KeyError if there is none, ValueError if it cannot be decrypted."""
        ...

    def left(self) -> list[Unsaved]:
        """Return those that were never pushed, including those superseded by a later state, newest first."""
        ...

    def kept_since(self, before: datetime) -> list[Unsaved]:
        """Return those never pushed that were stored, or superseded, before that time; oldest first."""
        ...

    def drop(self, state_id: str) -> bool:
        """Delete it with its content; return whether it existed."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` that were pushed before that time, and so are recorded versions; return how many."""
        ...

    def end(self, state_id: str, ending: str, now: datetime) -> bool:
        """Mark it as no longer to be pushed, and why; return False if it was already. Its content remains."""
        ...


class StateTables(Protocol):
    """The tables of a transaction that the state backend uses."""

    states: StateStore
    credentials: CredentialStore


class StateLocation(Protocol):
    """One target's state in its backend.

    Every method may raise UserError if the backend denies access, and TransientError if it does not answer.
    """

    def read(self) -> bytes | None:
        """Return the current state, None if there is none."""
        ...

    def held(self) -> LockInfo | None:
        """Return the present lock."""
        ...

    def lock(self, wanted: LockInfo) -> LockInfo | None:
        """Take the lock; return None if it is now held with this id, else the present lock."""
        ...

    def unlock(self, lock_id: str) -> bool:
        """Release the lock with that id; return whether the state is unlocked now."""
        ...

    def write(self, data: bytes, lock_id: str) -> None:
        """Write a state after the current one, under the lock with that id.

        Raises StateRefused if it must not follow (see bot.domain.states.check_successor), or if the lock is not held or
        the state was changed meanwhile.
        """
        ...


class Claims(Protocol):
    """State locks of people's own Terraform, and the target's lock that goes with each.

    All methods except `forbids` run within a transaction.
    """

    def forbids(self, grant: Grant, wanted: LockInfo) -> str:
        """Return why the target's policy forbids what the lock is for, else "".

        Runs outside any transaction, since it may call GitHub.
        """
        ...

    def lock(
        self, tables: StateTables, grant: Grant, wanted: LockInfo, forbidden: str = ""
    ) -> LockInfo | None:
        """Take the state's lock, and for a write the target's lock too; return None if both are held, else the obstacle.

        forbidden: the result of `forbids`; if not empty, it is recorded and nothing is locked.
        """
        ...

    def unlock(self, tables: StateTables, grant: Grant, lock_id: str | None) -> LockInfo | None:
        """Release both; return None if the person holds nothing any more, else the present lock, which is another's.

        lock_id: None for Terraform's `force-unlock`, which means any lock of theirs.
        """
        ...

    def wrote(self, tables: StateTables, grant: Grant) -> None:
        """Renew the target's lock after a state was written."""
        ...


class States(Protocol):
    """Transactions of the state backend; bot.domain.ports.store.Store implements it."""

    def begin(self) -> AbstractContextManager[StateTables]:
        """A writing transaction: committed at the end, rolled back on an exception."""
        ...

    def read(self) -> AbstractContextManager[StateTables]:
        """A read-only transaction."""
        ...
