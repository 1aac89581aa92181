"""The rules that let an apply pass or refuse it, each small and tested alone.

A gate gets the facts and returns `Allowed` or `Refused`. `ask` runs them in order: the first no is the answer, since
people can only do one thing next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.answers import Allowed, Refused
from bot.domain.approval import Standing
from bot.domain.freeze import Frozen
from bot.domain.hold import Hold
from bot.domain.lock import Lock
from bot.domain.people import reaches
from bot.domain.policy import Environment
from bot.domain.ports.forge import PullRequest, Role
from bot.domain.release import Release
from bot.domain.run import Plan
from bot.domain.state import LockInfo
from bot.domain.target import Target
from bot.domain.unsaved import Unsaved
from bot.domain.words import outside


@dataclass(frozen=True)
class Source:
    """The stage before, as it stands now: its newest release, the pull request whose apply works there (0: none), and
    how its state was changed by others since that release ("" where it was not)."""

    target: Target
    release: Release | None = None
    busy: int = 0
    drifted: str = ""


@dataclass(frozen=True)
class ApplyFacts:
    """Everything an apply is judged by, read just before.

    moved: paths of this stack that changed on the base branch and are not in the pull request's head.
    state: lineage and serial now; None where the backend is not ours and Terraform itself will compare.
    asked: when the request reached us; None for what was asked before.
    policy: digest of the target's policy now. source: the stage it is promoted from, None where there is none;
    configuration: of the pull request's head, see bot.domain.configuration. frozen: the freeze that is on.
    consent: the approval of this plan as it stands. held: the hold there, where the head contains what it keeps out. forced: the reason of a break-glass, which passes
    bot.domain.promotion.PROMOTION and nothing else. state_lock: of the state, where no apply of the bot's can hold it.
    unsaved: a state there that could not be uploaded, and that nobody has pushed yet.
    """

    pull: PullRequest
    target: Target
    environment: Environment
    plan: Plan | None
    lock: Lock | None
    now: datetime
    engine: str
    policy: str
    moved: Sequence[str] = ()
    state: tuple[str, int] | None = None
    asked: datetime | None = None
    source: Source | None = None
    configuration: str = ""
    frozen: Frozen | None = None
    consent: Standing | None = None
    forced: str = ""
    held: Hold | None = None
    state_lock: LockInfo | None = None
    unsaved: Unsaved | None = None

    @property
    def reverting(self) -> bool:
        """Whether the plan is a revert's: it is of an older commit by intent, whatever its pull request is at."""
        return self.plan is not None and bool(self.plan.reverts)

    @property
    def plan_command(self) -> str:
        return command("revert" if self.reverting else "plan", self.target)

    @property
    def apply_command(self) -> str:
        return command("revert" if self.reverting else "apply", self.target)


class Gate(Protocol):
    """One rule."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused: ...


class PullIsOpen:
    """Only an open pull request applies; after the merge its plans are history."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        if facts.pull.state == "open" or facts.reverting:
            return Allowed()
        return Refused("closed", f"#{facts.pull.number} is {facts.pull.state}.", "Open a new pull request.")


class NotClaimed:
    """A target claimed by another pull request, or by hand, is not applied to."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        lock = facts.lock
        if lock is not None and lock.bars(facts.pull.number, facts.now):
            return claimed(lock, facts.target)
        return Allowed()


class NotHeld:
    """After a revert nothing that contains the reverted commit is applied there, until the hold is lifted."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        hold = facts.held
        if hold is None or facts.reverting:
            return Allowed()
        return Refused(
            "held",
            f"{facts.target} is held at `{hold.commit[:7]}` since {hold.actor.name}'s revert of "
            f"{hold.since:%Y-%m-%d %H:%M} UTC: nothing that contains `{hold.reverted[:7]}` is applied there.",
            f"Take it out and push; or `{command('unhold', facts.target)}`.",
        )


class StateIsFree:
    """A state that a laptop locked, or that a machine left locked when it died, is not applied to."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        if facts.state_lock is None:
            return Allowed()
        return Refused(
            "state-locked",
            f"The state of {facts.target} is locked by {outside(facts.state_lock.told)}.",
            f"Wait for its end; a maintainer frees it, once it is surely dead: `{command('unlock', facts.target)}`.",
        )


class StateIsSaved:
    """What an apply changed and could not write down would be made a second time."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        if facts.unsaved is None:
            return Allowed()
        return Refused(
            "unsaved",
            f"The state of the apply of #{facts.unsaved.pull} to {facts.target} could not be uploaded: what it "
            "changed is not known to the backend.",
            f"`{command('push-state', facts.target)}` pushes it, then `{facts.plan_command}`.",
        )


class PlanWasRead:
    """An apply needs a plan of this very commit that people could read."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        plan = facts.plan
        if plan is None:
            return Refused("no-plan", f"There is no plan for {facts.target} yet.", f"`{facts.plan_command}`")
        if plan.commit != facts.pull.head_sha and not facts.reverting:
            return Refused(
                "head-moved",
                f"The plan for {facts.target} is of `{plan.commit[:7]}`, and #{facts.pull.number} is now at "
                f"`{facts.pull.head_sha[:7]}`.",
                f"Read the new plan (`{facts.plan_command}` makes one), then `{facts.apply_command}`.",
            )
        if facts.asked is not None and plan.created_at > facts.asked:
            return Refused(
                "unread",
                f"The plan for {facts.target} is newer than this request: nobody had read it then.",
                f"Read it, then `{facts.apply_command}`.",
            )
        if plan.status != "fresh":
            was = {
                "superseded": "replaced by a newer one",
                "applied": "already applied",
                "applying": "being applied",
                "discarded": "discarded some time after its pull request was closed",
            }
            return Refused(
                "spent",
                f"The plan for {facts.target} was {was.get(plan.status, 'used by an apply that failed')}.",
                f"`{facts.plan_command}`; read it, then `{facts.apply_command}`.",
            )
        return Allowed(f"plan {plan.digest[:12]} of {plan.commit[:7]}")


class PlanIsCurrent:
    """A plan is good only while nothing that it depended on has changed."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        plan = facts.plan
        if plan is None:
            return Allowed()
        if why := staleness(facts, plan):
            return Refused(why[0], why[1], why[2])
        return Allowed()


def staleness(facts: ApplyFacts, plan: Plan) -> tuple[str, str, str] | None:
    """Why `plan` must not be applied any more: (code, fact, next step), or None while it is good."""
    replan = f"`{facts.plan_command}`"
    where = f"The plan for {facts.target}"
    if facts.moved and not facts.reverting:
        shown = ", ".join(f"`{path}`" for path in list(facts.moved)[:3])
        return (
            "base-moved",
            (
                f"`{facts.pull.base_ref}` has moved on under this stack ({shown}{'…' if len(facts.moved) > 3 else ''}), "
                f"and #{facts.pull.number} does not have that yet."
            ),
            f"Merge `{facts.pull.base_ref}` into the branch and push: the new plan comes by itself.",
        )
    if plan.policy != facts.policy:
        return (
            "policy-changed",
            f"{where} was made under an older policy (`envs/environments.toml` changed).",
            replan,
        )
    if plan.engine != facts.engine:
        return "engine-changed", f"{where} was made by {plan.engine}; {facts.engine} runs now.", replan
    if plan.age(facts.now) > facts.environment.plan_expires:
        hours = facts.environment.plan_expires.total_seconds() / 3600
        return "too-old", f"{where} is older than {hours:g} h.", replan
    if facts.state is not None and facts.state != (plan.lineage, plan.serial):
        return (
            "state-moved",
            f"{where} was made before the state there changed (serial {facts.state[1]} now).",
            replan,
        )
    return None


APPLY: tuple[Gate, ...] = (
    PullIsOpen(),
    NotClaimed(),
    StateIsFree(),
    StateIsSaved(),
    NotHeld(),
    PlanWasRead(),
    PlanIsCurrent(),
)


def ask(gates: Sequence[Gate], facts: ApplyFacts) -> Refused | None:
    """The first refusal, or None where all gates let it pass."""
    for gate in gates:
        answer = gate.check(facts)
        if isinstance(answer, Refused):
            return answer
    return None


def claimed(lock: Lock, target: Target) -> Refused:
    """The refusal that names owner, reason, age (as a time), link and the way out."""
    who = f"[#{lock.pull}]({lock.url})" if lock.pull and lock.url else lock.owner
    by = f" ({lock.actor.name})" if lock.pull and lock.actor.login else ""
    reason = f": {outside(lock.reason)}" if lock.reason else ""
    until = f", until {lock.expires_at:%Y-%m-%d %H:%M} UTC" if lock.expires_at else ""
    way = (
        f"#{lock.pull} frees it when it is merged or closed, or {lock.actor.name} by `{command('unlock', target)}`."
        if lock.pull
        else f"{lock.actor.name} or a maintainer frees it: `{command('unlock', target)}`."
    )
    return Refused(
        "locked",
        f"{target} is locked by {who}{by} since {lock.created_at:%Y-%m-%d %H:%M} UTC{until}{reason}.",
        way,
    )


def command(word: str, target: Target) -> str:
    """How people type it for this target: the stack is only named where there are several."""
    stack = f" {target.stack}" if target.stack != "infra" else ""
    return f"/{word} {target.environment}{stack}"


def may(role: Role, needed: Role, doing: str) -> Refused | None:
    """What is required and what you have, or None where it suffices."""
    if reaches(role, needed):
        return None
    have = "no access to this repository" if role == "none" else f"the `{role}` role"
    return Refused(
        "permission",
        f"To {doing} you need the `{needed}` role on the repository; you have {have}.",
        "Ask somebody who has it, or a repository admin for the role.",
    )
