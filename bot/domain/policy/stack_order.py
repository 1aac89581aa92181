"""Rules for the order of stacks: `after` and `inputs`."""

from __future__ import annotations

from bot.domain.order import Input, cycle_in
from bot.domain.policy.model import Policy, Stack
from bot.domain.policy.problems import Problems
from bot.domain.suggest import hint


def check_order(problems: Problems, policy: Policy) -> None:
    """Add unknown stacks, circles, and inputs that no plan could get."""
    for stack in policy.stacks.values():
        for name in stack.after:
            if name not in policy.stacks:
                problems.add(("stack", stack.name, "after"), _unknown(policy, name))
        for one in stack.inputs:
            if wrong := _wrong_input(policy, stack, one):
                problems.add(("stack", stack.name, "inputs", one.variable), wrong)
    _circles(problems, policy)


def _wrong_input(policy: Policy, stack: Stack, one: Input) -> str:
    if one.stack not in policy.stacks:
        return _unknown(policy, one.stack)
    if one.stack not in stack.after:
        return (
            f"`{one.variable}` comes from `{one.stack}`, which is not in `after` of stack `{stack.name}`; "
            "add it there"
        )
    there = {env.name for env in policy.environments_of(policy.stacks[one.stack])}
    if missing := [env.name for env in policy.environments_of(stack) if env.name not in there]:
        return (
            f"`{one.variable}` comes from `{one.stack}`, which is not in `{missing[0]}`, but `{stack.name}` is; "
            "correct `environments`"
        )
    return ""


def _circles(problems: Problems, policy: Policy) -> None:
    """Report each circle once, in full."""
    after = {
        stack.name: [name for name in stack.after if name in policy.stacks]
        for stack in policy.stacks.values()
    }
    while circle := cycle_in(after):
        first = next(name for name in policy.stacks if name in circle)
        at = circle.index(first)
        ordered = [*circle[at:-1], *circle[:at], first] if at else list(circle)
        problems.add(("stack", first, "after"), f"`after` goes in a circle: {' after '.join(ordered)}")
        after = {name: before for name, before in after.items() if name not in circle}


def _unknown(policy: Policy, name: str) -> str:
    known = list(policy.stacks)
    listed = f"; the stacks are {', '.join(f'`{one[:40]}`' for one in known[:10])}"
    return f"there is no stack `{name[:40]}`{hint(name, known) or listed}"
