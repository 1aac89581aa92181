"""`/history <env> [stack]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import History, Result
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
    """Every write of the state, newest first: serial, when, who, which run and commit, how many resources and outputs,
    and what the smoke checks said of the release that it belongs to. A version that cannot be read any more is marked."""
    target = one_target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    with ask.context.store.read() as tables:
        versions = tables.states.versions(target.key, SHOWN + 1)
        shown = tuple(versions[:SHOWN])
        releases = {one.release: tables.releases.get(one.release) for one in shown if one.release}
        damaged = tables.states.damaged(shown)
    return History(
        target,
        shown,
        more=len(versions) > SHOWN,
        releases={name: release for name, release in releases.items() if release is not None},
        damaged=damaged,
    )
