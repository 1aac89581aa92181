"""What a person's own Terraform may lock: the state, and for what writes it the target's claim too.

So that a laptop and the bot keep each other out, and what guards an environment is not gone round by a laptop. Called
by the state backend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, cast

import structlog

from bot.domain import laptop
from bot.domain.audit import Entry
from bot.domain.gates import claimed
from bot.domain.lock import LAPTOP, Lock
from bot.domain.people import Actor
from bot.domain.policy import Policy
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.state import Grant, StateTables
from bot.domain.ports.store import Tables
from bot.domain.state import LockInfo
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.services.context import show_pulls

log = structlog.get_logger()

REASON = "Terraform on a laptop"


class Laptops:
    """Fulfils bot.domain.ports.state.Claims on the whole store's transactions. now: UTC. policy: repository → what its
    default branch says now."""

    def __init__(self, now: Callable[[], datetime], policy: Callable[[str], Policy | None]) -> None:
        self._now = now
        self._policy = policy

    def forbids(self, grant: Grant, wanted: LockInfo) -> str:
        """Plans are let be. Where the policy cannot be read, nothing is written: what it would say is not known."""
        target = Target.from_key(grant.target_key)
        if wanted.reads:
            return ""
        try:
            policy = self._policy(target.repository)
        except (ForgeError, TransientError, UserError) as error:
            log.warning("a laptop is refused without a policy", target=target.key, error=str(error)[:200])
            return f"The policy of {target.repository} cannot be read now, so {target} takes no changes. Try again later."
        environment = policy.environments.get(target.environment) if policy else None
        if environment is None:
            return f"The policy of {target.repository} does not name {target.environment} any more."
        return laptop.forbidden(environment, target, self._now())

    def lock(
        self, tables: StateTables, grant: Grant, wanted: LockInfo, forbidden: str = ""
    ) -> LockInfo | None:
        """A plan needs a state lock that is free; whatever writes also a target that nobody claims or works on, and
        that is neither held nor waits for a state."""
        if wanted.reads:
            return tables.states.lock(grant.target_key, wanted, grant.holder)
        whole, target = cast("Tables", tables), Target.from_key(grant.target_key)
        whole.locks.alone(target)
        if no := forbidden or self._guarded(whole, target):
            self._record(whole, grant, target, "lock.refused", why=no, operation=wanted.operation)
            return self._no(no)
        have = whole.locks.get(target)
        if have is not None and not have.expired(self._now()) and not _own(have, grant):
            return self._told(have, target)
        if busy := whole.runs.active(target=target, kind="apply"):
            text = f"an apply of #{busy[0].pull} works on {target}; try again when it has ended"
            return LockInfo(text, who=busy[0].actor.name, created=self._now().isoformat())
        if present := whole.states.lock(target.key, wanted, grant.holder):
            return present
        self._claim(whole, grant, target, wanted)
        return None

    def unlock(self, tables: StateTables, grant: Grant, lock_id: str | None) -> LockInfo | None:
        """Only what they hold themselves: `/unlock` frees what others forgot."""
        whole, target = cast("Tables", tables), Target.from_key(grant.target_key)
        whole.locks.alone(target)
        present = whole.states.locked(target.key)
        mine = whole.states.holder(target.key) in ("", grant.holder)
        if present is not None and (not mine or lock_id not in (None, present.id)):
            return present
        if present is not None:
            whole.states.unlock(target.key, present.id)
        have = whole.locks.get(target)
        if have is not None and _own(have, grant):
            whole.locks.release(target)
            self._record(whole, grant, target, "lock.released", held_by=have.owner)
            show_pulls(whole, self._now(), target.repository)
        return None

    def wrote(self, tables: StateTables, grant: Grant) -> None:
        """A long apply keeps its claim as long as it writes."""
        whole, target = cast("Tables", tables), Target.from_key(grant.target_key)
        have = whole.locks.get(target)
        if have is not None and _own(have, grant):
            self._renew(whole, have)
        version = whole.states.newest(target.key)
        if version is not None:
            self._record(whole, grant, target, "state.written", serial=version.serial, sha256=version.sha256)

    def _claim(self, tables: Tables, grant: Grant, target: Target, wanted: LockInfo) -> None:
        have = tables.locks.get(target)
        if have is not None and _own(have, grant) and not have.expired(self._now()):
            self._renew(tables, have)
            return
        now = self._now()
        reason = f"{REASON} ({wanted.who})" if wanted.who else REASON
        actor = Actor(grant.actor, via="terraform")
        tables.locks.take(Lock(target, actor, now, reason=reason[:300], expires_at=now + LAPTOP), now)
        self._record(tables, grant, target, "lock.taken", reason=reason, operation=wanted.operation)
        show_pulls(tables, self._now(), target.repository)

    def _renew(self, tables: Tables, have: Lock) -> None:
        tables.locks.release(have.target)
        tables.locks.take(replace(have, expires_at=self._now() + LAPTOP), self._now())

    def _guarded(self, tables: Tables, target: Target) -> str:
        """What the rows have against any change by a laptop."""
        if hold := tables.holds.get(target):
            return laptop.held(hold)
        return next((laptop.lost(state) for state in tables.unsaved.open([target])), "")

    def _told(self, have: Lock, target: Target) -> LockInfo:
        no = claimed(replace(have, url=""), target)
        return replace(
            self._no(f"{no.fact} {no.next_step}"), who=have.owner, created=have.created_at.isoformat()
        )

    def _no(self, why: str) -> LockInfo:
        """Terraform prints of the holder's lock nothing but the id, so that is where it is said."""
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


def _own(have: Lock, grant: Grant) -> bool:
    return have.laptop and have.actor.login == grant.actor
