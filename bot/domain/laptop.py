"""Why a person's own Terraform may not change a target. One sentence or two: Terraform prints them as a lock's id."""

from __future__ import annotations

from datetime import datetime

from bot.domain.freeze import frozen
from bot.domain.gates import command
from bot.domain.hold import Hold
from bot.domain.policy import Environment
from bot.domain.target import Target
from bot.domain.unsaved import Unsaved


def forbidden(environment: Environment, target: Target, now: datetime) -> str:
    """What the policy has against it now; "" where nothing."""
    apply = command("apply", target)
    glass = f", or break the glass there by `{apply} --force <reason>`" if environment.force else ""
    if why := refusal(environment, target):
        return f"{why}. Apply it from a pull request by `{apply}`{glass}."
    freeze = frozen(environment.windows, "apply", now)
    if freeze is None:
        return ""
    return f"{target} is frozen {freeze.span} ({freeze.reason}). Apply it then{glass.replace('there', 'in a pull request')}."


def refusal(environment: Environment, target: Target) -> str:
    """That it never takes a laptop's changes, and why; "" where it does. Without a full stop."""
    if environment.takes_laptops:
        return ""
    return f"{target} takes no changes from a laptop: its policy {_why(environment)}"


def held(hold: Hold) -> str:
    """After a revert: from which commit a laptop applies is not known, so none may."""
    return (
        f"{hold.target} is held at {hold.commit[:7]} since {hold.actor.name}'s revert of "
        f"{hold.since:%Y-%m-%d %H:%M} UTC, and a laptop's commit is not known. "
        f"`{command('unhold', hold.target)}` in a pull request lifts it."
    )


def lost(state: Unsaved) -> str:
    """What an apply changed and could not write down would be made a second time."""
    return (
        f"The state of the apply of #{state.pull} to {state.target} could not be uploaded, so what it changed is not "
        f"known here. `{command('push-state', state.target)}` in a pull request pushes it."
    )


def _why(environment: Environment) -> str:
    if environment.laptop is False:
        return "says so (`laptop = false`)"
    asks = [f"a promotion from {environment.promote_from}"] if environment.promote_from else []
    asks += ["approvals"] if environment.consent else []
    asks += ["freeze windows"] if environment.freeze else []
    return f"asks for {' and '.join(asks)}"
