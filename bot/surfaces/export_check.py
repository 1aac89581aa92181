"""The check of exports on a pull request that changes migrations or `envs/export.toml`: whether every new column has a rule."""

from __future__ import annotations

from bot.domain.ports.forge import CheckRun, Conclusion, PullRequest
from bot.render import surfaces as render
from bot.services.context import Context
from bot.services.exports import EXPORT_CHECK, check_pull


def export_checks(context: Context, pull: PullRequest) -> list[CheckRun]:
    """Return the check for the pull request's latest commit, or nothing if it does not concern exports. A statement that cannot
    be read makes it neutral: an export itself still refuses a column without a rule."""
    found = check_pull(context, pull)
    if found is None:
        return []
    conclusion: Conclusion = "failure" if not found.ok else "neutral" if found.unread else "success"
    title, summary = render.export_check(found)
    return [
        CheckRun(EXPORT_CHECK, pull.head_sha, "completed", conclusion, title, summary, details_url=pull.url)
    ]
