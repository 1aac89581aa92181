"""`/secrets <env> [stack]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.refusal import Refusal, require
from bot.services.secrets import Configuration, default_commit, report_secrets
from bot.services.targets import refuse_unknown
from commands.registry import CommandContext, HelpText, command


@command(
    "secrets",
    "<env> [stack]",
    text=HelpText(
        summary="Show which secrets are set and which are missing",
        examples=("/secrets staging", "/secrets prod network"),
    ),
    role="write",
)
def secrets(ctx: CommandContext, env: str, stack: str | None) -> Result:
    """Lists the variables that plans and applies of an environment get, with the source of each, and the input variables
    of its modules that still have no value. On a pull request, the modules of its latest commit are read; elsewhere, those
    of the default branch. Values are never shown. The names are visible to everybody who can read the reply."""
    policy = ctx.policy()
    require(refuse_unknown(policy, env, stack))
    pull = ctx.pull
    if pull is not None and pull.from_fork:
        raise Refusal(
            "fork",
            f"#{pull.number} comes from a fork, so its runs get no secrets.",
            f"Ask on a pull request that is not from a fork, or in Slack with `{ctx.context.slash} secrets {env}`.",
        )
    if pull is not None and pull.state == "open":
        ctx.load_pull_context()  # fetches it
        commit = pull.head_sha
    else:
        commit = default_commit(ctx.context, ctx.repository)
    return report_secrets(ctx.context, Configuration(ctx.repository, commit, policy), env, stack)
