"""Applies: exactly the plan that was read, at exactly that commit, once; and with the consent that its target needs."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.answers import Refused
from bot.domain.approval import Approval
from bot.domain.gates import APPLY, ApplyFacts, ask, claimed
from bot.domain.lock import Lock, Waiter
from bot.domain.people import Actor
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.promotion import PROMOTION, UNASKED, WAITING, Approved, NotFrozen, Promoted
from bot.domain.results import Result, Started
from bot.domain.run import Origin, Plan, Run
from bot.domain.target import Target
from bot.services import approving, hearing
from bot.services.approving import Terms
from bot.services.asking import Wish, asked, plan_first
from bot.services.auditing import record, record_run
from bot.services.context import Context, show_pull, show_run, stable_id
from bot.services.going_back import plan_is_revert
from bot.services.judging import facts, look
from bot.services.targets import Ground, ground


def request(
    context: Context,
    pull: PullRequest,
    stand: Ground,
    targets: list[Target],
    actor: Actor,
    origin: Origin,
    wish: Wish | None = None,
    *,
    again: bool = False,
) -> Result:
    """Claim the targets for the pull request and queue an apply of each one's plan; or ask for the consent that is
    missing; or say why not.

    Without any plan, one is made and shown, and the apply waits for a second request or for consent: nobody has read
    it yet. All targets or none: a refusal of one stops the others before anything is claimed. again: consent was just
    asked for, and was there already in reviews that were given after the plan.
    """
    wish = wish or Wish()
    with context.store.read() as tables:
        plans = {target: tables.plans.newest(target, pull.number) for target in targets}
        waiting = [one for target in targets if (one := tables.approvals.live(target, pull.number))]
        seen_before = [run for target in targets if (run := tables.runs.get(run_id(origin, target)))]
    if seen_before:
        return Started(tuple(seen_before), {})
    if unplanned := [target for target, plan in plans.items() if _unplanned(pull, stand, target, plan)]:
        return _taken(context, pull, stand, unplanned, actor, wish) or plan_first(
            context, pull, stand, unplanned, actor, origin, wish
        )
    seen = {
        target: look(context, pull, stand, target, plan, forced=wish.forced) for target, plan in plans.items()
    }
    if not wish.forced and (no := _rejected(context, waiting)):
        return no
    terms = {
        target: Terms()
        if wish.forced  # nobody is asked, so that nothing about whom to ask stands in a break-glass's way
        else approving.terms(context, pull, stand, target, actor)
        for target in targets
    }
    opened: list[Approval] = []
    queued: list[tuple[Run, Run | None]] = []
    try:
        with context.store.begin() as tables:
            tables.locks.alone(*targets)
            found = {}
            for target in targets:
                plan = plans[target] = tables.plans.newest(target, pull.number)
                found[target] = facts(
                    context,
                    tables,
                    pull,
                    stand,
                    target,
                    plan,
                    seen[target],
                    asked=origin.asked,
                    forced=wish.forced,
                )
                no = (
                    plan_is_revert(plan, target) or ask(APPLY, found[target]) or _not_yet(found[target], wish)
                )
                if no is not None:
                    return refused(context, tables, no, target, pull, actor)
            if any(ask(PROMOTION, one) for one in found.values()):
                opened = [
                    approving.open_in(
                        context,
                        tables,
                        pull,
                        one.environment,
                        target,
                        actor,
                        origin,
                        terms[target],
                        run_id=one.plan.run_id,
                        plan=one.plan,
                        when_approved=wish.when_approved,
                    )
                    for target, one in found.items()
                    if one.plan is not None and ask(PROMOTION, one)
                ]
            else:
                queued = [
                    queue(context, tables, stand, found[target], actor, origin, wish) for target in targets
                ]
    except Lost as lost:
        with context.store.begin() as tables:
            return refused(
                context, tables, claimed(lost.lock, lost.lock.target), lost.lock.target, pull, actor
            )
    if opened:
        if not again and all(_complete(context, approval) for approval in opened):
            return request(context, pull, stand, targets, actor, origin, wish, again=True)
        return asked(context, opened)
    context.work.wake()
    context.poke()
    return Started(tuple(run for run, _ in queued), {run.target.key: busy for run, busy in queued if busy})


def _unplanned(pull: PullRequest, stand: Ground, target: Target, plan: Plan | None) -> bool:
    """Whether a plan of the head has to be made first: there is none, and where pushes are not planned by themselves
    one of an older head, or of a revert, is none."""
    if plan is None:
        return True
    other = plan.commit != pull.head_sha or bool(plan.reverts)
    return other and not stand.policy.environments[target.environment].on_pull_request


def _taken(
    context: Context, pull: PullRequest, stand: Ground, targets: list[Target], actor: Actor, wish: Wish
) -> Refused | None:
    """Nobody is asked to consent to what another's claim refuses anyway."""
    asking = [
        one for one in targets if stand.policy.environments[one.environment].consent and not wish.forced
    ]
    if not asking:
        return None
    with context.store.begin() as tables:
        for target in asking:
            lock = tables.locks.get(target)
            if lock is not None and lock.bars(pull.number, context.now()):
                return refused(context, tables, claimed(lock, target), target, pull, actor)
    return None


def _not_yet(found: ApplyFacts, wish: Wish) -> Refused | None:
    """What stops this request for good: a missing consent is asked for instead, and time is waited for by those who
    said so, or while people are being asked anyway."""
    asks = isinstance(no := Approved().check(found), Refused)
    if isinstance(no, Refused) and no.code not in UNASKED:
        return no
    for gate in (Promoted(), NotFrozen()):
        answer = gate.check(found)
        if isinstance(answer, Refused) and not (answer.code in WAITING and (asks or wish.when_approved)):
            return answer
    return None


def _rejected(context: Context, waiting: list[Approval]) -> Refused | None:
    """A review that only this look at GitHub brought up has stopped what waited: that is the answer to this request, and
    not another question."""
    with context.store.read() as tables:
        now = [tables.approvals.get(one.id) for one in waiting]
    return next(
        (over for one in now if one and one.status == "rejected" and (over := approving.over(one))), None
    )


def _complete(context: Context, approval: Approval) -> bool:
    """Whether reviews that were given between the plan and the question are all that an approval needs."""
    standing = hearing.listen(context, approval) if approval.status == "open" else None
    return standing is not None and standing.missing.complete


def go_on(context: Context, approval: Approval) -> None:
    """Apply what was asked for `when-approved`, if all gates let it now; else it stays as it is, and is tried again."""
    target = approval.target
    pull = context.refresh(target.repository, approval.pull)
    stand = ground(context, pull)
    with context.store.read() as tables:
        plan = tables.plans.get(approval.run_id)
    if isinstance(stand, Refused) or plan is None:
        return
    seen = look(context, pull, stand, target, plan)
    origin = replace(approval.origin, delivery=f"approval:{approval.id}", index=0, asked=0.0)
    with context.store.read() as tables:
        while (before := tables.runs.get(run_id(origin, target))) and before.outcome == "refused":
            origin = replace(origin, index=origin.index + 1)  # what stood against it may be over
    try:
        with context.store.begin() as tables:
            tables.locks.alone(target)
            have = tables.approvals.get(approval.id)
            newest = tables.plans.newest(target, pull.number)
            if have is None or have.status != "open" or tables.runs.get(run_id(origin, target)):
                return
            found = facts(context, tables, pull, stand, target, newest, seen)
            no = ask(APPLY, found)
            if no is not None and no.code != "locked":
                approving.end(context, tables, have, "dead", f"{no.fact}")
                return
            if no is not None or ask(PROMOTION, found):
                return
            queue(context, tables, stand, found, approval.actor, origin, Wish())
    except Lost:
        return
    context.work.wake()
    context.poke()


class Lost(Exception):
    """Somebody claimed a target between the gates' look and ours: nothing of this request is kept."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(lock.target.key)
        self.lock = lock


def run_id(origin: Origin, target: Target) -> str:
    """The id of the apply that a request makes: asking twice makes one run."""
    return stable_id(origin.delivery, origin.index, target.key, "apply")


def refused(
    context: Context, tables: Tables, refusal: Refused, target: Target, pull: PullRequest, actor: Actor
) -> Refused:
    record(
        context,
        tables,
        "apply.refused",
        actor,
        target=target,
        pull=pull.number,
        commit=pull.head_sha,
        code=refusal.code,
        fact=refusal.fact,
    )
    lock = tables.locks.get(target)
    if refusal.code != "locked" or lock is None:
        return refusal
    tables.locks.wait(Waiter(target, pull.number, actor, context.now()))
    show_pull(tables, context.now(), target.repository, pull.number)
    return replace(
        refusal,
        next_step=f"{refusal.next_step} #{pull.number} is on the waiting list: it gets a fresh "
        "plan and is told when the lock is free.",
    )


def queue(
    context: Context,
    tables: Tables,
    stand: Ground,
    found: ApplyFacts,
    actor: Actor,
    origin: Origin,
    wish: Wish,
) -> tuple[Run, Run | None]:
    """Claim one target and queue its apply; also the apply that goes on there, if any. Raises Lost."""
    pull, target, plan = found.pull, found.target, found.plan
    now, life = context.now(), stand.policy.environments[target.environment].lock_expires
    wanted = Lock(
        target,
        actor,
        now,
        pull=pull.number,
        reason="apply",
        url=pull.url,
        expires_at=now + life if life else None,
    )
    have = tables.locks.take(wanted, now)
    if not have.admits(pull.number):
        raise Lost(have)
    busy = tables.runs.active(target=target, kind="apply")
    run = Run(
        id=run_id(origin, target),
        kind="apply",
        target=target,
        pull=pull.number,
        commit=plan.commit if plan and plan.reverts else pull.head_sha,
        reverts=plan.reverts if plan else "",
        base_commit=plan.base_commit if plan else "",
        actor=actor,
        origin=origin,
        plan_id=plan.id if plan else "",
        approval=found.consent.approval.id if found.consent and not wish.forced else "",
        forced=wish.forced,
        created_at=now,
    )
    tables.runs.add(run)
    context.work.enqueue(run, tables)
    record_run(context, tables, "apply.asked", run, plan=plan.digest if plan else "", forced=wish.forced)
    show_run(tables, now, run)
    return run, busy[0] if busy else None
