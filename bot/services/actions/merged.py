"""After a merge: which pull request it was, and whether what was merged is what people reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.actions import MergePush, ReviewedPlan, read_reviewed
from bot.domain.policy import Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refusal
from bot.domain.sanitize import outside
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.targets import (
    PullContext,
    affected_stacks,
    changed_on_base,
    default_policy,
    fetch,
    load_pull_context,
)

MARKER = "<!-- towpath-reviewed:"
_ANEW = "Open a pull request with the change, and read its plan before you merge it."
NAMED = 3
"""Paths that a refusal names."""


@dataclass(frozen=True)
class MergeApply:
    """A reviewed plan to apply after the merge. tree: git's id of the reviewed files. key: the one that signed the plan.
    shown_at: when it was shown, by GitHub's clock."""

    pull_context: PullContext
    target: Target
    reviewed: ReviewedPlan
    tree: str
    shown_at: datetime
    key: str


def find_merge(
    context: Context, repository: str, environment: str, stack: str, keys: Sequence[str]
) -> MergeApply | None:
    """Return what to apply to a stack's environment after `context.merge`; None if the push does not affect the stack.

    Raises Refusal if nobody reviewed a plan of exactly these files.
    """
    push = context.merge
    if push is None:
        raise ValueError("there is no merge to apply")
    policy = _policy(context, repository, environment, stack)
    fetch(
        context,
        repository,
        [push.before, push.after],
        [f"refs/heads/{context.known(repository).default_branch}"],
    )
    changed = context.git.changed(repository, push.before, push.after)
    if not any(
        one.name == stack for one in affected_stacks(context, repository, push.after, policy, changed)
    ):
        return None
    pull = _merged_pull(context, repository, push)
    pull_context = load_pull_context(context, pull)
    _refuse_other_files(context, pull_context, stack, push)
    target = policy.target(repository, stack, environment, pull.number)
    comment = context.forge.find_comment(repository, pull.number, MARKER)
    found = read_reviewed(comment.body, keys) if comment else None
    plans, key = found or (None, "")
    reviewed = plans.targets.get(target.key) if plans else None
    if plans is None or reviewed is None or (plans.repository, plans.pull) != (repository, pull.number):
        raise Refusal(
            "no-reviewed-plan",
            f"The comment of #{pull.number} has no plan for {target} that this repository's key has signed.",
            f"{_ANEW} Plans of before a change of `TOWPATH_SECRET_KEY` do not count.",
        )
    if plans.commit != pull.head_sha:
        raise Refusal(
            "head-moved",
            f"The plan of #{pull.number} is for `{plans.commit[:7]}`, but `{pull.head_sha[:7]}` was merged.",
            _ANEW,
        )
    return MergeApply(pull_context, target, reviewed, plans.tree, plans.shown_at, key)


def _policy(context: Context, repository: str, environment: str, stack: str) -> Policy:
    policy = default_policy(context, repository)
    known = policy.stacks.get(stack) if policy else None
    found = policy.environments_of(known) if policy and known else []
    if policy is None or not any(one.name == environment for one in found):
        raise Refusal(
            "unknown-environment",
            f"The policy has no environment `{environment}` for a stack `{stack}`.",
            "Run `towpath setup actions` again, and commit the workflows.",
        )
    return policy


def _merged_pull(context: Context, repository: str, push: MergePush) -> PullRequest:
    """Return the pull request whose merge was pushed: the commit that GitHub made for it, or the same files."""
    pulls = [one for one in context.forge.pulls_of(repository, push.after) if one.state == "merged"]
    exact = [one for one in pulls if one.merge_sha == push.after]
    if not exact:
        fetch(context, repository, [one.head_sha for one in pulls], [])
        files = context.git.blobs(repository, push.after)
        exact = [one for one in pulls if context.git.blobs(repository, one.head_sha) == files]
    if len(exact) == 1:
        return context.refresh(repository, exact[0].number)
    raise Refusal(
        "no-pull",
        f"`{push.after[:7]}` is not the merge of one pull request, so nobody has reviewed a plan of it.",
        _ANEW,
    )


def _refuse_other_files(context: Context, pull_context: PullContext, stack: str, push: MergePush) -> None:
    """Raise Refusal if the branch has other files of the stack than the pull request had: what they do was not reviewed,
    even where a plan does not show it."""
    pull = pull_context.pull
    head, merged = (context.git.blobs(pull.repository, one) for one in (pull.head_sha, push.after))
    differing = sorted(path for path in {*head, *merged} if head.get(path) != merged.get(path))
    concerned = affected_stacks(context, pull.repository, push.after, pull_context.policy, differing)
    paths = changed_on_base(context, pull_context, stack)
    if paths or any(one.name == stack for one in concerned):
        watched = [path for path in differing if pull_context.policy.stacks[stack].watches(path)]
        named = ", ".join(f"`{outside(path)}`" for path in (paths or watched or differing)[:NAMED])
        raise Refusal(
            "other-files",
            f"`{pull.base_ref}` has other files of `{stack}` than #{pull.number} had when its plan was read ({named}).",
            f"{_ANEW} To prevent this, require branches to be up to date before merging.",
        )
