"""`/approve [env] [stack]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from bot.services import deciding
from commands.consenting import one_approval
from commands.registry import Ask, command


@command(
    "approve",
    "[env] [stack]",
    role="write",
    pull=True,
    changes=True,
    summary="Consent to the apply that waits for it",
    examples=("/approve", "/approve prod"),
)
def approve(ask: Ask, env: str | None, stack: str | None) -> Result:
    """Your consent to exactly the plan that stands on the pull request, for one apply. It is the same as an approving
    review of this commit, or the button in Slack; your newest word counts. A plan that destroys or replaces something
    wants its environment named."""
    found = one_approval(ask, env, stack, "approve")
    if isinstance(found, Refused):
        return found
    return deciding.answer(
        ask.context, found, ask.actor, "approve", reason="", origin=ask.origin, typed=env or ""
    )
