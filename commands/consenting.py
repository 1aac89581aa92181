"""Commands about an approval: which one is meant."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.approval import Approval
from commands.registry import Ask


def one_approval(ask: Ask, env: str | None, stack: str | None, word: str) -> Approval | Refused:
    """The approval of this pull request that waits in `env`, or the only one that waits at all."""
    pull = ask.require_pull()
    with ask.context.store.read() as tables:
        every = tables.approvals.of_pull(pull.repository, pull.number)
    asked = [
        one
        for one in every
        if (env is None or one.target.environment == env) and (stack is None or one.target.stack == stack)
    ]
    live = [one for one in asked if one.live]
    if len(live) == 1:
        return live[0]
    if live:
        names = ", ".join(f"`/{word} {one.target.environment} {one.target.stack}`" for one in live)
        return Refused("which-approval", f"{len(live)} approvals wait on #{pull.number}.", f"{names}")
    if asked:
        return asked[0]
    where = f" for `{env}`" if env else ""
    return Refused(
        "no-approval",
        f"Nobody has asked for an approval{where} on #{pull.number}.",
        f"`/apply {env or 'prod'}` asks for it.",
    )
