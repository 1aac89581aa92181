"""`/diff <env> [v1] [v2] [stack]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from bot.domain.words import outside
from bot.services.comparing import compare
from commands.registry import Ask, command
from commands.targeting import one_target

HIGHEST = 18
"""Digits of a serial that are looked up: what databases count by has 19."""


@command(
    "diff",
    "<env> [first] [second] [stack]",
    spelled="<env> [serial] [serial] [stack]",
    role="write",
    summary="Compare two state versions of an environment",
    examples=("/diff staging", "/diff staging 12", "/diff staging 12 15"),
)
def diff(ask: Ask, env: str, first: str | None, second: str | None, stack: str | None) -> Result:
    """What changed from one recorded state to another: resources and outputs, attribute by attribute, what is sensitive
    masked. With two serials of `/history`: those; with one: that and the newest; with none: the last two."""
    words = [word for word in (first, second, stack) if word is not None]
    numbers = [word for word in words if word.isdecimal() and word.isascii()]
    names = words[len(numbers) :]
    if words[: len(numbers)] != numbers or len(numbers) > 2 or len(names) > 1:
        return Refused(
            "grammar",
            "Which versions and which stack is not to be told from that.",
            "Write it as `/diff <env> [serial] [serial] [stack]`.",
        )
    policy = ask.policy()
    if isinstance(policy, Refused):
        return policy
    if names and names[0] not in policy.stacks:
        return Refused(
            "unknown-stack",
            f"`{outside(names[0])}` is neither a serial nor a stack.",
            f"A serial is a number such as `12`: `/history {env}` lists them. "
            f"There {'is' if len(policy.stacks) == 1 else 'are'} {', '.join(f'`{name}`' for name in policy.stacks)}.",
        )
    if long := [number for number in numbers if len(number) > HIGHEST]:
        return Refused("no-version", f"No state has the serial {long[0][:30]}….", f"`/history {env}`")
    target = one_target(ask, env, names[0] if names else None)
    if isinstance(target, Refused):
        return target
    return compare(ask.context, target, policy, tuple(map(int, numbers)))
