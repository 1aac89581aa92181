"""The rules that stand before a guarded environment: promoted, soaked, not frozen, approved.

Break-glass (`ApplyFacts.forced`) passes them all, and says so in the ground; it passes none of bot.domain.gates.APPLY.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.answers import Allowed, Answer, Refused
from bot.domain.approval import wanted
from bot.domain.gates import ApplyFacts, Gate, command
from bot.domain.release import Release
from bot.domain.target import Target
from bot.domain.words import outside

WAITING = frozenset(["soaking", "frozen", "verifying"])
"""Refusals that time lifts: consent may be asked for meanwhile, and what was asked `when-approved` waits."""


UNASKED = frozenset(["unapproved", "approval-void", "approval-expired"])
"""Refusals that asking for consent answers."""


class Promoted:
    """Only the newest release of the stage before counts: it must be this very commit and configuration, stand there
    still, be verified, and have stood for its soak time."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        source = facts.source
        if source is None:
            return Allowed("not promoted from anywhere")
        if facts.reverting:
            return Allowed("a revert needs no promotion")
        if facts.forced:
            return Allowed(f"promotion from {source.target.environment} skipped")
        if source.busy:
            return Refused(
                "verifying",
                f"An apply for #{source.busy} is at work on `{source.target.environment}` right now.",
                f"`{facts.apply_command}` after its end, or `{facts.apply_command} when-approved` now, which waits for it.",
            )
        there = source.release
        if there is None:
            return Refused(
                "unpromoted",
                f"`{facts.target.environment}` takes what `{source.target.environment}` has verified, and nothing "
                "was applied there yet.",
                f"`{command('apply', source.target)}`",
            )
        for rule in (_stands, _same, _verified, _soaked):
            if no := rule(facts, source.target, there):
                return no
        checked = "verified" if there.verification == "passed" else "without smoke checks"
        return Allowed(f"{source.target.environment} has {there.commit[:7]}, {checked}")


class NotFrozen:
    """No freeze window is on."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        if facts.frozen is None:
            return Allowed()
        if facts.forced:
            return Allowed("freeze skipped")
        until, ask = facts.frozen.until, facts.apply_command
        return Refused(
            "frozen",
            f"{facts.target} is frozen {facts.frozen.span} ({facts.frozen.reason}).",
            (
                f"`{ask}` then, or `{ask} when-approved` now, which waits for it."
                if until
                else "`freeze` in `envs/environments.toml` says when it opens."
            )
            + _emergency(facts),
            until,
        )


class Approved:
    """The consent that the environment asks for is complete, for exactly this plan."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused:
        standing, plan, ask = facts.consent, facts.plan, f"`{facts.apply_command}`"
        if facts.environment.consent is None and not (plan and plan.losses):
            return Allowed("no approval needed")
        if facts.forced:
            return Allowed("approvals skipped")
        if standing is None or plan is None:
            return Refused(
                "unapproved", f"Nobody has been asked to approve this plan for {facts.target}.", ask
            )
        approval = standing.approval
        bound = (approval.target, approval.plan_digest, approval.commit)
        if bound != (facts.target, plan.digest, plan.commit if plan.reverts else facts.pull.head_sha):
            return Refused(
                "approval-void",
                f"The approval for {facts.target} is of another plan.",
                f"{ask} asks for a new one.",
            )
        if approval.status not in ("open", "planning"):
            return Refused(
                "approval-void",
                f"The approval for {facts.target} {_over(approval.status)}.",
                f"{ask} asks for a new one.",
            )
        if approval.expired(facts.now):
            return Refused(
                "approval-expired",
                f"The approval for {facts.target} expired at {approval.expires_at:%Y-%m-%d %H:%M} UTC.",
                f"{ask} asks for a new one.",
            )
        if standing.rejected:
            no = standing.rejected[0]
            because = f": {outside(no.reason)}" if no.reason else ""
            return Refused(
                "rejected",
                f"@{no.login} rejected the apply to {facts.target}{because}.",
                f"{ask} asks once more.",
            )
        if not standing.missing.complete:
            return Refused(
                "unapproved",
                f"{facts.target} still needs {wanted(approval, standing.missing)}.",
                f"They approve with `{command('approve', facts.target)}`, by a review of this commit, or in Slack.{_emergency(facts)}",
            )
        who = ", ".join(f"@{one.login} ({one.via})" for one in standing.approved)
        return Allowed(f"approved by {who}" if who else "no approval needed")


PROMOTION: tuple[Gate, ...] = (Promoted(), NotFrozen(), Approved())


def answers(gates: Sequence[Gate], facts: ApplyFacts) -> list[Answer]:
    """What every gate says, also those behind the first no."""
    said = []
    for gate in gates:
        answer = gate.check(facts)
        passed = isinstance(answer, Allowed)
        ground = answer.ground if isinstance(answer, Allowed) else f"{answer.code}: {answer.fact}"
        said.append(Answer(type(gate).__name__, passed, ground))
    return said


def _emergency(facts: ApplyFacts) -> str:
    """The way out at night, where the policy has one."""
    if not facts.environment.force or facts.reverting:
        return ""
    return f" In an emergency, those whom the policy's `force` names use `{facts.apply_command} --force <reason>`."


def _over(status: str) -> str:
    words = {"used": "was used already", "rejected": "was rejected", "expired": "has expired"}
    return words.get(status, "no longer holds, since its plan does not")


def _stands(facts: ApplyFacts, stage: Target, there: Release) -> Refused | None:
    source, env = facts.source, stage.environment
    if not there.active:
        return Refused(
            "inactive",
            f"What was applied to `{env}` with {_pull(there.pull)} does not stand there any more: another apply has "
            "begun since, and did not end well.",
            f"{_again(stage)}, then `{facts.apply_command}`.",
        )
    if source is not None and source.drifted:
        return Refused(
            "inactive",
            f"The state of `{env}` was changed since that release: {source.drifted}.",
            f"{_again(stage)}, then `{facts.apply_command}`.",
        )
    return None


def _same(facts: ApplyFacts, stage: Target, there: Release) -> Refused | None:
    head, env = facts.pull.head_sha, stage.environment
    if there.commit != head:
        whose = f" of {_pull(there.pull)}" if there.pull != facts.pull.number else ""
        return Refused(
            "other-commit",
            f"`{env}` has `{there.commit[:7]}`{whose}, and #{facts.pull.number} is at `{head[:7]}`.",
            f"`{command('apply', stage)}` first: only the newest release of `{env}` counts.",
        )
    if not facts.configuration or not there.configuration:
        return Refused(
            "other-configuration",
            f"From which files `{env}` was applied at `{head[:7]}` is not known.",
            f"{_again(stage)}, then `{facts.apply_command}`.",
        )
    if there.configuration != facts.configuration:
        return Refused(
            "other-configuration",
            f"`{env}` was applied at `{head[:7]}`, but from other files than this stack has now (the policy changed).",
            f"{_again(stage)}, then `{facts.apply_command}`.",
        )
    return None


def _verified(facts: ApplyFacts, stage: Target, there: Release) -> Refused | None:
    if there.verification == "running":
        return Refused(
            "verifying",
            f"The smoke checks of `{stage.environment}` are still running.",
            f"`{facts.apply_command}` when they are done, or `{facts.apply_command} when-approved` now.",
        )
    if there.verified:
        return None
    failed = next((one for one in there.checks if not one.get("ok")), {})
    told = ": ".join(outside(str(failed[key])) for key in ("name", "message") if failed.get(key))
    why = f": {told}".rstrip(" .:") if told else ""
    return Refused(
        "unverified",
        f"The smoke checks of `{stage.environment}` failed{why}.",
        f"Mend it and push; or {_again(stage)} to check once more.",
    )


def _soaked(facts: ApplyFacts, stage: Target, there: Release) -> Refused | None:
    soak = facts.environment.soak
    until = there.soaked_at(soak)
    if not soak or facts.now >= until:
        return None
    return Refused(
        "soaking",
        f"It has to stand on `{stage.environment}` for {_length(soak)}: until {until:%Y-%m-%d %H:%M:%S} UTC.",
        f"`{facts.apply_command}` then, or `{facts.apply_command} when-approved` now, which waits for it.",
        until,
    )


def _again(target: Target) -> str:
    return f"`{command('plan', target)}` and `{command('apply', target)}`"


def _pull(number: int) -> str:
    return f"#{number}" if number else "an earlier run"


def _length(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    unit, name = next(one for one in ((3600, "h"), (60, "min"), (1, "s")) if seconds % one[0] == 0)
    return f"{seconds // unit} {name}"
