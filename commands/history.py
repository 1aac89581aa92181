"""`/history <env> [stack]`"""

from __future__ import annotations

from bot.domain.results import History, Refused, Result
from commands.registry import Ask, command
from commands.targeting import one_target

SHOWN = 15


@command(
    "history",
    "<env> [stack]",
    summary="List the state versions of an environment",
    examples=("/history staging",),
    aliases=("log",),
)
def history(ask: Ask, env: str, stack: str | None) -> Result:
    """Every write of the state, newest first: serial, when, who, which run and commit, how many resources."""
    target = one_target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    with ask.context.store.read() as tables:
        versions = tables.states.versions(target.key, SHOWN + 1)
    return History(target, tuple(versions[:SHOWN]), more=len(versions) > SHOWN)
