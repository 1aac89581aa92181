"""Carry out a drift check: compare what is deployed with the actual resources. A result is reported once, never applied."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.drift import Baseline, measure
from bot.domain.plans import settled_values
from bot.domain.policy import Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import CommandResult, PlanOptions
from bot.domain.release import Release
from bot.domain.run import ACTIVE, InputValue, Run
from bot.domain.target import Target, command
from bot.services.context import Context, show_open, show_run
from bot.services.directories import journal_of, plan_file_of, worktree_of
from bot.services.drift.record import Checked, record_check
from bot.services.identity import hidden_values, renew_tokens, tokens_removed
from bot.services.order import write_inputs
from bot.services.plans import (
    OURS,
    Checkout,
    InitFailed,
    parallelism,
    prepare_workspace,
    state_of,
    terraform_turn,
)
from bot.services.runs import (
    ProgressRecorder,
    RunEnd,
    fail_run,
    finish_run,
    stop_outcome,
)
from bot.services.targets import default_policy, fetch

FRESH = 600.0
"""Seconds for which GitHub's last answer about the applied pull request is fresh enough."""


@dataclass(frozen=True)
class Deployed:
    """What is deployed: the release, extra files that its configuration needs after a revert, and its inputs."""

    release: Release
    additions: dict[str, bytes]
    inputs: dict[str, InputValue]


def execute_drift_check(context: Context, run_id: str) -> None:
    """Carry out a drift check. Safe to repeat after a crash: only the last transaction counts."""
    with context.store.begin() as tables:
        run = tables.runs.get(run_id)
        if run is None or not run.active:
            return
        if not tables.runs.move(run_id, ACTIVE, "preparing", worker=context.worker, started_at=context.now()):
            return
        show_run(tables, context.now(), run, urgent=False)
        deployed = _deployed(tables, run.target)
    if deployed is None:
        finish_run(
            context,
            run,
            RunEnd(
                "refused",
                message=f"The last apply to {run.target} failed or is still running, so it is not known what is deployed.",
                next_step=f"Run `{command('plan', run.target)}` to see what is left to do.",
            ),
        )
        return
    release = deployed.release
    pull = context.refresh(run.target.repository, release.pull, FRESH)
    policy = default_policy(context, run.target.repository)
    if policy is None or run.target.environment not in policy.environments:
        finish_run(
            context, run, RunEnd("refused", message=f"`{run.target.environment}` is no longer in the policy.")
        )
        return
    with context.store.begin() as tables:
        tables.runs.update(run.id, commit=release.commit)
    run = replace(run, commit=release.commit)
    branch = context.known(run.target.repository).default_branch
    refs = [f"refs/pull/{release.pull}/head", f"refs/heads/{branch}"]
    fetch(context, run.target.repository, [release.commit], refs)
    result = _compare(context, run, pull, policy, deployed)
    if isinstance(result, CommandResult):
        if outcome := stop_outcome(context, run, result):
            finish_run(context, run, RunEnd(outcome, message="The drift check was stopped."))
        else:
            fail_run(context, run, result, next_step=f"Run `{command('drift', run.target)}` to check again.")
            with context.store.begin() as tables:
                show_open(tables, context.now(), run.target.repository)
        return
    record_check(context, run, release, result)


def _deployed(tables: Tables, target: Target) -> Deployed | None:
    """Return what is deployed on a target; None if its last apply failed or is running."""
    release = tables.releases.newest(target)
    if release is None or not release.active:
        return None
    applied = tables.runs.get(release.run_id)
    plan = tables.plans.get(applied.plan_id) if applied else None
    if plan is None:
        return Deployed(release, {}, {})
    return Deployed(release, {name: text.encode() for name, text in plan.additions.items()}, plan.inputs)


def _compare(
    context: Context, run: Run, pull: PullRequest, policy: Policy, deployed: Deployed
) -> Checked | CommandResult:
    """Plan what is deployed twice: refresh only, then in full. Returns Terraform's result if one of them failed."""
    environment = policy.environments[run.target.environment]
    hidden = hidden_values(context, policy, run.target)
    worktree = worktree_of(context, run)
    try:
        with (
            tokens_removed(worktree / OURS),
            ProgressRecorder(context, run, journal_of(context, run), environment.timeout, hidden) as recorder,
        ):
            _phase(context, run, "initialising")
            checkout = Checkout(pull, policy, run.commit, worktree, deployed.additions)
            workspace = prepare_workspace(context, run, checkout, recorder.control)
            _phase(context, run, "planning")
            state = state_of(context, run.target, workspace.backend)
            with plan_file_of(context, run) as file, terraform_turn(context, recorder.control):
                renew_tokens(context, workspace.identity, recorder.control)
                var_files = (*workspace.var_files, *write_inputs(file.parent, deployed.inputs))
                options = PlanOptions(var_files, refresh_only=True, parallelism=parallelism(environment))
                planned = refreshed = context.terraform.plan(
                    workspace.work_dir, file, recorder.control, options
                )
                if refreshed.ended.ok:
                    planned = context.terraform.plan(
                        workspace.work_dir, file, recorder.control, replace(options, refresh_only=False)
                    )
        if not planned.ended.ok:
            return planned.ended
        moved = state_of(context, run.target, workspace.backend) != state
        with context.store.read() as tables:
            known = None if moved else tables.baselines.at(run.target, *state)
        first = None
        if known is None and not moved:
            first = Baseline(run.target, *state, context.now(), settled_values(refreshed.json))
        secrets = recorder.control.secrets
        return Checked(measure(refreshed.json, planned.json, secrets, known.values if known else None), first)
    except InitFailed as error:
        return error.ended
    finally:
        context.git.remove(worktree)


def _phase(context: Context, run: Run, phase: str) -> None:
    with context.store.begin() as tables:
        tables.runs.move(run.id, ACTIVE, phase)
