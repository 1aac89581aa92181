"""The gates for guarded environments: promoted and soaked, not frozen, approved.

A forced apply (`ApplyFacts.forced`) passes all of them, and the ground says so; it passes none of
bot.domain.gates.apply.APPLY.
"""

from __future__ import annotations

from bot.domain.approvals import missing_approvals
from bot.domain.gates.facts import ApplyFacts, Gate
from bot.domain.gates.source import source_refusal
from bot.domain.refusal import Allowed, Refused
from bot.domain.sanitize import outside
from bot.domain.target import command

WAITING = frozenset(["soaking", "frozen", "verifying"])
"""Refusals that end by themselves: approval can be requested meanwhile, and an apply `when-approved` waits."""


NEEDS_APPROVAL = frozenset(["unapproved", "approval-void", "approval-expired"])
"""Refusals that an approval request resolves."""

_ENDED = {"used": "was already used", "rejected": "was rejected", "expired": "has expired"}


class Promoted:
    """The latest release of the source environment has this commit and configuration, is still deployed, is verified, and
    has soaked."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        source = facts.source
        if source is None:
            return Allowed("no promotion required")
        if facts.reverting:
            return Allowed("a revert needs no promotion")
        if facts.forced:
            return Allowed(f"promotion from {source.target.environment} skipped")
        environment = source.target.environment
        if source.applying_pull:
            return Refused(
                "verifying",
                f"An apply of #{source.applying_pull} is running on {environment}.",
                f"Run `{facts.apply_command}` when it has finished, or `{facts.apply_command} when-approved` now, which "
                "waits for it.",
            )
        release = source.release
        if release is None:
            fact = f"Nothing verified on {environment} yet."
            return Refused("unpromoted", fact, f"`{command('apply', source.target)}`")
        if refusal := source_refusal(facts, source, release):
            return refusal
        checked = "verified" if release.verification == "passed" else "without smoke checks"
        return Allowed(f"{environment} has {release.commit[:7]}, {checked}")


class NotFrozen:
    """No freeze is in effect."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        if facts.frozen is None:
            return Allowed()
        if facts.forced:
            return Allowed("freeze skipped")
        until, apply = facts.frozen.until, facts.apply_command
        return Refused(
            "frozen",
            f"{facts.target} is frozen {facts.frozen.span} ({facts.frozen.reason}).",
            (
                f"Run `{apply}` then, or `{apply} when-approved` now, which waits for it."
                if until
                else "To end it, change `freeze` in `envs/environments.toml`."
            )
            + _emergency(facts),
            until,
        )


class Approved:
    """All approvals that the environment requires have been given, for exactly this plan."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        state, plan = facts.approval_state, facts.plan
        request = f"Run `{facts.apply_command}` to request approval"
        if facts.environment.approval_rules is None and not (plan and plan.losses):
            return Allowed("no approval needed")
        if facts.forced:
            return Allowed("approvals skipped")
        if state is None or plan is None:
            fact = f"No approval has been requested for this plan for {facts.target}."
            return Refused("unapproved", fact, f"{request}.")
        if refusal := _unusable(facts, request):
            return refusal
        if state.rejected:
            rejection = state.rejected[0]
            reason = f": {outside(rejection.reason)}" if rejection.reason else ""
            return Refused(
                "rejected",
                f"@{rejection.login} rejected the apply to {facts.target}{reason}.",
                f"{request} again.",
            )
        if not state.missing.complete:
            return Refused(
                "unapproved",
                f"{facts.target} still needs {missing_approvals(state.approval, state.missing)}.",
                f"Approve {state.approval.ways}.{_emergency(facts)}",
            )
        approvers = ", ".join(f"@{one.login} ({one.via})" for one in state.approved)
        return Allowed(f"approved by {approvers}" if approvers else "no approval needed")


PROMOTION: tuple[Gate, ...] = (Promoted(), NotFrozen(), Approved())


def _unusable(facts: ApplyFacts, request: str) -> Refused | None:
    """Return why the approval cannot be used for this plan, or None."""
    state, plan = facts.approval_state, facts.plan
    if state is None or plan is None:
        return None
    approval = state.approval
    bound = (approval.target, approval.plan_digest, approval.commit)
    if bound != (facts.target, plan.digest, plan.commit if plan.reverts else facts.pull.head_sha):
        fact = f"The approval for {facts.target} is for another plan."
        return Refused("approval-void", fact, f"{request} again.")
    if approval.status not in ("open", "planning"):
        ended = _ENDED.get(approval.status, "is no longer valid, since its plan can no longer be applied")
        return Refused("approval-void", f"The approval for {facts.target} {ended}.", f"{request} again.")
    if approval.expired(facts.now):
        fact = f"The approval for {facts.target} expired at {approval.expires_at:%Y-%m-%d %H:%M} UTC."
        return Refused("approval-expired", fact, f"{request} again.")
    return None


def _emergency(facts: ApplyFacts) -> str:
    """Name the forced apply, if the policy allows one."""
    if not facts.environment.force or facts.reverting:
        return ""
    apply = f"`{facts.apply_command} --force <reason>`"
    return f" In an emergency, people listed under `force` in the policy can run {apply}."
