"""`/apply <env> [stack]`"""

from __future__ import annotations

from bot.domain.results import Refused, Result
from bot.services import applying
from bot.services.targets import pick
from commands.registry import Ask, command


@command(
    "apply",
    "<env> [stack]",
    role="write",
    pull=True,
    changes=True,
    summary="Apply the plan that stands on the pull request",
    examples=("/apply staging", "/apply staging network"),
)
def apply(ask: Ask, env: str, stack: str | None) -> Result:
    """Applies exactly the plan that people have read, at exactly its commit, and claims the environment for this pull
    request until it is merged or closed. It is refused, with the next step, when the branch or its base has moved,
    when the plan is too old or already used, or when somebody else holds the environment. Without any plan it makes
    one, shows it, and waits for a second `/apply`."""
    pull = ask.require_pull()
    if "plan" in ask.beside:
        return Refused(
            "unread",
            "`/plan` and `/apply` in one comment: nobody would have read that plan.",
            f"Read the plan when it is there, then comment `/apply {env}{f' {stack}' if stack else ''}`.",
        )
    stand = ask.ground()
    if isinstance(stand, Refused):
        return stand
    targets = pick(ask.context, pull, stand, env, stack)
    if isinstance(targets, Refused):
        return targets
    if pull.from_fork:
        return Refused(
            "fork",
            "A pull request from a fork is planned without secrets and never applied.",
            "Push its branch to this repository and open a pull request from there.",
        )
    if stand.policy.environments[env].guarded:
        return Refused(
            "production",
            f"`{env}` takes only what was promoted and approved, and this version has no approvals yet.",
            "Apply to the environments before it.",
        )
    return applying.request(ask.context, pull, stand, targets, ask.actor, ask.origin)
