"""`/lock <env> [reason...]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from bot.services import locking
from commands.registry import Ask, command
from commands.targeting import one_target

LONGEST = 500
"""Characters of a reason: it is shown in one line wherever the environment is."""


@command(
    "lock",
    "<env> [reason...]",
    role="write",
    changes=True,
    summary="Keep everybody from applying to an environment",
    examples=("/lock staging", "/lock staging load test"),
)
def lock(ask: Ask, env: str, reason: str | None) -> Result:
    """Claims an environment by hand, with a reason that everybody sees. Plans go on; applies are refused until
    `/unlock`, your own included."""
    policy = ask.policy()
    if isinstance(policy, Refused):
        return policy
    first, _, rest = (reason or "").partition(" ")
    stack = first if first in policy.stacks else None  # "/lock staging network load test" names a stack
    target = one_target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    words = (rest if stack else reason or "").strip()[:LONGEST]
    return locking.lock(
        ask.context, target, ask.actor, words, ask.origin.url, policy.environments[env].lock_expires
    )
