"""Whose change it is: authors, co-authors, committers and pushers, whose approval of it does not count."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.chat import PullChanged, Pushed
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.run import Plan
from bot.errors import UserError
from bot.services.context import Context

MOST = 1000
"""Most commits of a pull request whose authors are looked up, in twenty queries. GitHub's own list ends at 250."""


def authors_of(context: Context, pull: PullRequest, base_tip: str) -> frozenset[str]:
    """Return the logins (lower case) of whoever opened the pull request or pushed to it, and of the authors, co-authors
    and committers of its commits. A merge of the base branch counts as a commit: it may contain changes of its author.

    Both commits must be in the mirror, which knows which commits there are; GitHub knows whose they are. Raises
    UserError for more than MOST, ForgeError.
    """
    commits = context.git.commits(pull.repository, base_tip, pull.head_sha, MOST + 1)
    if len(commits) > MOST:
        raise UserError(
            f"#{pull.number} has more than {MOST:,} commits, too many to find out who wrote them, and authors may not "
            "approve their own change.",
            next_step=f"Squash them, or rebase the branch onto `{pull.base_ref}`.",
        )
    authors = context.forge.authors(pull.repository, commits) | {pull.author.lower()}
    return authors | _record_pushers(context, pull, commits)


def find_pushers(context: Context, pull: PullRequest, base_tip: str) -> frozenset[str]:
    """Return the logins (lower case) of who pushed to the pull request or pushed any of its commits to another branch,
    and record them as its pushers. Both commits must be in the mirror."""
    commits = context.git.commits(pull.repository, base_tip, pull.head_sha, MOST)
    return _record_pushers(context, pull, commits)


def _record_pushers(context: Context, pull: PullRequest, commits: Sequence[str]) -> frozenset[str]:
    with context.store.read() as tables:
        known = tables.pushers.of_pull(pull.repository, pull.number)
        found = tables.pushers.of_commits(pull.repository, commits)
    if found - known:
        with context.store.begin() as tables:
            tables.pushers.add(pull.repository, pull.number, found - known)
    return known | found


def remember_pushers(tables: Tables, event: PullChanged | Pushed) -> None:
    """Record who pushed, as a webhook tells. It may come late, twice, out of order, or before the pull request is known.

    A push to the default branch is no part of a pull request: most are merges, by people who did not change anything.
    """
    match event:
        case PullChanged():
            tables.pushers.add(event.repository, event.number, [event.pusher] if event.pusher else [])
        case Pushed():
            repository = tables.pulls.repository(event.repository)
            if repository is not None and event.ref == f"refs/heads/{repository.default_branch}":
                return
            tables.pushers.add_commits(event.repository, event.commits, event.pushers)
            for pull in pulls_from(tables, event):
                tables.pushers.add(pull.repository, pull.number, event.pushers)


def pulls_from(tables: Tables, event: Pushed) -> list[PullRequest]:
    """Return the open pull requests that are known to come from the pushed branch."""
    branch = event.ref.removeprefix("refs/heads/")
    return [
        pull
        for pull in tables.pulls.open(event.repository)
        if (pull.head_repository, pull.head_ref) == (event.repository, branch)
    ]


def authors_of_sync(context: Context, plan: Plan) -> frozenset[str]:
    """Return the logins (lower case) of those whose change a plan of the default branch would apply: everybody of the
    merged pull requests that it speaks for, and the authors of all other commits that are not deployed yet. Whoever
    merged a pull request has not changed anything by that. Raises UserError for more than MOST commits, ForgeError."""
    repository = plan.target.repository
    with context.store.read() as tables:
        sync = tables.syncs.get(plan.sync)
        found = [tables.pulls.get(repository, number) for number in sync.pulls] if sync else []
    merged = [pull for pull in found if pull is not None]
    commits = context.git.commits(repository, plan.base_commit, plan.commit, MOST + 1)
    if len(commits) > MOST:
        raise UserError(
            f"More than {MOST:,} commits are not deployed on {plan.target} yet, too many to find out who wrote them, and "
            "authors may not approve their own change.",
            next_step=f"Apply an older commit to {plan.target} first.",
        )
    by_merging = {pull.merge_sha for pull in merged}
    others = [commit for commit in commits if commit not in by_merging]
    authors = context.forge.authors(repository, others) if others else frozenset()
    return authors.union(*(authors_of(context, pull, pull.base_sha) for pull in merged))


def authors_of_revert(context: Context, plan: Plan) -> frozenset[str]:
    """Return the logins (lower case) of those whose change a revert brings back: the authors of commits that the release
    has and the deployed commit has not, and whoever opened its pull request. Usually there are none; there are where a
    revert is reverted. Raises UserError for more than MOST commits, ForgeError."""
    repository = plan.target.repository
    commits = context.git.commits(repository, plan.base_commit, plan.commit, MOST + 1)
    if not commits:
        return frozenset()
    if len(commits) > MOST:
        raise UserError(
            f"This revert brings back more than {MOST:,} commits, too many to find out who wrote them, and authors may "
            "not approve their own change.",
            next_step="Name another release.",
        )
    with context.store.read() as tables:
        release = tables.releases.get(plan.reverts)
        pull = tables.pulls.get(repository, release.pull) if release else None
    opener = {pull.author.lower()} if pull else set()
    return context.forge.authors(repository, commits) | opener
