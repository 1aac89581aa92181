"""`/artifact <env> [name] [stack]`"""

from __future__ import annotations

from bot.domain.actors import reaches
from bot.domain.chat import Result
from bot.domain.refusal import Refusal
from bot.domain.sanitize import outside
from bot.services.releases import list_artifacts, offer_artifact
from commands.registry import CommandContext, HelpText, command
from commands.target_argument import find_target


@command(
    "artifact",
    "<env> [name] [stack]",
    text=HelpText(
        summary="Fetch an artifact of an apply, such as a kubeconfig",
        examples=("/artifact staging", "/artifact staging kubeconfig"),
    ),
    role="write",
)
def artifact(ctx: CommandContext, env: str, name: str | None, stack: str | None) -> Result:
    """Lists the artifacts of an environment. With a name, in Slack, it gives you a private link that works once, within
    ten minutes. Artifacts of production need the maintain role. Each download is recorded in the audit log."""
    policy = ctx.policy()
    if stack is None and name in policy.stacks:  # "/artifact staging network" lists the artifacts of a stack
        name, stack = None, name
    target = find_target(ctx, env, stack)
    if name is None:
        return list_artifacts(ctx.context, target)
    if policy.environments[env].production and not reaches(ctx.role, "maintain"):
        raise Refusal(
            "role",
            f"Fetching an artifact of {target} needs the `maintain` role; you have `{ctx.role}`.",
            "Ask a maintainer.",
        )
    if ctx.actor.via != "slack" or not ctx.origin.user:
        words = f"{outside(name)} {stack}" if stack else outside(name)
        raise Refusal(
            "public",
            "Everyone who can read this pull request could open the link.",
            f"Run `{ctx.context.slash} artifact {env} {words}` in Slack, where only you can see it.",
        )
    return offer_artifact(ctx.context, ctx.actor, target, name)
