"""The gates for every environment, each small and tested alone. bot.domain.gates.order has the order of all gates."""

from __future__ import annotations

from bot.domain.gates.facts import ApplyFacts, Gate
from bot.domain.gates.refusals import refuse_locked, refuse_unread
from bot.domain.gates.staleness import refuse_stale
from bot.domain.gates.upstream import UpstreamApplied
from bot.domain.refusal import Allowed, Refused
from bot.domain.sanitize import outside
from bot.domain.target import command
from bot.domain.visibility import was_visible


class PullIsOpen:
    """The pull request is open. After the merge only plans of the default branch can be applied, those of reverts, and what
    the merge itself asks for."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        if facts.pull.state == "open" or facts.reverting or (facts.merged and facts.pull.state == "merged"):
            return Allowed()
        if facts.pull.state == "merged" and facts.syncing:
            return Allowed(f"{facts.pull.head_sha[:7]} is on {facts.pull.base_ref}")
        return Refused("closed", f"#{facts.pull.number} is {facts.pull.state}.", "Open a new pull request.")


class NotClaimed:
    """The target is not locked by another pull request or by hand."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        lock = facts.lock
        if lock is not None and lock.bars(facts.pull.number, facts.now):
            return refuse_locked(lock, facts.target)
        return Allowed()


class HasRoom:
    """There is room for another instance of the environment."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        return facts.full or Allowed()


class StateIsFree:
    """The state is not locked by a laptop, or by a process that died."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        if facts.state_lock is None:
            return Allowed()
        return Refused(
            "state-locked",
            f"The state of {facts.target} is locked by {outside(facts.state_lock.description)}.",
            "Wait until it is released. If the process that holds it is dead, a maintainer can run "
            f"`{command('unlock', facts.target)}`.",
        )


class StateIsSaved:
    """No earlier apply left a state that could not be uploaded: its changes would be made a second time."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        if facts.unsaved is None:
            return Allowed()
        return Refused(
            "unsaved",
            f"The state that the apply of #{facts.unsaved.pull} left for {facts.target} could not be uploaded, so the "
            "backend does not know what it changed.",
            f"Run `{command('push-state', facts.target)}`, then `{facts.plan_command}`.",
        )


class NotHeld:
    """After a revert, nothing that contains the reverted commit is applied until the hold is lifted."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        hold = facts.hold
        if hold is None:
            return Allowed()
        unhold = f"`{command('unhold', facts.target)}`"
        what = "this revert goes to a release that" if facts.reverting else f"#{facts.pull.number}"
        return Refused(
            "held",
            f"{hold.fact}, and {what} contains the reverted commit `{hold.reverted[:7]}`.",
            f"Run {unhold}, then `{facts.apply_command}`."
            if facts.reverting
            else f"Remove that commit from the branch and push, or run {unhold}.",
        )


class PlanWasRead:
    """There is a plan for the latest commit that people could review."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        plan = facts.plan
        again = f"Run `{facts.plan_command}`, review the plan, then run `{facts.apply_command}`."
        if plan is None:
            return Refused("no-plan", f"There is no plan for {facts.target} yet.", f"`{facts.plan_command}`")
        if plan.commit != facts.pull.head_sha and not facts.reverting:
            return Refused(
                "head-moved",
                f"The plan for {facts.target} is for `{plan.commit[:7]}`, not the latest commit "
                f"`{facts.pull.head_sha[:7]}` of #{facts.pull.number}.",
                again,
            )
        if facts.requested_at is not None and not was_visible(
            facts.visible_since, facts.requested_at, facts.pushed_at
        ):
            return refuse_unread(facts.target, plan, "revert" if facts.reverting else "apply")
        if plan.status != "fresh":
            reasons = {
                "superseded": "was replaced by a newer one",
                "applied": "was already applied",
                "applying": "is being applied",
                "discarded": "was discarded after the pull request was closed",
            }
            reason = reasons.get(plan.status, "was used by an apply that failed")
            return Refused("spent", f"The plan for {facts.target} {reason}.", again)
        return Allowed(f"plan {plan.digest[:12]} for {plan.commit[:7]}")


class PlanIsCurrent:
    """Nothing that the plan depends on has changed since it was made."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        refusal = refuse_stale(facts, facts.plan) if facts.plan else None
        return refusal or Allowed()


APPLY: tuple[Gate, ...] = (
    PullIsOpen(),
    NotClaimed(),
    HasRoom(),
    StateIsFree(),
    StateIsSaved(),
    NotHeld(),
    UpstreamApplied(),
    PlanWasRead(),
    PlanIsCurrent(),
)
