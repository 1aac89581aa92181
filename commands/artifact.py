"""`/artifact <env> [name] [stack]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.people import reaches
from bot.domain.results import Result
from bot.domain.words import outside
from bot.services import keeping
from commands.registry import Ask, command
from commands.targeting import one_target


@command(
    "artifact",
    "<env> [name] [stack]",
    role="write",
    summary="Fetch what an apply left for people, such as a kubeconfig",
    examples=("/artifact staging", "/artifact staging kubeconfig"),
)
def artifact(ask: Ask, env: str, name: str | None, stack: str | None) -> Result:
    """Without a name: lists the artifacts of an environment. With one, in Slack: a private link that works once,
    within ten minutes. Production's are for maintainers. Each fetch is recorded."""
    policy = ask.policy()
    if isinstance(policy, Refused):
        return policy
    if stack is None and name in policy.stacks:  # "/artifact staging network" lists those of a stack
        name, stack = None, name
    target = one_target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    if name is None:
        return keeping.listed(ask.context, target)
    if policy.environments[env].production and not reaches(ask.role, "maintain"):
        return Refused(
            "role",
            f"Artifacts of {target} are for those with the maintain role; you have {ask.role}.",
            "Ask a maintainer to fetch it.",
        )
    if ask.actor.via != "slack" or not ask.origin.user:
        words = f"{outside(name)} {stack}" if stack else outside(name)
        return Refused(
            "public",
            "Everybody who reads this could open the link.",
            f"Type `{ask.context.slash} artifact {env} {words}` in Slack, where only you see it, or fetch it on the "
            "console.",
        )
    return keeping.offer(ask.context, ask.actor, target, name)
