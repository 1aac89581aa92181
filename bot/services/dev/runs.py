"""Plans, applies and destroys of a working copy, by the same steps as the bot's and without its queues and gates."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.domain.actors import Actor
from bot.domain.ports.store import Store
from bot.domain.ports.terraform import CommandResult
from bot.domain.release import Release
from bot.domain.run import Kind, Plan, Run
from bot.domain.states import StateVersion
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.applies import FinishedApply, end_failed_run, record_apply, restore
from bot.services.context import Context, stable_id
from bot.services.directories import journal_of, plan_file_of
from bot.services.identity import hidden_values, tokens_removed
from bot.services.plans import OURS, InitFailed, Workspace, execute_plan, parallelism
from bot.services.runs import ProgressRecorder, RunEnd, fail_run, finish_run, stop_outcome
from bot.services.states import clear_unsaved, keep_unsaved
from bot.services.targets import PullContext

AGAIN = "Fix it, and run the command again."


@dataclass(frozen=True)
class LocalWork:
    """What is worked on: the files as a pull request, the policy in force, one target, and by whom."""

    pull_context: PullContext
    target: Target
    actor: Actor


@dataclass(frozen=True)
class Deployed:
    """What is known of a target on this machine: its newest state, its last apply or destroy, and the release it left."""

    state: StateVersion | None
    last: Run | None
    release: Release | None


@dataclass(frozen=True)
class _Prepared:
    """A plan that is about to be applied. file: the saved plan."""

    workspace: Workspace
    file: Path
    recorder: ProgressRecorder


def plan_working_copy(context: Context, work: LocalWork, *, destroy: bool = False) -> tuple[Run, Plan | None]:
    """Plan the files, or with `destroy` to destroy everything in the state; return the run, ended, and its plan."""
    run = _begin(context, work, "plan")
    try:
        execute_plan(context, run.id, destroy=destroy)
    except UserError as error:
        end_failed_run(context, run.id, error, "")
    with context.store.read() as tables:
        ended, plan = tables.runs.get(run.id) or run, tables.plans.get(run.id)
    return replace(ended, next_step=AGAIN) if ended.outcome == "failed" else ended, plan


def apply_working_copy(context: Context, work: LocalWork, plan: Plan) -> tuple[Run, Release | None]:
    """Apply exactly this plan, then run the smoke checks; return the run, ended, and the release that it left. There are
    no gates: nobody else can change what is this machine's own."""
    run = _begin(context, work, "apply", plan_id=plan.id)
    try:
        with _prepared(context, work, run, plan) as prepared:
            if prepared is not None:
                ended = _terraform_apply(context, work, prepared)
                workspace, unfinished = prepared.workspace, prepared.recorder.unfinished
                record_apply(
                    context,
                    run,
                    plan,
                    FinishedApply(workspace.backend, ended, unfinished, workspace.work_dir),
                )
    except UserError as error:
        end_failed_run(context, run.id, error, "")
    with context.store.read() as tables:
        release = tables.releases.newest(work.target)
        return tables.runs.get(run.id) or run, release if release and release.run_id == run.id else None


def destroy_working_copy(context: Context, work: LocalWork, plan: Plan) -> Run:
    """Apply a plan that destroys everything; return the run, ended. It leaves no release, and there is nothing to check."""
    run = _begin(context, work, "apply", plan_id=plan.id)
    try:
        with _prepared(context, work, run, plan) as prepared:
            if prepared is not None:
                ended = _terraform_apply(context, work, prepared)
                if not ended.ok:
                    keep_unsaved(context, run)
                with context.store.begin() as tables:
                    tables.plans.take(plan.id, "applying", "applied" if ended.ok else "failed")
                    tables.states.abandon(run.id)
                if ended.ok:
                    finish_run(context, run, RunEnd("applied"))
                else:
                    _failed(context, run, ended)
    except UserError as error:
        end_failed_run(context, run.id, error, "")
    with context.store.read() as tables:
        return tables.runs.get(run.id) or run


def deployed(store: Store, target: Target) -> Deployed:
    """Return what is deployed in a target, as far as this machine knows."""
    with store.read() as tables:
        return Deployed(
            tables.states.newest(target.key),
            tables.runs.last_apply(target),
            tables.releases.newest(target),
        )


@contextmanager
def _prepared(context: Context, work: LocalWork, run: Run, plan: Plan) -> Iterator[_Prepared | None]:
    """Yield the plan's directory and file, after recording that the apply begins; None if `init` failed."""
    policy = work.pull_context.policy
    timeout = policy.environments[run.target.environment].timeout
    hidden = hidden_values(context, policy, run.target)
    with (
        plan_file_of(context, run) as file,
        tokens_removed(Path(plan.worktree) / OURS),
        ProgressRecorder(context, run, journal_of(context, run), timeout, hidden) as recorder,
    ):
        try:
            workspace = restore(context, run, plan, work.pull_context, recorder)
        except InitFailed as error:
            _failed(context, run, error.ended)
            yield None
            return
        clear_unsaved(workspace.work_dir.root)
        with context.store.begin() as tables:
            file.write_bytes(tables.plans.file(plan.id))
            tables.plans.take(plan.id, "fresh", "applying")
            tables.releases.deactivate(run.target)
            tables.runs.move(run.id, ("queued",), "applying", worker=context.worker, started_at=context.now())
        yield _Prepared(workspace, file, recorder)


def _terraform_apply(context: Context, work: LocalWork, prepared: _Prepared) -> CommandResult:
    environment = work.pull_context.policy.environments[work.target.environment]
    ended = context.terraform.apply(
        prepared.workspace.work_dir,
        prepared.file,
        prepared.recorder.control,
        parallelism=parallelism(environment),
    )
    prepared.recorder.flush()
    return ended


def _begin(context: Context, work: LocalWork, kind: Kind, *, plan_id: str = "") -> Run:
    run = Run(
        id=stable_id(secrets.token_hex(16)),
        kind=kind,
        target=work.target,
        pull=work.pull_context.pull.number,
        commit=work.pull_context.pull.head_sha,
        base_commit=work.pull_context.base_tip,
        actor=work.actor,
        plan_id=plan_id,
        created_at=context.now(),
    )
    with context.store.begin() as tables:
        tables.pulls.save(work.pull_context.pull)
        tables.runs.add(run)
    return run


def _failed(context: Context, run: Run, ended: CommandResult) -> None:
    if outcome := stop_outcome(context, run, ended):
        finish_run(
            context, run, RunEnd(outcome, message="It was stopped; the state was saved.", next_step=AGAIN)
        )
    else:
        fail_run(context, run, ended, next_step=AGAIN)
