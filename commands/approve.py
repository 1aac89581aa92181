"""`/approve [env] [stack] [commit]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.refusal import Refusal
from bot.domain.sanitize import outside
from bot.services.applies import decide_and_apply
from bot.services.approvals import GivenDecision
from commands.approval_target import find_approval
from commands.commit_argument import is_commit
from commands.registry import CommandContext, HelpText, command


@command(
    "approve",
    "[env] [stack] [commit]",
    text=HelpText(
        summary="Approve a pending apply",
        examples=("/approve", "/approve prod", "/approve prod 4f3a2b1"),
    ),
    role="write",
    scope="pull",
    changes=True,
)
def approve(ctx: CommandContext, env: str | None, stack: str | None, commit: str | None) -> Result:
    """Approves exactly the plan that was shown on the pull request when you wrote the command, for one apply. With a
    commit (seven digits or more), it is refused unless the plan is of that commit. It counts the same as an approving review of
    this commit or the button in Slack; your latest decision counts. To approve a plan that destroys or replaces
    resources, name its environment."""
    if stack is not None and commit is None and is_commit(stack, ctx.policy().stacks):
        stack, commit = None, stack
    if commit is not None and not is_commit(commit, ()):
        raise Refusal(
            "grammar",
            f"`{outside(commit[:40])}` is not a commit: that is seven or more hexadecimal digits.",
            "Use `/approve [env] [stack] [commit]`.",
        )
    approval = find_approval(ctx, env, stack, "approve")
    decision = GivenDecision("approve", ctx.origin, typed=env or "", commit=(commit or "").lower())
    return decide_and_apply(ctx.context, approval, ctx.actor, decision)
