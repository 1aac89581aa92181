"""Locks of a person's own Terraform: the state's, and for runs that write it the target's lock too.

A laptop and Towpath thus exclude each other, and a laptop cannot bypass an environment's protections. Called by the
state backend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, cast

import structlog

from bot.domain.access import refuse_held, refuse_local_run, refuse_lost
from bot.domain.actors import Actor
from bot.domain.audit import Entry
from bot.domain.gates import refuse_locked
from bot.domain.lock import LAPTOP, Lock
from bot.domain.policy import Policy
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.state import Grant, StateTables
from bot.domain.ports.store import Tables
from bot.domain.states import LockInfo
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.services.context import show_pulls

log = structlog.get_logger()

REASON = "Terraform on a laptop"


class LocalRuns:
    """Implements bot.domain.ports.state.Claims on the store's transactions. now: UTC. policy: returns the default branch's
    current policy of a repository."""

    def __init__(self, now: Callable[[], datetime], policy: Callable[[str], Policy | None]) -> None:
        self._now = now
        self._policy = policy

    def forbids(self, grant: Grant, wanted: LockInfo) -> str:
        """Return why the policy forbids a run that writes; "" if it does not, or the run only plans. If the policy cannot be
        read, writing is forbidden."""
        target = Target.from_key(grant.target_key)
        if wanted.is_plan:
            return ""
        try:
            policy = self._policy(target.repository)
        except (ForgeError, TransientError, UserError) as error:
            log.warning("local run refused: policy unreadable", target=target.key, error=str(error)[:200])
            return f"The policy of {target.repository} cannot be read now, so {target} cannot be changed. Try again later."
        environment = policy.environments.get(target.environment) if policy else None
        if environment is None:
            return f"{target.environment} is no longer in the policy of {target.repository}."
        return refuse_local_run(environment, target, self._now())

    def lock(
        self, tables: StateTables, grant: Grant, wanted: LockInfo, forbidden: str = ""
    ) -> LockInfo | None:
        """Lock a target's state. A run that writes also needs a target that is neither locked, in use nor on hold, and has no
        state left to push. Returns the holder's lock, or the refusal in one; None on success."""
        if wanted.is_plan:
            return tables.states.lock(grant.target_key, wanted, grant.holder)
        store, target = cast("Tables", tables), Target.from_key(grant.target_key)
        store.locks.lock_targets(target)
        if refusal := forbidden or self._refuse_guarded(store, target):
            self._record(store, grant, target, "lock.refused", why=refusal, operation=wanted.operation)
            return self._as_lock(refusal)
        lock = store.locks.get(target)
        if lock is not None and not lock.expired(self._now()) and not _is_own(lock, grant):
            return self._locked(lock, target)
        if busy := store.runs.changing(target):
            text = f"an apply of #{busy[0].pull} is running on {target}; try again when it has finished"
            return LockInfo(text, who=busy[0].actor.name, created=self._now().isoformat())
        if present := store.states.lock(target.key, wanted, grant.holder):
            return present
        self._take_lock(store, grant, target, wanted)
        return None

    def unlock(self, tables: StateTables, grant: Grant, lock_id: str | None) -> LockInfo | None:
        """Release what this person holds themselves. `/unlock` releases others' locks. Returns the lock if it is not theirs."""
        store, target = cast("Tables", tables), Target.from_key(grant.target_key)
        store.locks.lock_targets(target)
        present = store.states.locked(target.key)
        own = store.states.holder(target.key) in ("", grant.holder)
        if present is not None and (not own or lock_id not in (None, present.id)):
            return present
        if present is not None:
            store.states.unlock(target.key, present.id)
        lock = store.locks.get(target)
        if lock is not None and _is_own(lock, grant):
            store.locks.release(target)
            self._record(store, grant, target, "lock.released", held_by=lock.owner)
            show_pulls(store, self._now(), target.repository)
        return None

    def wrote(self, tables: StateTables, grant: Grant) -> None:
        """Renew the lock of a local apply that has written the state, and record the version."""
        store, target = cast("Tables", tables), Target.from_key(grant.target_key)
        lock = store.locks.get(target)
        if lock is not None and _is_own(lock, grant):
            self._renew(store, lock)
        version = store.states.newest(target.key)
        if version is not None:
            self._record(store, grant, target, "state.written", serial=version.serial, sha256=version.sha256)

    def _take_lock(self, tables: Tables, grant: Grant, target: Target, wanted: LockInfo) -> None:
        lock = tables.locks.get(target)
        if lock is not None and _is_own(lock, grant) and not lock.expired(self._now()):
            self._renew(tables, lock)
            return
        now = self._now()
        reason = f"{REASON} ({wanted.who})" if wanted.who else REASON
        actor = Actor(grant.actor, via="terraform")
        tables.locks.take(Lock(target, actor, now, reason=reason[:300], expires_at=now + LAPTOP), now)
        self._record(tables, grant, target, "lock.taken", reason=reason, operation=wanted.operation)
        show_pulls(tables, self._now(), target.repository)

    def _renew(self, tables: Tables, lock: Lock) -> None:
        tables.locks.release(lock.target)
        tables.locks.take(replace(lock, expires_at=self._now() + LAPTOP), self._now())

    def _refuse_guarded(self, tables: Tables, target: Target) -> str:
        """Return why no local run may change the target: a hold, or a state left to push; "" if there is neither."""
        if hold := tables.holds.get(target):
            return refuse_held(hold)
        return next((refuse_lost(state) for state in tables.unsaved.open([target])), "")

    def _locked(self, lock: Lock, target: Target) -> LockInfo:
        refusal = refuse_locked(replace(lock, url=""), target)
        return replace(
            self._as_lock(f"{refusal.fact} {refusal.next_step}"),
            who=lock.owner,
            created=lock.created_at.isoformat(),
        )

    def _as_lock(self, why: str) -> LockInfo:
        """Return a refusal as a lock. Terraform prints only the id of the holder's lock, so the id is the reason."""
        return LockInfo(why.replace("`", ""), who="Towpath", created=self._now().isoformat())

    def _record(self, tables: Tables, grant: Grant, target: Target, action: str, **facts: Any) -> None:
        entry = Entry(
            self._now(),
            action,
            login=grant.actor,
            via="terraform",
            repository=target.repository,
            target=target.key,
            facts=facts,
        )
        tables.at_end.append(partial(tables.audit.add, entry))


def _is_own(lock: Lock, grant: Grant) -> bool:
    return lock.laptop and lock.actor.login == grant.actor
