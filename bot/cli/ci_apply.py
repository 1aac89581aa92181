"""`towpath ci apply`: apply the reviewed plan of the merged pull request to one target."""

from __future__ import annotations

from bot.actions.runner import Runner
from bot.cli.ci_context import Job, job
from bot.cli.ci_keep import keep_results
from bot.cli.ci_report import annotate_run, succeeded
from bot.domain.actions import MergePush
from bot.domain.refusal import Refusal, refused
from bot.errors import UserError
from bot.render import reply, surfaces
from bot.services.actions import MergeApply, apply_merge, find_merge, merge_status, take_over
from bot.surfaces.actions_comment import post_merge

NOBODY = "0" * 40
"""GitHub's commit before the first push of a branch."""


def apply_after_merge(runner: Runner, environment: str, stack: str) -> bool:
    """Apply one target after the push that started the workflow. Returns whether it is applied and verified."""
    event = runner.event("push")
    push = MergePush(str(event["before"]), str(event["after"]))
    if push.before == NOBODY:
        raise UserError("The branch is new, so nothing was merged.", next_step="Merge a pull request.")
    with job(runner, push) as found:
        context = found.context
        branch = context.known(runner.repository).default_branch
        if event["ref"] != f"refs/heads/{branch}":
            raise UserError(
                f"Only merges into `{branch}` are applied.",
                next_step=f"Let the workflow run on pushes to `{branch}`.",
            )
        take_over(context, runner.variables.get("TOWPATH_CI_RELEASES", ""), runner.repository, found.keys)
        merge = find_merge(context, runner.repository, environment, stack, found.keys)
        if merge is None:
            runner.annotate("notice", f"{push.after[:7]} does not affect {environment}.")
            return True
        return _apply(found, merge)


def _apply(found: Job, merge: MergeApply) -> bool:
    context, pull = found.context, merge.pull_context.pull
    try:
        run = apply_merge(context, merge, found.workshop, found.runner.seed)
    except Refusal as refusal:
        text = reply.on_github(refused(refusal))
        post_merge(context, pull, merge.target, f"**{merge.target} was not applied.**\n\n{text}")
        raise
    keep_results(found, merge, run)
    text = surfaces.comment(merge_status(context, pull, merge.target))
    post_merge(context, pull, merge.target, text)
    found.runner.summarise(text)
    annotate_run(found.runner, run, merge.pull_context.policy)
    return run.kind == "apply" and succeeded(run)
