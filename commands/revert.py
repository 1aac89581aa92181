"""`/revert [env] [release] [stack] [--losing <n>]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.refusal import Refusal, require
from bot.domain.sanitize import outside
from bot.domain.target import Target
from bot.services.reverts import RestoreRequest, RevertRequest, request_revert, restore_state
from bot.services.targets import refuse_unknown
from commands.registry import CommandContext, HelpText, command

FLAGS = ("--losing", "--state-only", "--orphans", "--ghosts")
"""Each takes a number."""


@command(
    "revert",
    "[env] [rest...]",
    text=HelpText(
        summary="Revert an environment to its last good release",
        examples=(
            "/revert",
            "/revert staging",
            "/revert prod 4f3a2b1",
            "/revert staging --losing 2",
            "/revert staging --state-only 12",
        ),
        spelled="[env] [release] [stack] [--losing <count> | --state-only <serial>]",
        aliases=("rollback",),
    ),
    role="write",
    scope="pull",
    changes=True,
)
def revert(ctx: CommandContext, env: str | None, rest: str | None) -> Result:
    """Plans a revert to the last verified release, or to the one given by id, commit or serial, and shows what each
    change means. Run again, it applies exactly that plan, with the same locks and approvals as any apply. Without an
    environment, it reverts this pull request's last apply. If data would be lost for good, it needs approval from
    someone else, and `--losing` with the number of affected resources. Afterwards the environment is on hold: the
    reverted commit is not applied or reverted to until `/unhold`. To undo a revert, lift the hold and name the serial of
    the release that was reverted. `--state-only <serial>` is for emergencies and only for
    people named in the policy's `force`: it restores an old state and changes no resources."""
    pull_context = ctx.load_pull_context()
    names, flags = _parse_options(rest)
    stack = next((name for name in names if name in pull_context.policy.stacks), None)
    release = next((name for name in names if name != stack), None)
    target = _target(ctx, env, stack)
    require(refuse_unknown(pull_context.policy, target.environment, target.stack))
    if "--state-only" in flags:
        known = {"--orphans", "--ghosts"} <= flags.keys()
        counted = (flags["--orphans"], flags["--ghosts"]) if known else None
        serial = flags["--state-only"]
        return restore_state(
            ctx.context, RestoreRequest(pull_context, target, ctx.actor, ctx.origin, serial, counted)
        )
    losing = flags.get("--losing")
    return request_revert(
        ctx.context, RevertRequest(pull_context, target, ctx.actor, ctx.origin, release, losing)
    )


def _parse_options(rest: str | None) -> tuple[list[str], dict[str, int]]:
    """Parse the words after the environment: names, and flags with their numbers."""
    names: list[str] = []
    flags: dict[str, int] = {}
    words = iter((rest or "").split())
    for word in words:
        if not word.startswith("--"):
            names.append(word)
            continue
        count = next(words, "") if word in FLAGS else ""
        if count.isascii() and count.isdigit() and len(count) < 10:
            flags[word] = int(count)
        else:
            raise Refusal(
                "grammar",
                f"`/revert` does not take `{outside(f'{word} {count}'.strip())}`.",
                "Use `/revert [env] [release] [stack] [--losing <count>]` or `/revert <env> --state-only <serial>`.",
            )
    return names[:2], flags


def _target(ctx: CommandContext, env: str | None, stack: str | None) -> Target:
    """Return the named target, or the one of this pull request's last apply."""
    pull, policy = ctx.require_pull(), ctx.policy()
    if env is not None:
        require(refuse_unknown(policy, env, stack))
        if stack is None and len(policy.stacks) > 1:
            names = ", ".join(f"`{name}`" for name in policy.stacks)
            raise Refusal(
                "which-stack", f"There are several stacks: {names}.", f"Run `/revert {env} <stack>`."
            )
        return policy.target(pull.repository, stack or next(iter(policy.stacks)), env, pull.number)
    with ctx.context.store.read() as tables:
        last = tables.runs.last_apply_of(pull.repository, pull.number)
    if last is None:
        raise Refusal("nothing-applied", f"#{pull.number} has not applied anything.", "Run `/revert <env>`.")
    return last.target
