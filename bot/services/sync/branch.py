"""What a run on a commit of the default branch sees in the place of a pull request's context."""

from __future__ import annotations

from bot.domain.policy import Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.run import Run
from bot.services.context import Context
from bot.services.targets import PullContext, fetch, on_main, tip_of


def branch_context(context: Context, policy: Policy, run: Run, at_most: float = 0.0) -> PullContext:
    """Return the context of the run's commit, which is one of the default branch, and make it readable.

    at_most: seconds for which GitHub's last answers are fresh enough.
    """
    repository = run.target.repository
    branch = context.known(repository).default_branch
    tip = tip_of(context, repository, branch, at_most)
    fetch(context, repository, [run.commit, tip], [f"refs/heads/{branch}"])
    pull = context.refresh(repository, run.pull, at_most) if run.pull else _no_pull(run, branch)
    return on_main(PullContext(pull, policy, tip), run.commit)


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
