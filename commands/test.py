"""`/test <action> [env] [stack]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.policy import Policy
from bot.domain.previews import DEFAULT_ENVIRONMENT
from bot.domain.refusal import Refusal, require
from bot.domain.suggest import hint
from bot.services.previews import ACTIONS, act_on_instances
from bot.services.targets import refuse_unknown, select_targets
from commands.registry import CommandContext, HelpText, command


@command(
    "test",
    "<action> [env] [stack]",
    text=HelpText(
        summary="Create, extend, sleep, wake or destroy an instance",
        examples=("/test up", "/test extend", "/test sleep", "/test wake", "/test down"),
        spelled="<up|extend|sleep|wake|down> [env] [stack]",
    ),
    role="write",
    scope="pull",
    changes=True,
)
def test(ctx: CommandContext, action: str, env: str | None, stack: str | None) -> Result:
    """Acts on the pull request's own instance of an environment, by default `test`. `up` creates it, or brings it to the
    latest commit; `extend` starts its time to live again; `sleep` applies what the policy's `sleep` declares and `wake`
    takes that back; `down` destroys it until somebody runs `up`. Instances are destroyed by themselves when the pull
    request is merged or closed."""
    if action not in ACTIONS:
        raise Refusal(
            "unknown-action",
            f"`/test` cannot `{action[:40]}`.",
            f"Use one of {', '.join(f'`{one}`' for one in ACTIONS)}{hint(action, ACTIONS)}.",
        )
    pull_context = ctx.load_pull_context()
    name = _environment(pull_context.policy, env, action)
    targets = select_targets(ctx.context, pull_context, name, stack)
    return act_on_instances(ctx.context, pull_context, targets, action, ctx.actor)


def _environment(policy: Policy, env: str | None, action: str) -> str:
    """Return the environment that is meant: the one that was named, `test`, or the only one with instances."""
    instanced = [one.name for one in policy.environments.values() if one.instance and not one.local]
    name = env or (DEFAULT_ENVIRONMENT if DEFAULT_ENVIRONMENT in instanced else "".join(instanced[:1]))
    if not name:
        raise Refusal(
            "no-instances",
            "No environment exists once per pull request.",
            'Add `instance = "pr-{pr}"` to one in `envs/environments.toml`.',
        )
    require(refuse_unknown(policy, name, None))
    if name not in instanced:
        raise Refusal(
            "no-instances",
            f"`{name}` exists once, not per pull request.",
            f"`/test {action}` works for {', '.join(f'`{one}`' for one in instanced) or 'none'}.",
        )
    return name
