"""`/plan [env] [stack]`"""

from __future__ import annotations

from bot.domain.actors import reaches
from bot.domain.chat import Result
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refusal, require
from bot.services.plans import PlanRequest, request_plans
from bot.services.promotion import may_plan
from bot.services.pulls import trust_fork
from bot.services.sync import plan_main
from bot.services.targets import before_merge, select_targets
from bot.services.visibility import refuse_unseen_head
from commands.registry import CommandContext, HelpText, command


@command(
    "plan",
    "[env] [stack]",
    text=HelpText(
        summary="Plan again",
        examples=("/plan", "/plan staging", "/plan staging network"),
        aliases=("replan",),
    ),
    role="write",
    scope="pull",
)
def plan(ctx: CommandContext, env: str | None, stack: str | None) -> Result:
    """Plans the stacks that the pull request changes: in one environment, or, without an argument, in all that the
    policy plans automatically. A plan changes nothing, and no lock blocks it. On a pull request from a fork, `/plan`
    also confirms that you have reviewed this commit and allow Towpath to read it and to plan it (without secrets). On a
    merged pull request, `/plan <env>` plans the default branch."""
    pull = ctx.require_pull()
    if pull.state != "open":
        if pull.state != "merged" or env is None:
            raise Refusal("closed", f"#{pull.number} is {pull.state}.", _after(pull))
        merged = ctx.load_pull_context()
        targets = select_targets(ctx.context, before_merge(merged), env, stack)
        return plan_main(ctx.context, merged, targets, ctx.actor, ctx.origin)
    again = " ".join(word for word in ("/plan", env, stack) if word)
    if pull.from_fork and reaches(ctx.role, "write"):
        require(refuse_unseen_head(ctx.context, pull, ctx.origin, again))
        trust_fork(ctx.context, pull, ctx.actor)
    pull_context = ctx.load_pull_context()
    targets = select_targets(ctx.context, pull_context, env, stack)
    for target in targets:
        require(may_plan(ctx.context, pull_context, target, ctx.actor))
    environments = pull_context.policy.environments
    if any(environments[one.environment].plan_needs == "maintain" for one in targets):
        require(refuse_unseen_head(ctx.context, pull, ctx.origin, again))
    seed = f"{ctx.origin.delivery}:{ctx.origin.index}"
    return request_plans(ctx.context, PlanRequest(pull_context, tuple(targets), ctx.actor, ctx.origin, seed))


def _after(pull: PullRequest) -> str:
    if pull.state == "merged":
        return f"Name the environment to plan `{pull.base_ref}` there: `/plan <env>`."
    return "Reopen it, or open a new pull request."
