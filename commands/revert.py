"""`/revert [env] [release] [stack] [--losing <n>]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from bot.domain.target import Target
from bot.domain.words import outside
from bot.services import reverting, rewinding
from bot.services.targets import unknown
from commands.registry import Ask, command

FLAGS = ("--losing", "--state-only", "--orphans", "--ghosts")
"""Each with a number."""


@command(
    "revert",
    "[env] [rest...]",
    spelled="[env] [release] [stack] [--losing <count> | --state-only <serial>]",
    role="write",
    pull=True,
    changes=True,
    aliases=("rollback",),
    summary="Take an environment back to its last good release",
    examples=(
        "/revert",
        "/revert staging",
        "/revert prod 4f3a2b1",
        "/revert staging --losing 2",
        "/revert staging --state-only 12",
    ),
)
def revert(ask: Ask, env: str | None, rest: str | None) -> Result:
    """Plans the way back to the last verified release (or the one named by its id, commit or serial) from the current
    state, and shows what each step means; asked again, applies exactly that plan, under the same locks and with the
    same consent as an apply there. Bare, it means what this pull request applied last. What loses data for good needs
    somebody else's consent and its count typed. Afterwards the environment is held: what was taken back is not applied
    there again until `/unhold`. `--state-only <serial>` is break-glass, for those whom the policy's `force` names: it
    writes an old state anew and changes nothing in the world."""
    pull = ask.require_pull()
    stand = ask.ground()
    if isinstance(stand, Refused):
        return stand
    words = _words(rest)
    if isinstance(words, Refused):
        return words
    names, flags = words
    stack = next((name for name in names if name in stand.policy.stacks), None)
    release = next((name for name in names if name != stack), None)
    target = _target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    if no := unknown(stand.policy, target.environment, target.stack):
        return no
    if "--state-only" in flags:
        known = {"--orphans", "--ghosts"} <= flags.keys()
        counted = (flags["--orphans"], flags["--ghosts"]) if known else None
        return rewinding.rewind(
            ask.context, pull, stand, target, ask.actor, ask.origin, flags["--state-only"], counted
        )
    return reverting.request(
        ask.context, pull, stand, target, ask.actor, ask.origin, release, flags.get("--losing")
    )


def _words(rest: str | None) -> tuple[list[str], dict[str, int]] | Refused:
    """What stands after the environment: names, and flags with their numbers."""
    names: list[str] = []
    flags: dict[str, int] = {}
    words = iter((rest or "").split())
    for word in words:
        if not word.startswith("--"):
            names.append(word)
            continue
        count = next(words, "") if word in FLAGS else ""
        if count.isascii() and count.isdigit() and len(count) < 10:
            flags[word] = int(count)
        else:
            return Refused(
                "grammar",
                f"I cannot read `{outside(f'{word} {count}'.strip())}` after `/revert`.",
                "`/revert [env] [release] [stack] [--losing <count>]`, or `/revert <env> --state-only <serial>`",
            )
    return names[:2], flags


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
