"""Record what an apply leaves: a state version, a release, and the end of its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.policy import PATH, Policy
from bot.domain.ports.state import Author
from bot.domain.ports.terraform import Backend, CommandResult, WorkDir
from bot.domain.release import Release, Verification
from bot.domain.run import Outcome, Plan, Run, name_unfinished
from bot.domain.sanitize import outside
from bot.domain.states import LockInfo, StateInfo
from bot.domain.target import command
from bot.domain.why import Reason
from bot.errors import TransientError, UserError
from bot.services.audit import record_run
from bot.services.context import Context, show_pull, stable_id
from bot.services.releases import (
    Verified,
    hold_release,
    initial_verification,
    range_link,
    revert_proof,
    verify_release,
)
from bot.services.runs import RunEnd, failure_reason, finish_in, replan_command, stop_outcome
from bot.services.states import keep_unsaved
from bot.services.targets import readable_policy
from bot.services.why import reason_of


@dataclass(frozen=True)
class FinishedApply:
    """How Terraform ended. unfinished: addresses that it started and did not complete. work_dir: None after a crash."""

    backend: Backend
    ended: CommandResult
    unfinished: Sequence[str] = ()
    work_dir: WorkDir | None = None


def record_apply(context: Context, run: Run, plan: Plan, finished: FinishedApply) -> None:
    """Record the state, whatever the outcome; after a successful apply record a release, verify it, and end the run."""
    backend, ended = finished.backend, finished.ended
    with context.store.begin() as tables:
        tables.runs.move(run.id, ("applying",), "recording")
    unsaved = None if ended.ok else keep_unsaved(context, run)
    data = _record_unless_lost(context, run, backend, lost=unsaved is not None)
    outcome, message, next_step = _told(
        context, run, backend, ended, name_unfinished(list(finished.unfinished))
    )
    if unsaved is not None:
        message = f"The state could not be uploaded; Towpath kept it. {message}"
        next_step = f"`{command('push-state', run.target)}` pushes it."
    done = outcome == "applied"
    reason = Reason() if done else reason_of(context, run, ended)
    policy = policy_of(context, run) if done else None
    with context.store.begin() as tables:
        tables.plans.take(plan.id, "applying", "applied" if done else "failed")
        tables.states.abandon(run.id)  # Terraform releases it itself, unless it was killed
        if done:
            checked = (
                initial_verification(policy.environments[run.target.environment]) if policy else "failed"
            )
            release = _release(context, run, plan, data, checked)
            tables.releases.add(release)
            tables.states.released(run.target.key, run.id, release.id, run.reverts)
            tables.runs.move(run.id, ("recording",), "verifying")
            if run.reverts:
                hold_release(context, tables, run, plan)
        else:
            finish_in(
                context, tables, run, RunEnd(outcome, message=message, next_step=next_step, reason=reason)
            )
            record_run(context, tables, "apply.ended", run, outcome=outcome)
    if done:
        conclude_apply(context, run, release, backend, policy, finished.work_dir)


def policy_of(context: Context, run: Run) -> Policy | None:
    """Return the policy in force, or None if it cannot be read or no longer has the run's environment: what was applied
    stays applied, whatever the default branch says now."""
    policy = readable_policy(context, run.target.repository)
    return policy if policy is not None and run.target.environment in policy.environments else None


def conclude_apply(
    context: Context,
    run: Run,
    release: Release,
    backend: Backend,
    policy: Policy | None,
    work_dir: WorkDir | None = None,
) -> None:
    """Verify what was applied and end its run. Run again after a crash, it verifies again."""
    verified = (
        verify_release(context, run, release, policy, backend, work_dir) if policy else _unruled(run, release)
    )
    message, next_step = verified.message, verified.next_step
    if run.reverts:
        message = " ".join(filter(None, (message, revert_proof(context, run))))
        if not next_step and (link := range_link(context, run)):
            next_step = f"Revert [these commits]({link}) in git too."
    with context.store.begin() as tables:
        if not finish_in(context, tables, run, RunEnd("applied", message=message, next_step=next_step)):
            return
        record_run(
            context,
            tables,
            "apply.ended",
            run,
            outcome="applied",
            release=release.id,
            serial=release.serial,
            verification=verified.release.verification,
        )
        if policy is not None and policy.dependents(run.target):
            context.work.enqueue_replans(run, tables)
        for pull in tables.pulls.open(run.target.repository):  # others may wait for this release
            if pull.number != run.pull and tables.surfaces.get(f"gate:{pull.repository}#{pull.number}"):
                show_pull(tables, context.now(), pull.repository, pull.number)


def _unruled(run: Run, release: Release) -> Verified:
    where = run.target.environment
    return Verified(
        release,
        f"Applied, but `{PATH}` on the default branch no longer says how to verify `{where}`.",
        f"Fix it, then run `{command('plan', run.target)}` and `{command('apply', run.target)}` to verify again.",
    )


def _record_unless_lost(context: Context, run: Run, backend: Backend, *, lost: bool) -> bytes | None:
    """Record the state. If it could not be uploaded, the backend may be unreadable too: then return None."""
    try:
        return record_state(context, run, backend)
    except (UserError, TransientError):
        if not lost:
            raise
        return None


def record_state(context: Context, run: Run, backend: Backend) -> bytes | None:
    """Record the state as a version and return it. The built-in backend did so at each write; other backends are read."""
    data = context.backends.current(run.target, backend)
    if data and backend.kind != "http":
        with context.store.begin() as tables:
            tables.states.append(
                run.target.key,
                data,
                StateInfo.parse(data),
                Author(run.id, run.commit, run.actor.login),
                observed=True,
            )
    return data


def _told(
    context: Context, run: Run, backend: Backend, ended: CommandResult, left: str
) -> tuple[Outcome, str, str]:
    if ended.ok:
        return "applied", "", ""
    if outcome := stop_outcome(context, run, ended):
        what = "It exceeded its time limit." if outcome == "timed_out" else "It was stopped."
        return (
            outcome,
            f"{what} Terraform finished the operations in progress and saved the state.{left}",
            replan_command(run),
        )
    if "Error acquiring the state lock" in ended.log and (held := _holder(context, run, backend)):
        what = f"The state of {run.target} is locked by {outside(held.description)}; nothing was changed."
        return (
            "failed",
            what,
            f"Wait until it is released, or run `{command('unlock', run.target)}`. {replan_command(run)}",
        )
    return "failed", f"{failure_reason(ended)[:3500]}{left}", replan_command(run)


def _holder(context: Context, run: Run, backend: Backend) -> LockInfo | None:
    """Return who holds the state's lock, which Terraform does not report on every backend."""
    try:
        return context.backends.location(run.target, backend).held()
    except (UserError, TransientError):
        return None


def _release(
    context: Context, run: Run, plan: Plan, data: bytes | None, verification: Verification
) -> Release:
    return Release(
        id=release_id(run),
        target=run.target,
        run_id=run.id,
        plan_digest=plan.digest,
        commit=run.commit,
        pull=run.pull,
        actor=run.actor,
        serial=StateInfo.parse(data).serial if data else 0,
        created_at=context.now(),
        configuration=plan.configuration,
        approval=run.approval,
        forced=run.forced,
        reverts=run.reverts,
        verification=verification,
    )


def release_id(run: Run) -> str:
    """Return the id of the release that an apply leaves."""
    return stable_id(run.id, "release")
