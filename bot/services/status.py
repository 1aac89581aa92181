"""How things stand: collected from rows for the status comment, the card, the checks and `/status`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.answers import Refused
from bot.domain.drift import Drift
from bot.domain.freeze import frozen
from bot.domain.gates import ApplyFacts, command, staleness
from bot.domain.policy import Policy, Stack
from bot.domain.ports.forge import PullRequest
from bot.domain.release import Release
from bot.domain.results import Status, TargetStatus
from bot.domain.run import Plan, Run
from bot.domain.state import StateVersion
from bot.domain.target import Target
from bot.services import moving, uploading
from bot.services.context import Context
from bot.services.guarding import before, guard, next_step
from bot.services.judging import glance, held_out
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
    if context.sights is None:
        return _look(context, pull)
    if pull not in context.sights:
        context.sights[pull] = _look(context, pull)
    return context.sights[pull]


def _look(context: Context, pull: PullRequest) -> Status:
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
    notes += [*moving.notes(context, pull, stand), *uploading.notes(context, targets)]
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
    rows = _rows(context, targets, stand.policy, pull, behind)
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
    targets = [
        policy.target(repository, stack.name, env.name, 0)
        for stack in policy.stacks.values()
        for env in policy.environments_of(stack)
        if not env.instance
    ]
    return Status(repository, _rows(context, targets, policy, None, {}), now=context.now())


def one(context: Context, target: Target, policy: Policy, pull: PullRequest) -> TargetStatus:
    """One target as it stands for that pull request."""
    return _rows(context, [target], policy, pull, {})[0]


def _rows(
    context: Context,
    targets: Sequence[Target],
    policy: Policy,
    pull: PullRequest | None,
    behind: Mapping[str, Sequence[str]],
) -> tuple[TargetStatus, ...]:
    """Targets of one repository as they stand for that pull request (or for nobody in particular), in their order.

    behind: by stack, the paths that the base branch has changed and the pull request does not have. The number of
    queries does not grow with that of the targets.
    """
    if not targets:
        return ()
    number, repository = pull.number if pull else 0, targets[0].repository
    with context.store.read() as tables:
        plans = tables.plans.newest_of(targets, number) if pull else {}
        runs = tables.runs.newest_of(targets, pull=number) if pull else {}
        busy = tables.runs.applies(repository)
        locks = {lock.target: lock for lock in tables.locks.all(repository)}
        waiting = set(tables.locks.waiting()).intersection(targets)
        waiters = {target: tuple(tables.locks.waiters(target)) for target in waiting}
        releases = tables.releases.newest_of(targets)
        holds = {hold.target: hold for hold in tables.holds.of_repository(repository)}
        unsaved = {state.target: state for state in reversed(tables.unsaved.open(targets))}
        reverts = tables.runs.known(there.run_id for there in releases.values() if there.reverts)
        drifts, looks = tables.drifts.newest_of(targets), tables.runs.looks_of(targets)
        states = tables.states.newest_of([target.key for target in plans])
        stands_before = before(tables, policy, targets, number)
    now = context.now()
    found = []
    for target in targets:
        lock, gone_by = locks.get(target), behind.get(target.stack, ())
        plan, there = plans.get(target), releases.get(target)
        row = TargetStatus(
            target=target,
            environment=policy.environments[target.environment],
            pull=number,
            plan=plan,
            stale=_stale(context, policy, pull, plan, gone_by, states.get(target.key)),
            run=runs.get(target),
            busy=busy.get(target),
            lock=None if lock is None or lock.expired(now) else lock,
            waiters=waiters.get(target, ()),
            release=there,
            hold=holds.get(target),
            undone=_undone(plan, there, reverts.get(there.run_id) if there else None),
            unsaved=unsaved.get(target),
            drift=_drift(there, drifts.get(target)),
            look=looks.get(target),
            over=pull is not None and pull.state != "open",
        )
        row = guard(context, row, policy, pull, stands_before)
        found.append(
            replace(row, next_step=_next(row, policy, pull, gone_by, now, held=_held(context, row, pull)))
        )
    return tuple(found)


def _undone(plan: Plan | None, there: Release | None, revert: Run | None) -> bool:
    """Whether the revert that stands there took back what was applied with `plan`."""
    if plan is None or there is None or revert is None or plan.status != "applied" or plan.reverts:
        return False
    return plan.digest != there.plan_digest and revert.base_commit == plan.commit != there.commit


def _drift(release: Release | None, found: Drift | None) -> Drift | None:
    """What was found of what stands there: another apply has cleared it, and the next look decides."""
    if release is None or found is None or found.clean or not release.active:
        return None
    return found if found.release_id == release.id else None


def _stale(
    context: Context,
    policy: Policy,
    pull: PullRequest | None,
    plan: Plan | None,
    behind: Sequence[str],
    state: StateVersion | None,
) -> str:
    if pull is None or plan is None or plan.status != "fresh" or pull.state != "open":
        return ""
    if plan.commit != pull.head_sha and not plan.reverts:
        return f"of `{plan.commit[:7]}`, not of the head"
    target = plan.target
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
            state=glance(plan, state),
        ),
        plan,
    )
    return why[1] if why else ""


def _next(
    row: TargetStatus,
    policy: Policy,
    pull: PullRequest | None,
    behind: Sequence[str],
    now: datetime,
    *,
    held: bool,
) -> str:
    """The command that leads on from here, which is also on buttons: what would surely be refused is not offered. Nothing
    while somebody works or holds the target, or git must come first."""
    plan, guarded = row.plan, row.environment.guarded
    if pull is None or (row.run is not None and row.run.active):
        return ""
    if (pull.state != "open" or behind) and not row.returning:
        return ""
    free = row.lock is None or row.lock.admits(pull.number)
    replan = "" if frozen(row.environment.windows, "plan", now) else command("plan", row.target)
    if row.unsaved is not None:
        admitted = row.lock is None or row.lock.admits(row.unsaved.pull)
        return command("push-state", row.target) if admitted else ""
    if plan is None:
        if guarded:
            return "" if pull.from_fork else next_step(row)
        return replan if row.environment.on_pull_request else ""
    if plan.status == "applied":
        if not _well(row):
            # Where a revert led to that another release may be better; a plan leads the other way.
            return command("history", row.target) if plan.reverts else replan
        gone = (plan.reverts or row.undone) and row.hold is None  # and it may come again
        return replan if gone else ""
    if row.stale or plan.status != "fresh":
        return command("revert", row.target) if row.returning else replan
    if plan.reverts:
        return _back(row, plan) if free else ""
    if held:
        return command("unhold", row.target)
    if pull.from_fork or not free:
        return ""
    if not plan.has_changes and not _awaited(row, policy, pull):
        return ""
    return next_step(row) if guarded else command("apply", row.target)


def _back(row: TargetStatus, plan: Plan) -> str:
    """The same for a revert's plan: what is lost must be counted, and consented to even where nothing else is."""
    step = next_step(row) if row.environment.guarded or plan.losses else command("apply", row.target)
    if step != command("apply", row.target):
        return step
    return command("revert", row.target) + (f" --losing {len(plan.losses)}" if plan.losses else "")


def _held(context: Context, row: TargetStatus, pull: PullRequest | None) -> bool:
    """Whether a hold keeps this head out."""
    return row.hold is not None and pull is not None and bool(held_out(context, row.target, pull.head_sha))


def _well(row: TargetStatus) -> bool:
    """Whether what was applied with this plan stands there, and its checks were well."""
    there = row.release
    if there is None or row.plan is None or there.plan_digest != row.plan.digest:
        return True  # another release is there by now: that is no trouble of this plan's
    return there.verified or there.verification == "running"


def _awaited(row: TargetStatus, policy: Policy, pull: PullRequest) -> bool:
    """Whether another environment waits for this commit to be released here, though it changes nothing here."""
    if not any(env.promote_from == row.environment.name for env in policy.environments.values()):
        return False
    return row.release is None or row.release.commit != pull.head_sha or not row.release.active
