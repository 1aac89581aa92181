"""`/history <env> [stack]`"""

from __future__ import annotations

from bot.domain.chat import History, Result
from commands.registry import CommandContext, HelpText, command
from commands.target_argument import find_target

SHOWN = 15


@command(
    "history",
    "<env> [stack]",
    text=HelpText(
        summary="List the state versions of an environment",
        examples=("/history staging",),
        aliases=("log",),
    ),
)
def history(ctx: CommandContext, env: str, stack: str | None) -> Result:
    """Lists the recorded states, newest first: serial, time, person, run and commit, how many resources and outputs, and
    the result of the release's smoke checks. A version that can no longer be read is marked."""
    target = find_target(ctx, env, stack)
    with ctx.context.store.read() as tables:
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
