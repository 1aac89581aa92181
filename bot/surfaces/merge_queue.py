"""Checks on the merge queue's own commits: they repeat the checks of the queued pull requests.

GitHub: a queue waits until each required check is reported on the group's commit, and merges when all of them have passed.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.ports.forge import CheckRun, PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import Surface, SurfaceKind
from bot.services.context import Context
from bot.surfaces.check_runs import post, record_posted
from bot.surfaces.gate_check import current_checks
from bot.surfaces.plan_check import current_check

PRECEDENCE = ("failure", "timed_out", "cancelled", "action_required", "success", "neutral", "skipped")
"""Worst first: a group of several pull requests shows the worst of their results. GitHub merges with the last three."""
MAX_TITLE = 255
"""GitHub: characters of a check's title."""
MAX_GROUP = 100
"""GitHub: pull requests in one group."""

REPEATED: tuple[SurfaceKind, ...] = ("check", "gate")
"""Surfaces with checks that may be required."""
PullCheck = tuple[PullRequest, CheckRun]
"""A pull request and one of its own checks."""


def project(context: Context, surface: Surface) -> Surface:
    """Create or update each check on the group's commit. It is due again when a run of one of its pull requests ends."""
    with context.store.read() as tables:
        pulls = _pulls(tables, surface)
        surfaces = [
            (pull, one)
            for pull in pulls
            for kind in REPEATED
            for one in tables.surfaces.of_pull(surface.repository, pull.number, kind)
        ]
    surface = record_posted(context, surface, {"pulls": [pull.number for pull in pulls]})
    by_name: dict[str, list[PullCheck]] = {}
    for pull, one in surfaces:
        for check in _checks(context, pull, one):
            by_name.setdefault(check.name, []).append((pull, check))
    for name, checks in by_name.items():
        surface = post(context, surface, repeated(name, surface.wanted["head_sha"], checks))
    return surface


def repeated(name: str, head_sha: str, checks: Sequence[PullCheck]) -> CheckRun:
    """Return the check on the group's commit: in progress until each pull request's own check on its latest commit is
    completed."""
    sources = ", ".join(f"#{pull.number} at `{pull.head_sha[:7]}`" for pull, _ in checks)
    summary = (
        f"The merge queue requires this check on its own commit. It repeats the result of {sources}; nothing is planned "
        "again for the queue."
    )
    pending = [
        (pull, one) for pull, one in checks if one.status != "completed" or one.head_sha != pull.head_sha
    ]
    if pending:
        pull, one = pending[0]
        title = f"Waiting for #{pull.number}"
        return CheckRun(name, head_sha, "in_progress", None, title, summary, details_url=one.details_url)
    pull, worst = min(checks, key=lambda each: PRECEDENCE.index(str(each[1].conclusion)))
    title = f"Same as #{pull.number}: {worst.title}"
    return CheckRun(
        name,
        head_sha,
        "completed",
        worst.conclusion,
        title if len(title) <= MAX_TITLE else f"{title[: MAX_TITLE - 1]}…",
        summary,
        details_url=worst.details_url,
        external_id=worst.external_id,
    )


def _checks(context: Context, pull: PullRequest, surface: Surface) -> list[CheckRun]:
    if surface.kind == "gate":
        return current_checks(context, surface, pull)
    check = current_check(context, surface)
    return [check] if check is not None else []


def _pulls(tables: Tables, surface: Surface) -> list[PullRequest]:
    """Return the pull requests that are merged with this group: its own, and those of the groups ahead of it."""
    found: list[PullRequest] = []
    group: Surface | None = surface
    while group is not None and len(found) < MAX_GROUP:
        pull = tables.pulls.get(surface.repository, group.wanted["number"])
        if pull is not None and pull not in found:
            found.append(pull)
        group = tables.surfaces.get(f"queue:{surface.repository}@{group.wanted['base_sha']}")
    return found
