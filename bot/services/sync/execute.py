"""Carry out a sync: plan the default branch in an environment, then decide what to do with the plan."""

from __future__ import annotations

from bot.domain.ports.forge import PullRequest
from bot.domain.run import ACTIVE, Run
from bot.services.context import Context, show_run
from bot.services.plans import run_plan
from bot.services.runs import RunEnd, finish_run
from bot.services.sync.conclude import conclude
from bot.services.targets import PullContext, default_policy, fetch, on_main, tip_of

FRESH = 5.0
"""Seconds for which GitHub's last answer is fresh enough for a plan; an apply asks again."""


def execute_sync(context: Context, run_id: str) -> None:
    """Carry out a sync. Safe to repeat after a crash: a plan that was made is not made again."""
    with context.store.begin() as tables:
        run = tables.runs.get(run_id)
        if run is None:
            return
        if run.active:
            tables.runs.move(run_id, ACTIVE, "preparing", worker=context.worker, started_at=context.now())
            show_run(tables, context.now(), run, urgent=False)
    if run.active:
        _plan(context, run)
    conclude(context, run_id)


def _plan(context: Context, run: Run) -> None:
    repository, target = run.target.repository, run.target
    policy = default_policy(context, repository, FRESH)
    stack = policy.stacks.get(target.stack) if policy else None
    if policy is None or stack is None or target.environment not in policy.environments:
        message = f"`{target}` is no longer in the policy."
        finish_run(context, run, RunEnd("refused", message=message))
        return
    branch = context.known(repository).default_branch
    tip = tip_of(context, repository, branch, FRESH)
    fetch(context, repository, [run.commit, tip], [f"refs/heads/{branch}"])
    pull = context.refresh(repository, run.pull, FRESH) if run.pull else _no_pull(run, branch)
    run_plan(context, run, on_main(PullContext(pull, policy, tip), run.commit))


def _no_pull(run: Run, branch: str) -> PullRequest:
    """Return what stands for the pull request where somebody pushed to the default branch without one."""
    repository = run.target.repository
    return PullRequest(
        repository=repository,
        number=0,
        title="",
        author="",
        state="merged",
        draft=False,
        head_sha=run.commit,
        head_ref=branch,
        head_repository=repository,
        base_ref=branch,
        base_sha=run.base_commit,
        url="",
    )
