"""Whose change a pull request is: nobody's consent counts for what is his own."""

from __future__ import annotations

from bot.domain.ports.forge import PullRequest
from bot.errors import UserError
from bot.services.context import Context

MOST = 1000
"""Commits of one pull request whose authors are looked up: twenty queries. GitHub's own list of them ends at 250."""


def authors_of(context: Context, pull: PullRequest, base_tip: str) -> frozenset[str]:
    """Logins (lower case): who opened it, and the authors, co-authors and committers of every commit that it brings.
    A merge of the base branch into it is a commit, too: nobody can see that it has nothing in it of its author's.

    Both commits must be in the mirror, which knows which commits there are; GitHub knows whose they are. Raises
    UserError for more than MOST, ForgeError.
    """
    commits = context.git.commits(pull.repository, base_tip, pull.head_sha, MOST + 1)
    if len(commits) > MOST:
        raise UserError(
            f"#{pull.number} brings more than {MOST:,} commits: that is too many to see who wrote them, and so whose "
            "consent would be to their own change.",
            next_step=f"Squash them, or rebase the branch onto `{pull.base_ref}`.",
        )
    return context.forge.authors(pull.repository, commits) | {pull.author.lower()}
