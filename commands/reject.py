"""`/reject [env] [reason...]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from bot.services import deciding
from commands.consenting import one_approval
from commands.registry import Ask, command


@command(
    "reject",
    "[reason...]",
    spelled="[env] [reason]",
    role="write",
    pull=True,
    changes=True,
    summary="Stop an apply that waits for consent",
    examples=("/reject the database is being moved today", "/reject prod wrong region"),
)
def reject(ask: Ask, reason: str | None) -> Result:
    """Ends the request for consent: nothing is applied, and everybody sees who and why. Whoever wants it all the same
    asks again with `/apply`."""
    policy = ask.policy()
    if isinstance(policy, Refused):
        return policy
    first, _, rest = (reason or "").partition(" ")
    env = first if first in policy.environments else None
    found = one_approval(ask, env, None, "reject")
    if isinstance(found, Refused):
        return found
    why = rest if env else reason or ""
    return deciding.answer(ask.context, found, ask.actor, "reject", reason=why, origin=ask.origin)
