"""`/diff <env> [v1] [v2] [stack]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.refusal import Refusal
from bot.domain.sanitize import outside
from bot.services.states import compare_states
from commands.registry import CommandContext, HelpText, command
from commands.target_argument import find_target

MAX_DIGITS = 18
"""Longest serial that is looked up: databases store integers of at most 19 digits."""


@command(
    "diff",
    "<env> [first] [second] [stack]",
    text=HelpText(
        summary="Compare two state versions of an environment",
        examples=("/diff staging", "/diff staging 12", "/diff staging 12 15"),
        spelled="<env> [serial] [serial] [stack]",
    ),
    role="write",
)
def diff(ctx: CommandContext, env: str, first: str | None, second: str | None, stack: str | None) -> Result:
    """Shows what changed between two recorded states: resources and outputs, attribute by attribute, with sensitive
    values masked. With two serials from `/history`, it compares those; with one, it compares that with the latest; with
    none, the latest two."""
    words = [word for word in (first, second, stack) if word is not None]
    numbers = [word for word in words if word.isdecimal() and word.isascii()]
    names = words[len(numbers) :]
    if words[: len(numbers)] != numbers or len(numbers) > 2 or len(names) > 1:
        raise Refusal(
            "grammar",
            "`/diff` takes up to two serials, then a stack.",
            f"Use `/diff {env} [serial] [serial] [stack]`.",
        )
    policy = ctx.policy()
    if names and names[0] not in policy.stacks:
        raise Refusal(
            "unknown-stack",
            f"`{outside(names[0])}` is neither a serial nor a stack.",
            f"Run `/history {env}` for the serials. "
            f"Stacks: {', '.join(f'`{name}`' for name in policy.stacks)}.",
        )
    if long := [number for number in numbers if len(number) > MAX_DIGITS]:
        raise Refusal(
            "no-version", f"No state has serial {long[0][:30]}….", f"Run `/history {env}` for the serials."
        )
    target = find_target(ctx, env, names[0] if names else None)
    return compare_states(ctx.context, target, policy, tuple(map(int, numbers)))
