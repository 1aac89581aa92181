"""Data that the left half shows, read from the stand-in for GitHub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bot.playground.github import git, merges
from bot.playground.github.records import Pull
from bot.playground.github.timeline_entries import CheckEntry, Entry, StatusEntry
from bot.playground.page.pull_actions import find_pull, may_write
from bot.playground.world import REPOSITORY, ROLES, World

Check = CheckEntry | StatusEntry

_APPEARANCE = {"success": "good", "neutral": "calm", "skipped": "calm", "action_required": "calm"}
"""How checks look by conclusion. All other conclusions are failures."""


@dataclass(frozen=True)
class FileDiff:
    """One changed file. added, deleted: numbers of lines. text: the diff."""

    name: str
    added: int
    deleted: int
    text: str


class ChecksSummary(NamedTuple):
    """The headline of the merge box. appearance: good, calm, bad or busy."""

    text: str
    appearance: str


class Verdict(NamedTuple):
    """A reviewer's latest review. state: APPROVED or CHANGES_REQUESTED."""

    login: str
    state: str


@dataclass(frozen=True)
class PullView:
    """What the template shows of a pull request. `viewer` is the person who looks at it."""

    pull: Pull
    pulls: list[Pull]
    tab: str
    story: list[Entry]
    checks: list[Check]
    older: list[Check]
    checks_summary: ChecksSummary
    reviews: list[Verdict]
    commits: int
    files: list[FileDiff]
    state: str
    behind: bool
    viewer: str
    viewer_writes: bool


def pulls(world: World) -> list[Pull]:
    """Return the repository's pull requests, newest first."""
    state = world.github.state
    with state.lock:
        found = [pull for pull in state.pulls.values() if pull.repo is state.repo(REPOSITORY)]
    return sorted(found, key=lambda pull: -pull.number)


def pull_view(world: World, number: int, viewer: str, tab: str) -> PullView:
    """Return what a tab of a pull request shows. Raises Refusal 404 for an unknown pull request."""
    with world.github.state.lock:
        pull = find_pull(world, number)
        timeline = world.github.timeline(REPOSITORY, number)
        newest = _newest(timeline)
        current = [check for check in newest if check["commit"] in (pull.head_sha, pull.merge_sha)]
        return PullView(
            pull=pull,
            pulls=pulls(world),
            tab=tab,
            story=[entry for entry in timeline if entry["kind"] not in ("check", "status")],
            checks=current,
            older=[check for check in newest if check not in current],
            checks_summary=_summary(current),
            reviews=_verdicts(timeline),
            commits=sum(len(push.commits) for push in pull.pushes),
            files=_diffs(pull.repo.path, pull.base_sha, pull.head_sha) if tab == "files" else [],
            state=_state(pull),
            behind=pull.state == "open" and merges.is_behind_base(pull),
            viewer=viewer,
            viewer_writes=viewer in ROLES and may_write(world, viewer),
        )


def commit_files(world: World, sha: str) -> tuple[str, list[FileDiff]]:
    """Return a commit's title and what it changes against its first parent."""
    repo = world.github.state.repo(REPOSITORY)
    full = git.resolve(repo.path, sha)
    if full is None:
        return "There is no such commit.", []
    title = git.run(repo.path, "show", "-s", "--format=%s", full).decode(errors="replace").strip()
    parent = git.resolve(repo.path, f"{full}^")
    return title, [] if parent is None else _diffs(repo.path, parent, full)


def check_appearance(check: Check) -> str:
    """Return how a check or a commit status looks: good, calm, bad or busy."""
    if check["kind"] == "status":
        return {"success": "good", "pending": "busy"}.get(check["state"], "bad")
    if check["status"] != "completed":
        return "busy"
    return _APPEARANCE.get(check["conclusion"] or "", "bad")


def _state(pull: Pull) -> str:
    if pull.merged_at:
        return "merged"
    return "draft" if pull.draft and pull.state == "open" else pull.state


def _diffs(path: Path, base: str, head: str) -> list[FileDiff]:
    found = []
    for file in git.changes(path, base, head):
        raw = git.run(path, "diff", "--no-renames", f"{base}...{head}", "--", file.path)
        text = raw.decode(errors="replace")
        start = text.find("\n@@")
        hunks = text[start + 1 :].rstrip("\n") if start >= 0 else ""
        found.append(FileDiff(file.path, file.added, file.deleted, hunks))
    return found


def _newest(timeline: list[Entry]) -> list[Check]:
    """Return the newest check of each name at each commit, which is the one that GitHub counts."""
    found: dict[tuple[str, str], Check] = {}
    for entry in timeline:
        if entry["kind"] == "check" or entry["kind"] == "status":
            found[entry["name"], entry["commit"]] = entry
    return list(found.values())


def _summary(checks: list[Check]) -> ChecksSummary:
    appearances = {check_appearance(check) for check in checks}
    if not appearances:
        return ChecksSummary("No checks yet", "calm")
    if "bad" in appearances:
        all_failed = appearances == {"bad"}
        return ChecksSummary(
            "All checks have failed" if all_failed else "Some checks were not successful", "bad"
        )
    if "busy" in appearances:
        return ChecksSummary("Some checks haven't completed yet", "busy")
    return ChecksSummary("All checks have passed", "good")


def _verdicts(timeline: list[Entry]) -> list[Verdict]:
    """Return each reviewer's latest approval or request for changes."""
    latest: dict[str, str] = {}
    for entry in timeline:
        if entry["kind"] == "review" and entry["state"] in ("APPROVED", "CHANGES_REQUESTED"):
            latest[entry["actor"]] = entry["state"]
    return [Verdict(login, state) for login, state in latest.items()]
