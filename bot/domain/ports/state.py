"""What the built-in state backend needs of the database. All within the transaction of whoever holds the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.state import LockInfo, StateInfo, StateVersion
from bot.domain.target import Target
from bot.domain.unsaved import Unsaved

PERSON = "person:"
"""Begins the holder of a state lock that a person's own Terraform took; their login follows."""


@dataclass(frozen=True)
class Grant:
    """What a credential allows: one target's state, until `expires_at` (UTC, not included). A person's has no run.

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

    @property
    def person(self) -> bool:
        """Whether it is a person's own, for their Terraform on a laptop; else a run's."""
        return not self.run_id

    @property
    def holder(self) -> str:
        """As whose the locks that are taken with it are kept."""
        return self.run_id or f"{PERSON}{self.actor}"


class StateStore(Protocol):
    """States are append-only: versions stay, also behind a deletion. Data is plain here, encrypted at rest."""

    def current(self, target_key: str) -> tuple[StateVersion, bytes] | None:
        """The newest version with its data; None where there is none, or where the state was ended. Raises
        StateDamaged where it cannot be read."""
        ...

    def newest(self, target_key: str) -> StateVersion | None:
        """The same version without its data, which may be large."""
        ...

    def newest_of(self, target_keys: Iterable[str]) -> dict[str, StateVersion]:
        """The same of each of the targets that has one, by its key."""
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
        reverts: str = "",
    ) -> StateVersion:
        """Record a state after the current one; the same bytes again give the version that is there.

        reverts: see StateVersion. lock_id: the target's lock must be held under this id (None: not asked). observed: another backend has taken
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

    def numbered(self, target_key: str, serial: int) -> StateVersion | None:
        """The newest version of that serial."""
        ...

    def data(self, version_id: str) -> bytes:
        """A version's bytes, their digest checked. Raises KeyError where there is no such version, StateDamaged where
        they are not what was written: a damaged one costs those that were kept as differences from it, no others."""
        ...

    def damaged(self, versions: Sequence[StateVersion]) -> frozenset[str]:
        """The ids of those of `versions` (of one target) that cannot be read. Reads them all."""
        ...

    def released(self, target_key: str, run_id: str, release: str, reverts: str = "") -> None:
        """The newest version that this run wrote there is what that release left. reverts: see StateVersion. Nothing
        happens where the run wrote none: its apply changed nothing."""
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

    def holder(self, target_key: str) -> str:
        """By whom it was taken: a run id, or PERSON and a login; empty where nobody holds it."""
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

    def drop(self, username: str) -> None:
        """Forget one credential."""
        ...

    def forget(self, now: datetime, limit: int) -> int:
        """Delete `limit` at most that have expired; returns how many."""
        ...


class UnsavedStates(Protocol):
    """States that Terraform could not upload, encrypted at rest."""

    def keep(self, state: Unsaved, data: bytes) -> None:
        """Keep it once: done again it changes nothing."""
        ...

    def open(self, targets: Iterable[Target]) -> list[Unsaved]:
        """Those of the targets that somebody has still to push, the newest first."""
        ...

    def data(self, state_id: str) -> bytes:
        """Raises KeyError where there is none, ValueError where it does not decrypt."""
        ...

    def left(self) -> list[Unsaved]:
        """Those that nobody pushed, also where they were overtaken, the newest first."""
        ...

    def kept_since(self, before: datetime) -> list[Unsaved]:
        """Those that nobody pushed, and that were kept, or overtaken, before that time; oldest first."""
        ...

    def drop(self, state_id: str) -> bool:
        """Delete it with its content; False where that was done before."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete `limit` at most that were pushed before that time: they are versions like others since. Returns how
        many."""
        ...

    def end(self, state_id: str, ending: str, now: datetime) -> bool:
        """There is nothing to push any more, for this reason; False where that was so before. Its content stays."""
        ...


class StateTables(Protocol):
    """The part of a transaction that the state backend needs."""

    states: StateStore
    credentials: CredentialStore


@dataclass(frozen=True)
class Author:
    """For whom a state is written: what its version will say. reverts: see StateVersion."""

    run_id: str = ""
    commit: str = ""
    actor: str = ""
    reverts: str = ""


class StatePlace(Protocol):
    """One target's state in its backend. Every method may raise UserError and TransientError where the backend is
    closed to the bot, or does not answer."""

    def read(self) -> bytes | None:
        """The state now; None where there is none."""
        ...

    def held(self) -> LockInfo | None:
        """Who holds its lock."""
        ...

    def lock(self, wanted: LockInfo) -> LockInfo | None:
        """Take its lock: None where we have it now, else the present one."""
        ...

    def unlock(self, lock_id: str) -> bool:
        """Release the lock of that id, whoever took it; False where another is there. True where there is none."""
        ...

    def write(self, data: bytes, lock_id: str) -> None:
        """Write it after the current one, under the lock of that id. Raises StateRefused where it may not follow (see
        bot.domain.state.follows), or where the lock or the state is not what it was."""
        ...


class Claims(Protocol):
    """What a person's own Terraform may lock, and the target's claim that goes with it. All but `forbids` within a
    transaction."""

    def forbids(self, grant: Grant, wanted: LockInfo) -> str:
        """What the target's rules have against what the lock is wanted for, "" where nothing. Outside any transaction:
        it may ask GitHub."""
        ...

    def lock(
        self, tables: StateTables, grant: Grant, wanted: LockInfo, forbidden: str = ""
    ) -> LockInfo | None:
        """Take the state's lock, and for what writes the target's claim too: None where we have both now, else who
        is in the way. forbidden: what `forbids` said; it is recorded, and nothing is taken."""
        ...

    def unlock(self, tables: StateTables, grant: Grant, lock_id: str | None) -> LockInfo | None:
        """Release them (`lock_id` None: whichever lock it is, by Terraform's `force-unlock`): None where nothing of
        theirs is held any more, else the present lock, which is another's."""
        ...

    def wrote(self, tables: StateTables, grant: Grant) -> None:
        """A state was written: the claim lasts on."""
        ...


class States(Protocol):
    """Transactions; bot.domain.ports.store.Store is one."""

    def begin(self) -> AbstractContextManager[StateTables]:
        """A writing transaction: committed at the end, rolled back on an exception."""
        ...

    def read(self) -> AbstractContextManager[StateTables]:
        """A reading one."""
        ...
