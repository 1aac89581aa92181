"""How things stand: collected from rows for the status comment, the card, the checks and `/status`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.gates import ApplyFacts, command, staleness
from bot.domain.policy import Policy, Stack
from bot.domain.ports.forge import PullRequest
from bot.domain.results import Refused, Status, TargetStatus
from bot.domain.run import Plan
from bot.domain.target import Target
from bot.services.applying import glance
from bot.services.context import Context
from bot.services.targets import (
    GLANCE,
    Ground,
    base_tip,
    default_policy,
    ground,
    moved_by_stack,
    parsed_policy_note,
    touched,
)


def of_pull(context: Context, pull: PullRequest) -> Status:
    """The targets that a pull request concerns, each with plan, lock, run and next command."""
    stand = ground(context, pull, GLANCE)
    if isinstance(stand, Refused):
        notes = [f"{stand.fact} {stand.next_step}".strip()]
        if stand.code == "no-policy":
            notes.append(parsed_policy_note(context, pull, base_tip(context, pull, GLANCE)))
        return Status(pull.repository, (), pull, tuple(filter(None, notes)), context.now())
    targets = [
        stand.policy.target(pull.repository, stack.name, env.name, pull.number)
        for stack in _concerned(context, pull, stand)
        for env in stand.policy.environments_of(stack)
    ]
    notes = [parsed_policy_note(context, pull, stand.base_tip)]
    if pull.from_fork:
        with context.store.read() as tables:
            trusted = tables.pulls.trusted(pull.repository, pull.number, pull.head_sha)
        notes.append(
            "From a fork: planned without secrets, and never applied from here."
            if trusted
            else "From a fork: not planned until somebody with the `write` role has read it and comments `/plan`."
        )
    if not targets:
        notes.append("This pull request touches no stack.")
    stacks = {target.stack for target in targets}
    behind = (
        moved_by_stack(context, pull, stand, stacks)
        if pull.state == "open"
        else {stack: [] for stack in stacks}
    )
    rows = tuple(one(context, target, stand.policy, pull, behind[target.stack]) for target in targets)
    links = {run.id: context.link(run.id) for row in rows for run in (row.run, row.busy) if run is not None}
    return Status(pull.repository, rows, pull, tuple(filter(None, notes)), context.now(), links)


def _concerned(context: Context, pull: PullRequest, stand: Ground) -> list[Stack]:
    """The stacks it touches; once it is merged its base has all of it, so then those that it was planned for."""
    if pull.state == "open":
        return touched(context, pull, stand)
    with context.store.read() as tables:
        return [
            stack
            for stack in stand.policy.stacks.values()
            if any(
                tables.runs.newest(
                    stand.policy.target(pull.repository, stack.name, env.name, pull.number), pull=pull.number
                )
                for env in stand.policy.environments_of(stack)
            )
        ]


def of_repository(context: Context, repository: str) -> Status:
    """Every target that exists once, whoever changes it next."""
    policy = default_policy(context, repository, GLANCE)
    if policy is None:
        return Status(repository, (), notes=("There is no policy yet.",), now=context.now())
    rows = tuple(
        one(context, policy.target(repository, stack.name, env.name, 0), policy, None)
        for stack in policy.stacks.values()
        for env in policy.environments_of(stack)
        if not env.instance
    )
    return Status(repository, rows, now=context.now())


def one(
    context: Context, target: Target, policy: Policy, pull: PullRequest | None, behind: Sequence[str] = ()
) -> TargetStatus:
    """One target as it stands for that pull request (or for nobody in particular). `behind`: paths of its stack that
    the base branch has changed and the pull request does not have."""
    environment = policy.environments[target.environment]
    number = pull.number if pull else 0
    with context.store.read() as tables:
        plan = tables.plans.newest(target, number) if pull else None
        run = tables.runs.newest(target, pull=number) if pull else None
        busy = next(iter(tables.runs.active(target=target, kind="apply")), None)
        lock = tables.locks.get(target)
        waiters = tuple(tables.locks.waiters(target))
        release = tables.releases.newest(target)
    if lock is not None and lock.expired(context.now()):
        lock = None
    stale = _stale(context, target, policy, pull, plan, behind)
    row = TargetStatus(
        target=target,
        environment=environment,
        pull=number,
        plan=plan,
        stale=stale,
        run=run,
        busy=busy,
        lock=lock,
        waiters=waiters,
        release=release,
        over=pull is not None and pull.state != "open",
    )
    return replace(row, next_step=_next(row, pull, behind))


def _stale(
    context: Context,
    target: Target,
    policy: Policy,
    pull: PullRequest | None,
    plan: Plan | None,
    behind: Sequence[str],
) -> str:
    if pull is None or plan is None or plan.status != "fresh" or pull.state != "open":
        return ""
    if plan.commit != pull.head_sha:
        return f"of `{plan.commit[:7]}`, not of the head"
    why = staleness(
        ApplyFacts(
            pull=pull,
            target=target,
            environment=policy.environments[target.environment],
            plan=plan,
            lock=None,
            now=context.now(),
            engine=context.terraform.engine.identity,
            policy=policy.digest(target.stack, target.environment),
            moved=behind,
            state=glance(context, target, plan),
        ),
        plan,
    )
    return why[1] if why else ""


def _next(row: TargetStatus, pull: PullRequest | None, behind: Sequence[str]) -> str:
    """The command that leads on from here; nothing while somebody works or holds the target, or git must come first."""
    if pull is None or pull.state != "open" or (row.run is not None and row.run.active) or behind:
        return ""
    plan = row.plan
    if plan is None:
        return command("plan", row.target) if row.environment.on_pull_request else ""
    if plan.status == "applied":
        return ""
    if row.stale or plan.status != "fresh":
        return command("plan", row.target)
    if row.environment.guarded or pull.from_fork:
        return ""  # what would be refused is not offered
    free = row.lock is None or row.lock.admits(pull.number)
    return command("apply", row.target) if plan.has_changes and free else ""
