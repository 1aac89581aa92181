"""`/acknowledge <env> [stack]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.gates import command as spelled
from bot.domain.results import Noted, Result
from bot.services import forcing
from commands.registry import Ask, command
from commands.targeting import one_target


@command(
    "acknowledge",
    "<env> [stack]",
    role="write",
    changes=True,
    aliases=("ack",),
    summary="Stand by an apply that somebody else forced",
    examples=("/acknowledge prod",),
)
def acknowledge(ask: Ask, env: str, stack: str | None) -> Result:
    """A break-glass skips what protects an environment, so that somebody else must look at it afterwards. Until then
    every surface says so."""
    target = one_target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    with ask.context.store.read() as tables:
        waiting = tables.follow_ups.open(target=target)
    if not waiting:
        return Noted(f"No forced apply to {target} waits for this.", f"`{spelled('history', target)}`")
    return forcing.acknowledge(ask.context, waiting[0], ask.actor, ask.role)
