"""What the left half shows, from the stand-in for GitHub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.playground.github import merging, plumbing
from bot.playground.github.records import Pull
from bot.playground.page.pull_acts import may_write, the_pull
from bot.playground.world import REPOSITORY, ROLES, World

_SETTLED = {"success": "good", "neutral": "calm", "skipped": "calm"}
"""Conclusions that are not failures, and how they look."""
_REVIEWS = ("APPROVED", "CHANGES_REQUESTED")


@dataclass(frozen=True)
class FileDiff:
    """One changed file: its name, lines added and deleted, and the diff."""

    name: str
    added: int
    deleted: int
    text: str


def pulls(world: World) -> list[Pull]:
    """The repository's pull requests, the newest first."""
    state = world.github.state
    with state.lock:
        found = [pull for pull in state.pulls.values() if pull.repo is state.repo(REPOSITORY)]
    return sorted(found, key=lambda pull: -pull.number)


def pull_page(world: World, number: int, viewer: str, tab: str) -> dict[str, Any]:
    """Everything that the template needs. Raises Refusal 404 for an unknown pull request."""
    with world.github.state.lock:
        pull = the_pull(world, number)
        story = world.github.timeline(REPOSITORY, number)
        checks = [entry for entry in story if entry["kind"] in ("check", "status")]
        latest = [entry for entry in _newest(checks) if entry["commit"] in (pull.head_sha, pull.merge_sha)]
        return {
            "pull": pull,
            "pulls": pulls(world),
            "tab": tab,
            "story": [entry for entry in story if entry["kind"] not in ("check", "status")],
            "checks": latest,
            "older": [entry for entry in _newest(checks) if entry not in latest],
            "verdict": _verdict(latest),
            "reviews": _standing_reviews(story),
            "commits": sum(len(push.commits) for push in pull.pushes),
            "files": files(pull) if tab == "files" else [],
            "state": "merged"
            if pull.merged_at
            else "draft"
            if pull.draft and pull.state == "open"
            else pull.state,
            "behind": pull.state == "open" and merging.behind(pull),
            "viewer": viewer,
            "viewer_writes": viewer in ROLES and may_write(world, viewer),
        }


def files(pull: Pull) -> list[FileDiff]:
    """What the pull request changes, file by file."""
    return _diffs(pull.repo.path, pull.base_sha, pull.head_sha)


def commit_files(world: World, sha: str) -> tuple[str, list[FileDiff]]:
    """A commit's title and what it changed against its first parent."""
    repo = world.github.state.repo(REPOSITORY)
    full = plumbing.resolve(repo.path, sha)
    if full is None:
        return "There is no such commit here.", []
    title = plumbing.git(repo.path, "show", "-s", "--format=%s", full).decode(errors="replace").strip()
    parent = plumbing.resolve(repo.path, f"{full}^")
    return title, [] if parent is None else _diffs(repo.path, parent, full)


def _diffs(path: Path, base: str, head: str) -> list[FileDiff]:
    found = []
    for _kind, name, added, deleted in plumbing.changes(path, base, head):
        raw = plumbing.git(path, "diff", "--no-renames", f"{base}...{head}", "--", name)
        text = raw.decode(errors="replace")
        start = text.find("\n@@")
        found.append(FileDiff(name, added, deleted, text[start + 1 :].rstrip("\n") if start >= 0 else ""))
    return found


def look_of(entry: dict[str, Any]) -> str:
    """How a check or a commit status looks: good, calm, bad or busy."""
    if entry["kind"] == "status":
        return {"success": "good", "pending": "busy"}.get(entry["state"], "bad")
    if entry["status"] != "completed":
        return "busy"
    if entry["conclusion"] == "action_required":
        return "calm"
    return _SETTLED.get(entry["conclusion"], "bad")


def _newest(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest of each name at each commit, as GitHub counts them."""
    found = {(entry["name"], entry["commit"]): entry for entry in checks}
    return list(found.values())


def _verdict(checks: list[dict[str, Any]]) -> tuple[str, str]:
    """The merge box's headline about the checks, and how it looks."""
    looks = [look_of(entry) for entry in checks]
    if not looks:
        return "No checks yet", "calm"
    if "bad" in looks:
        return (
            "All checks have failed" if set(looks) == {"bad"} else "Some checks were not successful"
        ), "bad"
    if "busy" in looks:
        return "Some checks haven't completed yet", "busy"
    return "All checks have passed", "good"


def _standing_reviews(story: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(login, APPROVED or CHANGES_REQUESTED): each reviewer's last word."""
    last = {e["actor"]: e["state"] for e in story if e["kind"] == "review" and e["state"] in _REVIEWS}
    return list(last.items())
