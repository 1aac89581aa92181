"""`/cancel`"""

from __future__ import annotations

from bot.domain.results import Result
from bot.services import cancelling
from commands.registry import Ask, command


@command(
    "cancel",
    role="write",
    pull=True,
    changes=True,
    aliases=("stop",),
    summary="Stop what runs for a pull request",
    examples=("/cancel",),
)
def cancel(ask: Ask) -> Result:
    """Takes queued runs back and interrupts Terraform once: it ends what it has begun, keeps the state, and the
    status says what was left. Your own runs with write, those of others with maintain."""
    return cancelling.cancel(ask.context, ask.require_pull(), ask.actor, ask.role)
