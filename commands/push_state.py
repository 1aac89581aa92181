"""`/push-state <env> [stack]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.gates import may
from bot.domain.results import Result
from bot.services import uploading
from commands.registry import Ask, command
from commands.targeting import one_target


@command(
    "push-state",
    "<env> [stack]",
    role="write",
    changes=True,
    summary="Push a state that an apply could not upload",
    examples=("/push-state staging",),
)
def push_state(ask: Ask, env: str, stack: str | None) -> Result:
    """Where the backend failed in the middle of an apply, its state was kept. This writes it after the one that the
    apply began with; where that was changed meanwhile it is refused. Production's is for maintainers."""
    target = one_target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    policy = ask.policy()
    if isinstance(policy, Refused):
        return policy
    if policy.environments[env].production and (
        no := may(ask.role, "maintain", f"push the state of {target}")
    ):
        return no
    return uploading.push(ask.context, target, ask.actor, ask.origin)
