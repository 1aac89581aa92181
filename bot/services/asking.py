"""Before an apply: the plan that nobody has read yet, and the consent that is missing."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.answers import Refused
from bot.domain.approval import Approval
from bot.domain.people import Actor
from bot.domain.ports.forge import PullRequest
from bot.domain.promotion import WAITING, Promoted
from bot.domain.results import Result
from bot.domain.run import Origin
from bot.domain.target import Target
from bot.services import approving, planning
from bot.services.context import Context
from bot.services.judging import facts, look
from bot.services.promoting import may_plan
from bot.services.targets import Ground


@dataclass(frozen=True)
class Wish:
    """How an apply is asked for. when_approved: by itself, as soon as its gates let it. forced: the reason of a
    break-glass, by somebody whom the policy names (the caller has seen to that)."""

    when_approved: bool = False
    forced: str = ""


def plan_first(
    context: Context,
    pull: PullRequest,
    stand: Ground,
    targets: list[Target],
    actor: Actor,
    origin: Origin,
    wish: Wish,
) -> Result:
    """Make the plans that are missing; where consent is needed, ask for it with them."""
    for target in targets:
        if no := may_plan(context, pull, stand, target, actor) or _hopeless(
            context, pull, stand, target, wish
        ):
            return no
    environments = {target: stand.policy.environments[target.environment] for target in targets}
    terms = {
        target: approving.Terms() if wish.forced else approving.terms(context, pull, stand, target, actor)
        for target in environments
    }
    with context.store.read() as tables:
        going = {
            target: run
            for target in targets
            for run in tables.runs.active(target=target, pull=pull.number, kind="plan")
        }
    if missing := [target for target in targets if target not in going]:
        seed = origin.id
        started = planning.request(context, pull, missing, stand.base_tip, actor, origin, seed)
        going |= {run.target: run for run in started.runs}
    opened = []
    for target, environment in environments.items():
        if environment.consent is None or wish.forced:
            continue
        with context.store.begin() as tables:
            tables.locks.alone(target)
            plan = tables.plans.get(going[target].id)
            row = tables.runs.get(going[target].id)
            if plan is None and (row is None or not row.active):
                continue  # it came to nothing meanwhile, and says so itself
            opened.append(
                approving.open_in(
                    context,
                    tables,
                    pull,
                    environment,
                    target,
                    actor,
                    origin,
                    terms[target],
                    run_id=going[target].id,
                    plan=plan,
                    when_approved=wish.when_approved,
                )
            )
    if opened:
        return asked(context, opened)
    names = ", ".join(f"`{target}`" for target in targets)
    force = " --force <reason>" if wish.forced else ""
    commands = " or ".join(
        f"`/apply {target.environment}{force}`" for target in {t.environment: t for t in targets}.values()
    )
    return Refused(
        "unread",
        f"Nobody has read a plan for {names} yet; one is being made now.",
        f"Read it, then comment {commands} again.",
    )


def _hopeless(
    context: Context, pull: PullRequest, stand: Ground, target: Target, wish: Wish
) -> Refused | None:
    """What would be refused whatever the plan says is said before a plan sees the environment's secrets."""
    seen = look(context, pull, stand, target, None, forced=wish.forced)
    with context.store.read() as tables:
        found = facts(context, tables, pull, stand, target, None, seen, forced=wish.forced)
    no = Promoted().check(found)
    return no if isinstance(no, Refused) and no.code not in WAITING else None


def asked(context: Context, opened: list[Approval]) -> Result:
    """What the asker is told: the first of them; the status shows all."""
    for approval in opened:
        approving.call(context, approval)
    shown = approving.asking(context, opened[0].id)
    return shown or Refused("unapproved", f"{opened[0].target} needs approval.")
