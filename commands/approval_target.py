"""Find the approval that `/approve` or `/reject` refers to."""

from __future__ import annotations

from bot.domain.approvals import Approval
from bot.domain.refusal import Refusal
from commands.registry import CommandContext


def find_approval(ctx: CommandContext, env: str | None, stack: str | None, word: str) -> Approval:
    """Return the pending approval of this pull request in `env`, or its only one if `env` is None. If none is pending,
    return the newest that ended. Raises Refusal if there is none, or several are pending. word: the command's name."""
    pull = ctx.require_pull()
    with ctx.context.store.read() as tables:
        approvals = tables.approvals.of_pull(pull.repository, pull.number)
    matching = [
        one
        for one in approvals
        if (env is None or one.target.environment == env) and (stack is None or one.target.stack == stack)
    ]
    live = [one for one in matching if one.live]
    if len(live) == 1:
        return live[0]
    if live:
        names = ", ".join(f"`/{word} {one.target.environment} {one.target.stack}`" for one in live)
        raise Refusal(
            "which-approval", f"#{pull.number} has {len(live)} pending approvals.", f"Run one of {names}."
        )
    if matching:
        return matching[0]
    where = f" for `{env}`" if env else ""
    raise Refusal(
        "no-approval",
        f"#{pull.number} has no pending approval{where}.",
        f"Run `/apply {env or '<env>'}` to request one.",
    )
