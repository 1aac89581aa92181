"""Why a person's own Terraform may not change a target. Short texts: Terraform prints them as a lock's id."""

from __future__ import annotations

from datetime import datetime

from bot.domain.hold import Hold
from bot.domain.policy import Environment, freeze_at
from bot.domain.states import Unsaved
from bot.domain.target import Target, command


def refuse_local_run(environment: Environment, target: Target, now: datetime) -> str:
    """Return why the policy refuses a local apply now, or ""."""
    apply = command("apply", target)
    force = f", or `{apply} --force <reason>` in an emergency" if environment.force else ""
    if refusal := local_run_refusal(environment, target):
        return f"{refusal}. Use `{apply}` in a pull request{force}."
    freeze = freeze_at(environment.windows, "apply", now)
    if freeze is None:
        return ""
    return f"{target} is frozen {freeze.span} ({freeze.reason}). Use `{apply}` in a pull request then{force}."


def local_run_refusal(environment: Environment, target: Target) -> str:
    """Return why the target never accepts changes from a laptop, without a full stop, or ""."""
    if environment.takes_laptops:
        return ""
    return f"{target} cannot be changed from a laptop: its policy {_policy_rule(environment)}"


def refuse_held(hold: Hold) -> str:
    """Return the refusal after a revert: which commit a laptop applies is not known, so none may."""
    return (
        f"{hold.target} is on hold at {hold.commit[:7]} since {hold.actor.name} reverted it on "
        f"{hold.since:%Y-%m-%d %H:%M} UTC, and the commit on a laptop is not known. "
        f"`{command('unhold', hold.target)}` in a pull request lifts the hold."
    )


def refuse_lost(state: Unsaved) -> str:
    """Return the refusal after a state that could not be uploaded: its changes would be made a second time."""
    return (
        f"The state that the apply of #{state.pull} left for {state.target} could not be uploaded, so what it changed is "
        f"not known here. Run `{command('push-state', state.target)}` in a pull request."
    )


def _policy_rule(environment: Environment) -> str:
    if environment.laptop is False:
        return "says `laptop = false`"
    rules = [f"promotion from {environment.promote_from}"] if environment.promote_from else []
    rules += ["approvals"] if environment.approval_rules else []
    rules += ["freeze windows"] if environment.freeze else []
    return f"enforces {' and '.join(rules)}"
