"""`/apply <env> [stack] [commit] [when-approved]`, and `/apply <env> [stack] [commit] --force <reason>`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.gates import refuse_other_commit
from bot.domain.refusal import Refusal, require
from bot.domain.sanitize import outside
from bot.services.applies import ApplyOptions, ApplyRequest, request_apply
from bot.services.approvals import refuse_force
from bot.services.sync import main_commit, refuse_unread_main
from bot.services.targets import before_merge, select_targets
from commands.commit_argument import is_commit
from commands.registry import CommandContext, HelpText, command

WHEN = "when-approved"
FORCE = "--force"


@command(
    "apply",
    "<env> [how...]",
    text=HelpText(
        summary="Apply the latest plan of the pull request",
        examples=(
            "/apply staging",
            "/apply staging network",
            "/apply prod",
            "/apply prod 4f3a2b1",
            "/apply prod when-approved",
            "/apply prod --force production is down",
        ),
        spelled="<env> [stack] [commit] [when-approved | --force <reason>]",
    ),
    role="write",
    scope="pull",
    changes=True,
)
def apply(ctx: CommandContext, env: str, how: str | None) -> Result:
    """Applies exactly the plan that was shown on the pull request when you wrote the command, and locks the environment
    for this pull request until it is merged or closed. Without a stack, all stacks that the pull request changes and
    that are not applied yet are applied, in the order of the policy's `after`. With a commit (seven digits or more), it is refused unless that is
    the pull request's latest one. The apply is refused if the branch or its base has changed, if the plan is too old or was already
    applied, if the environment is locked by someone else, or if a stack that comes before has changes to apply. If there is no plan, it runs one and waits for a second
    `/apply`. If the policy requires approvals, it requests those that are missing; with `when-approved`, the apply then
    starts without another command. `--force <reason>` is for emergencies and only for people named in the policy: it
    skips promotion, freezes and approvals, and someone else must acknowledge it afterwards. On a merged pull request, it
    applies the plan of the default branch that is shown there."""
    pull = ctx.require_pull()
    if "plan" in ctx.earlier:
        raise Refusal(
            "unread",
            "`/plan` and `/apply` are in the same comment, so nobody could have read the plan.",
            f"Wait for the plan, read it, then run `/apply {env}{f' {how}' if how else ''}`.",
        )
    pull_context = ctx.load_pull_context()
    stack, commit, options = parse_options(env, how, tuple(pull_context.policy.stacks))
    targets = select_targets(ctx.context, before_merge(pull_context), env, stack)
    merged = pull.state == "merged"
    head = pull.head_sha
    if merged:
        require(refuse_unread_main(ctx.context, pull_context, targets))
        head = main_commit(ctx.context, pull, targets)
    if commit:
        again = " ".join(word for word in ("/apply", env, stack, head[:7]) if word)
        what = "its plan is for" if merged else f"the latest commit of #{pull.number} is"
        require(refuse_other_commit(head, commit, what, again))
    if pull.from_fork and not merged:
        raise Refusal(
            "fork",
            "Pull requests from forks cannot be applied.",
            "Push its branch to this repository and open a pull request from there.",
        )
    if options.forced:
        environment = pull_context.policy.environments[env]
        instead = f"Run `/apply {env}` to request the missing approvals."
        require(refuse_force(ctx.context, environment, ctx.actor, f"/apply {env} --force <reason>", instead))
    return request_apply(
        ctx.context, ApplyRequest(pull_context, tuple(targets), ctx.actor, ctx.origin, options)
    )


def parse_options(env: str, how: str | None, stacks: tuple[str, ...]) -> tuple[str | None, str, ApplyOptions]:
    """Parse the words after the environment: a stack, a commit (in lower case, "" for none), then `when-approved`, or
    `--force` and its reason."""
    before, force, reason = f"{how or ''} ".partition(f"{FORCE} ")
    words = [word for word in before.split() if word != WHEN]
    when_approved = WHEN in before.split()
    commit = words.pop().lower() if words and is_commit(words[-1], stacks) else ""
    if force and not reason.strip():
        raise Refusal(
            "no-reason",
            "A forced apply needs a reason.",
            f"Run `/apply {env} --force <reason>`.",
        )
    if len(words) > 1 or (words and words[0] not in stacks and words[0].startswith("-")):
        raise Refusal(
            "grammar",
            f"`/apply {env}` does not take `{outside(' '.join(words)[:60])}`.",
            f"Use `/apply {env} [stack] [commit] [when-approved]` or `/apply {env} [stack] [commit] --force <reason>`.",
        )
    options = ApplyOptions(when_approved, reason.strip()[:500] if force else "")
    return (words[0] if words else None), commit, options
