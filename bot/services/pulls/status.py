"""The status of a pull request's targets, read from rows for the status comment, card, checks and `/status`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.chat import Status, TargetStatus
from bot.domain.drift import Drift
from bot.domain.gates import ApplyFacts, first_unapplied, refuse_stale
from bot.domain.policy import Policy, Stack, freeze_at
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.previews import preview_command
from bot.domain.refusal import Refusal
from bot.domain.release import Release
from bot.domain.run import Plan, Run
from bot.domain.states import StateVersion
from bot.domain.sync import FAILED, Sync
from bot.domain.target import Target, command
from bot.services.applies import recorded_state
from bot.services.context import Context
from bot.services.holds import held_back
from bot.services.order import outdated_inputs, upstreams_of
from bot.services.parity import parity_notes
from bot.services.plans import limit_note
from bot.services.pulls.gate_status import before, gate_status, next_step
from bot.services.pulls.new_providers import new_provider_warnings
from bot.services.states import backend_change_notes, unsaved_notes
from bot.services.targets import (
    GLANCE,
    UNREAD,
    PullContext,
    base_tip,
    changed_on_base_by_stack,
    concerned_stacks,
    default_policy,
    load_pull_context,
    policy_change_note,
)

SYNCS = 50
"""Latest syncs of a target among which that of a pull request is looked for."""


def pull_status(context: Context, pull: PullRequest) -> Status:
    """Return the targets that a pull request affects, each with its plan, lock, run and next command."""
    if context.sights is None:
        return _look(context, pull)
    if pull not in context.sights:
        context.sights[pull] = _look(context, pull)
    return context.sights[pull]


def _look(context: Context, pull: PullRequest) -> Status:
    try:
        return _read(context, pull)
    except Refusal as refusal:
        if refusal.code not in UNREAD:
            raise
        return Status(pull.repository, (), pull, (str(refusal),), context.now(), unread=True)


def _read(context: Context, pull: PullRequest) -> Status:
    try:
        pull_context = load_pull_context(context, pull, GLANCE)
    except Refusal as refusal:
        if refusal.code in UNREAD:
            raise
        notes = [str(refusal)]
        if refusal.code == "no-policy":
            notes.append(policy_change_note(context, pull, base_tip(context, pull, GLANCE)))
        return Status(pull.repository, (), pull, tuple(filter(None, notes)), context.now())
    targets = pull_context.policy.in_order(
        pull_context.policy.target(pull.repository, stack.name, env.name, pull.number)
        for stack in _concerned(context, pull_context)
        for env in pull_context.policy.environments_of(stack)
    )
    notes = [policy_change_note(context, pull, pull_context.base_tip)]
    notes += [limit_note(context, pull)] if pull.state == "open" else []
    notes += [*backend_change_notes(context, pull_context), *unsaved_notes(context, targets)]
    notes += parity_notes(context, pull_context)
    if pull.from_fork:
        notes.append("From a fork: planned without secrets, never applied.")
    if not targets:
        notes.append("This pull request touches no stack.")
    stacks = {target.stack for target in targets}
    behind = (
        changed_on_base_by_stack(context, pull_context, stacks)
        if pull.state == "open"
        else {stack: [] for stack in stacks}
    )
    rows = _rows(context, targets, pull_context.policy, pull, behind)
    links = {
        run.id: context.link(run.id) for row in rows for run in (row.run, row.active_run) if run is not None
    }
    concerned = [stack for name, stack in pull_context.policy.stacks.items() if name in stacks]
    plans = [row.plan for row in rows]
    warnings = new_provider_warnings(context, pull, pull_context.policy, concerned, plans)
    pages = {row.plan.id: page for row in rows if row.plan and (page := context.plan_page(row.plan))}
    return Status(
        pull.repository,
        rows,
        pull,
        tuple(filter(None, notes)),
        context.now(),
        links,
        plans=pages,
        warnings=warnings,
    )


def _concerned(context: Context, pull_context: PullContext) -> list[Stack]:
    """Return the stacks that it touches; after the merge, when nothing differs any more, those that it was planned for."""
    pull = pull_context.pull
    if pull.state == "open":
        return concerned_stacks(context, pull_context)
    with context.store.read() as tables:
        return [
            stack
            for stack in pull_context.policy.stacks.values()
            if any(
                tables.syncs.of_pull([target], pull.number, SYNCS)
                for target in pull_context.policy.lasting_targets(pull.repository)
                if target.stack == stack.name
            )
            or any(
                tables.runs.newest(
                    pull_context.policy.target(pull.repository, stack.name, env.name, pull.number),
                    pull=pull.number,
                )
                for env in pull_context.policy.environments_of(stack)
            )
        ]


def repository_status(context: Context, repository: str) -> Status:
    """Return the status of a repository's targets, without those of pull requests."""
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


def target_status(context: Context, target: Target, policy: Policy, pull: PullRequest) -> TargetStatus:
    """Return the status of one target for a pull request."""
    return _rows(context, [target], policy, pull, {})[0]


def _rows(
    context: Context,
    targets: Sequence[Target],
    policy: Policy,
    pull: PullRequest | None,
    behind: Mapping[str, Sequence[str]],
) -> tuple[TargetStatus, ...]:
    """Return the statuses of targets of one repository, in their order, for a pull request or for none.

    behind: by stack, the paths that changed on the base branch and that the pull request does not have. The number of
    queries does not grow with that of the targets.
    """
    if not targets:
        return ()
    number, repository = pull.number if pull else 0, targets[0].repository
    upstream = {one for target in targets for one in policy.upstream(target)}
    with context.store.read() as tables:
        plans = tables.plans.newest_of({*targets, *upstream}, number) if pull else {}
        runs = tables.runs.newest_of(targets, pull=number) if pull else {}
        busy = tables.runs.applies(repository)
        locks = {lock.target: lock for lock in tables.locks.all(repository)}
        waiting = set(tables.locks.waiting()).intersection(targets)
        waiters = {target: tuple(tables.locks.waiters(target)) for target in waiting}
        releases = tables.releases.newest_of(targets)
        holds = {hold.target: hold for hold in tables.holds.of_repository(repository)}
        unsaved = {state.target: state for state in reversed(tables.unsaved.open(targets))}
        reverts = tables.runs.known(there.run_id for there in releases.values() if there.reverts)
        drifts, checks = tables.drifts.newest_of(targets), tables.runs.drift_checks_of(targets)
        instances = tables.instances.of_targets(target for target in targets if target.instance)
        states = tables.states.newest_of([target.key for target in plans])
        syncs = _syncs(tables, targets, pull, plans)
        waits = [run for run in runs.values() if run.after]
        awaited = tables.runs.known(run_id for run in waits for run_id in run.after)
        outdated = outdated_inputs(context, tables, plans.values())
        stands_before = before(tables, policy, targets, number)
    now, touched = context.now(), {target.stack for target in targets}
    found = []
    for target in targets:
        lock, gone_by = locks.get(target), () if target.instance else behind.get(target.stack, ())
        plan, there, run = plans.get(target), releases.get(target), runs.get(target)
        row = TargetStatus(
            target=target,
            environment=policy.environments[target.environment],
            pull=number,
            plan=plan,
            stale=_stale(
                context,
                policy,
                pull,
                plan,
                PlanChanges(gone_by, states.get(target.key), outdated.get(target, ())),
            ),
            run=run,
            active_run=busy.get(target),
            lock=None if lock is None or lock.expired(now) else lock,
            waiters=waiters.get(target, ()),
            release=there,
            hold=holds.get(target),
            reverted=_undone(plan, there, reverts.get(there.run_id) if there else None),
            unsaved=unsaved.get(target),
            drift=_drift(there, drifts.get(target)),
            drift_check=checks.get(target),
            instance=instances.get(target),
            after=tuple(one.target for key in run.after if (one := awaited.get(key))) if run else (),
            first=_first(policy, target, pull, plans, touched),
            pull_closed=pull is not None and pull.state != "open",
            sync=syncs.get(target),
        )
        row = gate_status(context, row, policy, pull, stands_before)
        step = _next(row, policy, pull, gone_by, now, held=_held(context, row, pull))
        if row.first and step in (command("apply", target), "" if plan else command("plan", target)):
            step = ""  # another stack comes first
        found.append(replace(row, next_step=step))
    return tuple(found)


def _syncs(
    tables: Tables, targets: Sequence[Target], pull: PullRequest | None, plans: Mapping[Target, Plan]
) -> dict[Target, Sync]:
    """Return how the targets of a merged pull request compare with the default branch, unless it was reverted there since."""
    if pull is None or pull.state != "merged":
        return {}
    found = tables.syncs.of_pull(targets, pull.number, SYNCS)
    later = {
        target
        for target, sync in found.items()
        if (plan := plans.get(target)) and plan.reverts and plan.created_at > sync.created_at
    }
    return {target: sync for target, sync in found.items() if target not in later}


def _undone(plan: Plan | None, there: Release | None, revert: Run | None) -> bool:
    """Whether the active release is a revert of what was applied with `plan`."""
    if plan is None or there is None or revert is None or plan.status != "applied" or plan.reverts:
        return False
    return plan.digest != there.plan_digest and revert.base_commit == plan.commit != there.commit


def _drift(release: Release | None, found: Drift | None) -> Drift | None:
    """Return the drift of the active release; none after a later apply, until the next drift check."""
    if release is None or found is None or found.clean or not release.active:
        return None
    return found if found.release_id == release.id else None


def _first(
    policy: Policy,
    target: Target,
    pull: PullRequest | None,
    plans: Mapping[Target, Plan],
    touched: Collection[str],
) -> Target | None:
    """Return what has to be applied before `target`, unless that is applied already."""
    plan = plans.get(target)
    if (
        pull is None
        or pull.state != "open"
        or (plan is not None and (plan.reverts or plan.status == "applied"))
    ):
        return None
    found = first_unapplied(pull.head_sha, upstreams_of(policy, target, plans, touched))
    return found.target if found else None


@dataclass(frozen=True)
class PlanChanges:
    """What may have changed since a plan was made. behind: paths on the base branch. state: there now. inputs: those that
    have another value."""

    behind: Sequence[str]
    state: StateVersion | None
    inputs: tuple[str, ...]


def _stale(
    context: Context,
    policy: Policy,
    pull: PullRequest | None,
    plan: Plan | None,
    changes: PlanChanges,
) -> str:
    if pull is None or plan is None or plan.status != "fresh" or pull.state != "open":
        return ""
    if plan.commit != pull.head_sha and not plan.reverts:
        return f"plan is for `{plan.commit[:7]}`, not the latest commit"
    target = plan.target
    refusal = refuse_stale(
        ApplyFacts(
            pull=pull,
            target=target,
            environment=policy.environments[target.environment],
            plan=plan,
            lock=None,
            now=context.now(),
            engine=context.terraform.engine.identity,
            policy=policy.digest(target.stack, target.environment),
            base_changes=changes.behind,
            state=recorded_state(plan, changes.state),
            outdated_inputs=changes.inputs,
        ),
        plan,
    )
    return refusal.fact if refusal else ""


def _next(
    row: TargetStatus,
    policy: Policy,
    pull: PullRequest | None,
    behind: Sequence[str],
    now: datetime,
    *,
    held: bool,
) -> str:
    """Return the next command, which buttons offer too, but none that would surely be refused: "" while a run is active,
    while somebody else holds the target, or if git has to change first."""
    plan, guarded = row.plan, row.environment.guarded
    if pull is None or (row.run is not None and row.run.active):
        return ""
    if row.sync is not None and row.unsaved is None:
        return _after_merge(row, row.sync)
    if (pull.state != "open" or behind) and not row.revert_pending:
        return ""
    if row.instance is not None and row.instance.wanted == "gone":
        return preview_command("down" if row.instance.leaked else "up", row.target) if _by_hand(row) else ""
    if row.environment.sleep.command and row.instance is not None and row.instance.half_asleep:
        return preview_command("wake" if row.instance.wanted == "up" else "sleep", row.target)
    free = row.lock is None or row.lock.admits(pull.number)
    replan = "" if freeze_at(row.environment.windows, "plan", now) else command("plan", row.target)
    if row.unsaved is not None:
        admitted = row.lock is None or row.lock.admits(row.unsaved.pull)
        return command("push-state", row.target) if admitted else ""
    if plan is None:
        if guarded:
            return "" if pull.from_fork else next_step(row)
        return replan if row.environment.on_pull_request else ""
    if plan.status == "applied":
        if not _well(row):
            # After a failed revert another release may be better; a plan would go forward again.
            return command("history", row.target) if plan.reverts else replan
        gone = (plan.reverts or row.reverted) and row.hold is None  # and it may be applied again
        return replan if gone else ""
    if row.stale or plan.status != "fresh":
        return command("revert", row.target) if row.revert_pending else replan
    if held:
        return command("unhold", row.target)
    if plan.reverts:
        return _back(row, plan) if free else ""
    if pull.from_fork or not free:
        return ""
    if row.applies_itself or (not plan.has_changes and not _awaited(row, policy, pull)):
        return ""
    return next_step(row) if guarded else command("apply", row.target)


def _by_hand(row: TargetStatus) -> bool:
    """Whether only people bring the instance on: it was taken down by one, or could not be destroyed."""
    return row.instance is not None and (row.instance.leaked or row.instance.kept_down)


def _after_merge(row: TargetStatus, sync: Sync) -> str:
    """Return the next command for a plan of the default branch, "" where nothing or only time helps."""
    state = row.approval_state
    if sync.status == "approval" and state is not None and state.approval.live:
        return "" if state.missing.complete else command("approve", row.target)
    if sync.status == "differs" and row.plan is not None and row.plan.sync and row.plan.status == "fresh":
        return command("apply", row.target)
    return command("plan", row.target) if sync.status in (*FAILED, "cancelled", "differs") else ""


def _back(row: TargetStatus, plan: Plan) -> str:
    """Return the next command for a revert's plan: losses must be counted, and need approval in every environment."""
    step = next_step(row) if row.environment.guarded or plan.losses else command("apply", row.target)
    if step != command("apply", row.target):
        return step
    return command("revert", row.target) + (f" --losing {len(plan.losses)}" if plan.losses else "")


def _held(context: Context, row: TargetStatus, pull: PullRequest | None) -> bool:
    """Whether a hold keeps the latest commit out, or the one that a revert's plan goes back to."""
    if row.hold is None or pull is None:
        return False
    commit = row.plan.commit if row.plan and row.plan.reverts else pull.head_sha
    if pull.from_fork and commit == pull.head_sha:  # never applied, and may not be in the mirror
        return False
    return held_back(context, row.hold, commit) is not None


def _well(row: TargetStatus) -> bool:
    """Whether the release of this plan is active and its smoke checks passed."""
    there = row.release
    if there is None or row.plan is None or there.plan_digest != row.plan.digest:
        return True  # another release is active: its checks do not concern this plan
    return there.verified or there.verification == "running"


def _awaited(row: TargetStatus, policy: Policy, pull: PullRequest) -> bool:
    """Whether another environment waits for a release of this commit here, though its plan has no changes."""
    if not any(env.promote_from == row.environment.name for env in policy.environments.values()):
        return False
    return row.release is None or row.release.commit != pull.head_sha or not row.release.active
