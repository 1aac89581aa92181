"""`/parity [env] [stack]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.services.parity import Filter, compare_environments, pull_parity
from commands.registry import CommandContext, HelpText, command


@command(
    "parity",
    "[env] [stack]",
    text=HelpText(
        summary="Compare environments that should be alike",
        examples=("/parity", "/parity staging", "/parity prod network"),
    ),
    role="write",
)
def parity(ctx: CommandContext, env: str | None, stack: str | None) -> Result:
    """Compares environments that the policy wants alike, by default dev, ci and test, and staging and prod: the keys, types
    and values of their var files, their settings in the policy, the names of their secrets, the versions of the providers
    and modules that are deployed, and the number of resources of each type. Lists what differs and is not declared with a
    reason. On a pull request, it reads the var files of its latest commit. Sensitive values are never shown."""
    chosen = Filter(env or "", stack or "")
    if ctx.pull is not None and ctx.pull.state == "open":
        return pull_parity(ctx.context, ctx.load_pull_context(), chosen)
    return compare_environments(ctx.context, ctx.repository, chosen)
