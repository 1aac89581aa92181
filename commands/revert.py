"""`/revert [env] [release] [stack] [--losing <n>]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from bot.domain.target import Target
from bot.services import reverting
from bot.services.targets import unknown
from commands.registry import Ask, command


@command(
    "revert",
    "[env] [rest...]",
    spelled="[env] [release] [stack] [--losing <count>]",
    role="write",
    pull=True,
    changes=True,
    aliases=("rollback",),
    summary="Take an environment back to its last good release",
    examples=("/revert", "/revert staging", "/revert prod 4f3a2b1", "/revert staging --losing 2"),
)
def revert(ask: Ask, env: str | None, rest: str | None) -> Result:
    """Plans the way back to the last verified release (or the one named by its id, commit or serial) from the current
    state, and shows what each step means; asked again, applies exactly that plan, under the same locks and with the
    same consent as an apply there. Bare, it means what this pull request applied last. What loses data for good needs
    somebody else's consent and its count typed. Afterwards the environment is held: what was taken back is not applied
    there again until `/unhold`."""
    pull = ask.require_pull()
    stand = ask.ground()
    if isinstance(stand, Refused):
        return stand
    words = _words(rest)
    if isinstance(words, Refused):
        return words
    names, losing = words
    stack = next((name for name in names if name in stand.policy.stacks), None)
    release = next((name for name in names if name != stack), None)
    target = _target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    if no := unknown(stand.policy, target.environment, target.stack):
        return no
    return reverting.request(ask.context, pull, stand, target, ask.actor, ask.origin, release, losing)


def _words(rest: str | None) -> tuple[list[str], int | None] | Refused:
    before, _, after = (rest or "").partition("--losing")
    names, count = before.split(), after.strip()
    if len(names) > 2 or (after and not count.isdigit()):
        return Refused(
            "grammar",
            "I cannot read what stands after `/revert`.",
            "`/revert [env] [release] [stack] [--losing <count>]`",
        )
    return names, int(count) if count else None


def _target(ask: Ask, env: str | None, stack: str | None) -> Target | Refused:
    """The one that is named, or where this pull request applied last."""
    pull, policy = ask.require_pull(), ask.policy()
    if isinstance(policy, Refused):
        return policy
    if env is not None:
        if no := unknown(policy, env, stack):
            return no
        if stack is None and len(policy.stacks) > 1:
            names = ", ".join(f"`{name}`" for name in policy.stacks)
            return Refused("which-stack", f"There are several stacks: {names}.", f"`/revert {env} <stack>`")
        return policy.target(pull.repository, stack or next(iter(policy.stacks)), env, pull.number)
    with ask.context.store.read() as tables:
        last = tables.runs.last_apply_of(pull.repository, pull.number)
    if last is None:
        return Refused("nothing-applied", f"#{pull.number} has applied nothing.", "Name an environment.")
    return last.target
