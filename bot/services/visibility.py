"""Whether the author of a command could see what it would act on; see bot.domain.visibility for the rule."""

from __future__ import annotations

from bot.domain.gates import refuse_pushed
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refused
from bot.domain.run import Origin, Plan
from bot.domain.visibility import was_visible
from bot.errors import TransientError
from bot.services.context import Context


def await_publication(context: Context, plan: Plan, origin: Origin) -> None:
    """Raise TransientError while a plan is just being shown where the request was made: it may be visible already, and
    that not be recorded yet. A surface that failed is not waited for."""
    if plan.visible_since(origin) is not None:
        return
    where = f"{plan.target.repository}#{plan.pull}"
    ids = [f"status:{where}", f"check:{plan.target.key}#{plan.pull}"]
    with context.store.read() as tables:
        surfaces = [
            tables.surfaces.get(one) for one in (*ids, *([f"card:{where}"] if origin.channel else []))
        ]
    if any(one is not None and one.due_at is not None and not one.error for one in surfaces):
        raise TransientError("the plan is just being shown", retry_after=0.5)


def refuse_unseen_head(context: Context, pull: PullRequest, origin: Origin, again: str) -> Refused | None:
    """Refuse a command that was written before the pull request's latest commit was pushed. again: the command to run
    after reading that."""
    written = origin.written_at
    if written is None:
        return None
    with context.store.read() as tables:
        seen = tables.pulls.head_seen(pull.repository, pull.number, pull.head_sha)
    return None if was_visible(seen, written) else refuse_pushed(pull.head_sha, again)
