"""The record of an instance: what it should be, what it is, and how it was made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bot.domain.run import Run
from bot.domain.target import Target

Wanted = Literal["up", "asleep", "gone"]
InstanceState = Literal["pending", "up", "asleep", "partial", "gone", "stuck"]


@dataclass(frozen=True)
class Instance:
    """One environment of one pull request. All times are UTC.

    wanted: what it should be. state: what it is. `pending`: nothing was applied yet; `partial`: an apply has started and
    not succeeded, so parts may exist; `asleep`: it sleeps, or the command for that has started; `stuck`: it could not be
    destroyed and needs people. passing: it is destroyed once it
    is verified. commit: of the last apply that started, "" before; policy_commit: the default branch's commit whose policy
    that apply had. wanted_at: when `wanted` was said last; plans from before do not answer it. used_at: the last push,
    apply or command. expires_at: when it is destroyed, None if only the pull request decides. warned: the last of
    `WARNINGS` that was given. why: why it is destroyed. note: why it is not applied or not destroyed. attempts: failed
    destroys; retry_at: when the next one is due. settled: id of the last run whose end is recorded here. replans: plans
    that were made again because the one before could not be applied. ended_at: when it was gone.
    """

    target: Target
    pull: int
    wanted: Wanted
    state: InstanceState
    passing: bool
    created_at: datetime
    wanted_at: datetime
    used_at: datetime
    commit: str = ""
    policy_commit: str = ""
    expires_at: datetime | None = None
    warned: str = ""
    why: str = ""
    note: str = ""
    attempts: int = 0
    retry_at: datetime | None = None
    settled: str = ""
    replans: int = 0
    ended_at: datetime | None = None

    @property
    def exists(self) -> bool:
        """Whether Terraform may have made something that is not destroyed yet."""
        return self.state not in ("pending", "gone")

    @property
    def half_asleep(self) -> bool:
        """Whether it is asleep, or may be in parts, and something is in the way of what it should be."""
        return self.state == "asleep" and bool(self.note) and self.wanted != "gone"

    @property
    def leaked(self) -> bool:
        """Whether it should be gone, and Towpath could not destroy it."""
        return self.wanted == "gone" and self.state == "stuck"

    @property
    def kept_down(self) -> bool:
        """Whether a person took it down, so that a push does not bring it back."""
        return self.wanted == "gone" and self.why == "down"

    def unwanted(self, why: str) -> Instance:
        """Return it as one to destroy, now."""
        again = replace(self, wanted="gone", why=why, note="", retry_at=None)
        return again if self.wanted != "gone" else replace(again, why=self.why)


def started(instance: Instance | None, run: Run, *, passing: bool, now: datetime) -> Instance:
    """Return the instance as it is once that apply may start: whatever becomes of it, parts may exist."""
    if instance is None or instance.state == "gone":
        fresh = Instance(run.target, run.pull, "up", "partial", passing, now, now, now)
        instance = replace(fresh, expires_at=instance.expires_at if instance else None)
    return replace(
        instance,
        wanted="up" if instance.wanted == "gone" else instance.wanted,
        state="partial" if instance.state == "pending" else instance.state,
        passing=passing,
        commit=run.commit,
        note="",
        attempts=0,
        retry_at=None,
        ended_at=None,
        used_at=now if run.actor.login else instance.used_at,
    )


def after_apply(instance: Instance, run: Run) -> Instance:
    """Return the instance as an apply has left it; one that is verified is not wanted any more, however that ended."""
    if run.outcome == "applied":
        state: InstanceState = "asleep" if instance.wanted == "asleep" else "up"
    else:
        state = "partial" if instance.exists else "pending"
    left = replace(instance, state=state, settled=run.id, replans=0)
    return left.unwanted("verified") if left.passing and left.exists else left


def asleep_from_now(instance: Instance) -> Instance:
    """Return the instance as it is once the command that puts it to sleep may start: whatever becomes of that, parts may be
    switched off until it is woken."""
    return replace(instance, state="asleep", note="")


def after_switch(instance: Instance, run: Run) -> Instance:
    """Return the instance as a run has left it that put it to sleep or woke it."""
    left = replace(instance, settled=run.id)
    if run.outcome == "done":
        return replace(left, state="up" if run.kind == "wake" else "asleep", note="")
    if run.outcome == "superseded":
        return left
    return replace(left, note=f"{run.message} {run.next_step}".strip())


def after_destroy(instance: Instance, run: Run, now: datetime) -> Instance:
    """Return the instance as a destroy that succeeded has left it. One that is wanted again is made again."""
    state: InstanceState = "gone" if instance.wanted == "gone" else "pending"
    return replace(instance, state=state, settled=run.id, note="", attempts=0, retry_at=None, ended_at=now)
