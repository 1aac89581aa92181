"""The merge queue's own commits: what its pull requests' checks say, said again where the queue looks for it.

GitHub: a queue waits until each required check is reported on the group's head, and merges when all of them passed.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.ports.forge import CheckRun, PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import Surface, SurfaceKind
from bot.services.context import Context
from bot.surfaces import check, gate
from bot.surfaces.posting import keep, post

WORST = ("failure", "timed_out", "cancelled", "action_required", "success", "neutral", "skipped")
"""GitHub lets a queue go on with the last three. A group of several pull requests shows the worst of their results."""
TITLE = 255
"""GitHub: a check's title, in characters."""
MOST = 100
"""GitHub: pull requests in one group."""

OWN: tuple[SurfaceKind, ...] = ("check", "gate")
"""Surfaces with checks that may be required."""
Own = tuple[PullRequest, CheckRun]
"""A pull request and one of its own checks."""


def project(context: Context, surface: Surface) -> Surface:
    """Create or update each check on the group's head. It is shown anew when a run of one of its pull requests ends."""
    with context.store.read() as tables:
        pulls = _pulls(tables, surface)
        theirs = [
            (pull, one)
            for pull in pulls
            for kind in OWN
            for one in tables.surfaces.of_pull(surface.repository, pull.number, kind)
        ]
    surface = keep(context, surface, pulls=[pull.number for pull in pulls])
    by_name: dict[str, list[Own]] = {}
    for pull, one in theirs:
        for found in _checks(context, pull, one):
            by_name.setdefault(found.name, []).append((pull, found))
    for name, own in by_name.items():
        surface = post(context, surface, repeated(name, str(surface.wanted["head_sha"]), own))
    return surface


def repeated(name: str, head_sha: str, own: Sequence[Own]) -> CheckRun:
    """The check on the group's head: in progress until each pull request's own one is done for its head."""
    whose = ", ".join(f"#{pull.number} at `{pull.head_sha[:7]}`" for pull, _ in own)
    said = (
        f"The merge queue asks for this check on a commit of its own. It repeats the result of {whose}; nothing is "
        "planned again for the queue."
    )
    waits = [(pull, one) for pull, one in own if one.status != "completed" or one.head_sha != pull.head_sha]
    if waits:
        pull, one = waits[0]
        title = f"Waits for #{pull.number}"
        return CheckRun(name, head_sha, "in_progress", None, title, said, details_url=one.details_url)
    pull, worst = min(own, key=lambda each: WORST.index(str(each[1].conclusion)))
    title = f"As on #{pull.number}: {worst.title}"
    return CheckRun(
        name,
        head_sha,
        "completed",
        worst.conclusion,
        title if len(title) <= TITLE else f"{title[: TITLE - 1]}…",
        said,
        details_url=worst.details_url,
        external_id=worst.external_id,
    )


def _checks(context: Context, pull: PullRequest, surface: Surface) -> list[CheckRun]:
    if surface.kind == "gate":
        return gate.current(context, surface, pull)
    found = check.current(context, surface)
    return [found] if found is not None else []


def _pulls(tables: Tables, surface: Surface) -> list[PullRequest]:
    """Those that are merged with this group: its own and, as far as groups follow one another, those ahead of it."""
    found: list[PullRequest] = []
    group: Surface | None = surface
    while group is not None and len(found) < MOST:
        pull = tables.pulls.get(surface.repository, int(group.wanted["number"]))
        if pull is not None and pull not in found:
            found.append(pull)
        group = tables.surfaces.get(f"queue:{surface.repository}@{group.wanted['base_sha']}")
    return found
