"""Limit the requests for plans, by person and by pull request. Counted in the database, so for all workers together."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.actors import Actor
from bot.domain.plans import PlanUse, next_allowed
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refusal
from bot.services.context import Context, stable_id


def count_request(
    context: Context, tables: Tables, pull: PullRequest, actor: Actor, seed: str, again: str
) -> None:
    """Count a request, once for each seed. Raises Refusal "too-many-plans" if it is one too many.

    A push is nobody's request: it counts for its pull request alone. again: the command that repeats the request.
    """
    limits, now, login = context.plan_limits, context.now(), actor.login.lower()
    use = PlanUse(stable_id(seed, pull.repository, pull.number), pull.repository, pull.number, login, now)
    if not tables.plan_uses.add(use):
        return
    if login:
        times = tables.plan_uses.by(login, limits.per_person + 1)[1:]
        if free := next_allowed(times, limits.per_person, now):
            who = f"@{actor.login}"
            raise _refusal(f"{who} requested plans {limits.per_person} times within an hour", again, free)
    times = tables.plan_uses.of_pull(pull.repository, pull.number, limits.per_pull + 1)[1:]
    if free := next_allowed(times, limits.per_pull, now):
        raise _refusal(f"#{pull.number} was planned {limits.per_pull} times within an hour", again, free)


def limit_note(context: Context, pull: PullRequest) -> str:
    """Return a note for a pull request that is not planned again for now; "" for all others."""
    limits = context.plan_limits
    with context.store.read() as tables:
        times = tables.plan_uses.of_pull(pull.repository, pull.number, limits.per_pull)
    free = next_allowed(times, limits.per_pull, context.now())
    if free is None:
        return ""
    refusal = _refusal(f"#{pull.number} was planned {limits.per_pull} times within an hour", "/plan", free)
    return str(refusal)


def _refusal(fact: str, again: str, free: datetime) -> Refusal:
    minute = free + timedelta(seconds=59)  # rounded up
    return Refusal("too-many-plans", f"{fact}, which is the limit.", f"Run `{again}` at {minute:%H:%M} UTC.")
