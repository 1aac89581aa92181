"""Reverts: an environment goes back to a release, by a plan that people read and that is applied exactly."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.approval import Approval
from bot.domain.gates import APPLY, ApplyFacts, ask, claimed, command
from bot.domain.people import Actor
from bot.domain.ports.forge import PullRequest
from bot.domain.promotion import PROMOTION, UNASKED
from bot.domain.release import Release
from bot.domain.results import Noted, Result, Started
from bot.domain.run import Origin, Plan, Run
from bot.domain.target import Target
from bot.services import applying, approving, planning
from bot.services.asking import Wish, asked
from bot.services.context import Context
from bot.services.going_back import Back, choose
from bot.services.judging import facts, look
from bot.services.promoting import may_plan
from bot.services.targets import Ground

STALE = frozenset(["state-moved", "too-old", "policy-changed", "engine-changed"])
"""Refusals after which the way back is planned anew, and read."""
SHOWN = 10
"""Differences that are named; the rest are counted."""


def request(
    context: Context,
    pull: PullRequest,
    stand: Ground,
    target: Target,
    actor: Actor,
    origin: Origin,
    wanted: str | None,
    losing: int | None,
) -> Result:
    """Plan the way back and show it; asked again, apply exactly that plan, with the consent that it needs.

    losing: how many things the asker says are lost for good; it must be typed, and right, where there are any.
    """
    with context.store.read() as tables:
        back = choose(tables, target, wanted)
        plan = tables.plans.newest(target, pull.number)
        known = tables.runs.get(applying.run_id(origin, target))
        planned = tables.runs.get(planning.run_id(_seed(origin), target))
        to = tables.releases.get(planned.reverts) if planned else None
    if known is not None:
        return Started((known,), {})
    if to is not None:
        return _noted(to, target)  # entered again after a crash: what it asked for was to be read
    if plan is None or not _read(plan, wanted, back):
        return _plan(context, pull, stand, target, actor, origin, back)
    seen = look(context, pull, stand, target, plan)
    environment = stand.policy.environments[target.environment]
    terms = approving.terms(context, pull, stand, target, actor, back=plan)
    opened: list[Approval] = []
    queued: list[tuple[Run, Run | None]] = []
    try:
        with context.store.begin() as tables:
            tables.locks.alone(target)
            newest = tables.plans.newest(target, pull.number)
            found = facts(context, tables, pull, stand, target, newest, seen, asked=origin.asked)
            counted = _counted(found, losing)
            wrong = counted if losing is not None else None  # nobody is asked to consent to a miscount
            no = ask(APPLY, found) or wrong or ask(PROMOTION, found) or counted
            if no is not None and no.code not in STALE | UNASKED:
                return applying.refused(context, tables, no, target, pull, actor)
            if no is not None and no.code in UNASKED:
                opened.append(
                    approving.open_in(
                        context,
                        tables,
                        pull,
                        environment,
                        target,
                        actor,
                        origin,
                        terms,
                        run_id=plan.run_id,
                        plan=plan,
                        when_approved=False,
                    )
                )
            elif no is None:
                queued.append(applying.queue(context, tables, stand, found, actor, origin, Wish()))
    except applying.Lost as lost:
        with context.store.begin() as tables:
            return applying.refused(context, tables, claimed(lost.lock, target), target, pull, actor)
    if opened:
        return asked(context, opened)
    if not queued:
        return _plan(context, pull, stand, target, actor, origin, back)
    context.work.wake()
    context.poke()
    run, busy = queued[0]
    return Started((run,), {target.key: busy} if busy else {})


def _read(plan: Plan, wanted: str | None, back: Back | Refused) -> bool:
    """Whether this is the plan that was shown: of the release that is named now, or, where none is, of any."""
    named = isinstance(back, Back) and plan.reverts == back.to.id
    return plan.status == "fresh" and bool(plan.reverts) and (named or wanted is None)


def _plan(
    context: Context,
    pull: PullRequest,
    stand: Ground,
    target: Target,
    actor: Actor,
    origin: Origin,
    back: Back | Refused,
) -> Result:
    if isinstance(back, Refused):
        return back
    if no := may_plan(context, pull, stand, target, actor):
        return no
    planning.request(context, pull, [target], stand.base_tip, actor, origin, _seed(origin), back=back)
    return _noted(back.to, target)


def _seed(origin: Origin) -> str:
    return f"{origin.id}:revert"


def _noted(to: Release, target: Target) -> Noted:
    number = f" of #{to.pull}" if to.pull else ""
    return Noted(
        f"The way back of {target} to `{to.commit[:7]}`{number} (release `{to.id[:8]}`, serial {to.serial}) is being "
        "planned.",
        f"Read it, then `{command('revert', target)}` again applies exactly that; its row says what else that needs.",
    )


def _counted(found: ApplyFacts, losing: int | None) -> Refused | None:
    """What is lost for good is counted by whoever asks."""
    losses = found.plan.losses if found.plan else ()
    if not losses or losing == len(losses):
        return None
    named = ", ".join(f"`{one}`" for one in losses[:SHOWN])
    more = f" and {len(losses) - SHOWN} more" if len(losses) > SHOWN else ""
    return Refused(
        "losses",
        f"This revert loses the data of {len(losses)} resource{'s' if len(losses) > 1 else ''} for good: {named}{more}.",
        f"`{command('revert', found.target)} --losing {len(losses)}` says that you know.",
    )
