"""`/unlock <env> [stack]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from bot.services import locking
from commands.registry import Ask, command
from commands.targeting import one_target


@command(
    "unlock",
    "<env> [stack]",
    role="write",
    changes=True,
    summary="Release an environment",
    examples=("/unlock staging",),
)
def unlock(ask: Ask, env: str, stack: str | None) -> Result:
    """Releases your own lock, or the claim of your own pull request; maintainers may release any. Who waits gets a
    fresh plan and is told."""
    target = one_target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    return locking.unlock(ask.context, target, ask.actor, ask.role)
