"""What a push triggers: its webhook, and changes of pull requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.playground.github import git, pull_lifecycle
from bot.playground.github.commits import commit_view
from bot.playground.github.records import Pull, Repo, User
from bot.playground.github.state import State

LISTED = 2048
"""Commits that a push event lists at most."""


@dataclass(frozen=True)
class _Change:
    """One ref that moved. unseen: commits that no ref had before."""

    ref: str
    old: str
    new: str
    unseen: frozenset[str]


def process(state: State, repo: Repo, actor: User, before: dict[str, str]) -> None:
    """Send webhooks and update pull requests for all refs that changed since `before`, the result of git.refs."""
    after = git.refs(repo.path)
    changed = [ref for ref in {**before, **after} if before.get(ref) != after.get(ref)]
    if not changed:
        return
    with state.change():
        for ref in changed:
            old, new = before.get(ref, git.NO_COMMIT), after.get(ref, git.NO_COMMIT)
            seen = [f"^{sha}" for sha in set(before.values())]
            log = git.log(repo.path, new, *seen) if new != git.NO_COMMIT else []
            change = _Change(ref, old, new, frozenset(sha for sha, _ in log))
            state.emit("push", repo, _payload(state, repo, actor, change), actor)
            for pull in list(state.pulls.values()):
                if pull.state == "open":
                    _update_pull(state, pull, repo, ref, new, actor)


def _update_pull(state: State, pull: Pull, repo: Repo, ref: str, new: str, actor: User) -> None:
    """Synchronise, close or merge a pull request whose head or base branch now is at `new`."""
    if pull.head_repo is repo and ref == f"refs/heads/{pull.head_ref}":
        if new == git.NO_COMMIT:
            pull_lifecycle.close(state, pull, actor)
        else:
            pull_lifecycle.synchronise(state, pull, actor, new)
    elif pull.repo is repo and ref == f"refs/heads/{pull.base_ref}" and new != git.NO_COMMIT:
        if git.log(repo.path, pull.head_sha, f"^{new}"):
            pull_lifecycle.update_mergeability(state, pull)
        else:
            pull_lifecycle.mark_merged(state, pull, actor, new)


def _payload(state: State, repo: Repo, actor: User, change: _Change) -> dict[str, Any]:
    old, new = change.old, change.new
    created, deleted = old == git.NO_COMMIT, new == git.NO_COMMIT
    span = [] if deleted else [new] if created else [new, f"^{old}"]
    shown = (
        [sha for sha, _ in git.log(repo.path, *span) if not created or sha in change.unseen] if span else []
    )
    forced = not created and not deleted and bool(git.log(repo.path, old, f"^{new}"))
    return {
        "ref": change.ref,
        "before": old,
        "after": new,
        "created": created,
        "deleted": deleted,
        "forced": forced,
        "base_ref": None,
        "compare": f"{state.url}/{repo.full_name}/compare/{old[:12]}...{new[:12]}",
        "commits": [_commit(state, repo, sha, change) for sha in shown[-LISTED:]],
        "head_commit": None if deleted else _commit(state, repo, new, change),
        "pusher": {"name": actor.login, "email": f"{actor.login}@users.noreply.example.com"},
    }


def _commit(state: State, repo: Repo, sha: str, change: _Change) -> dict[str, Any]:
    seen = commit_view(state, repo, sha)["commit"]
    author = seen["author"]
    who = {"name": author["name"], "email": author["email"], "username": author["name"]}
    return {
        "id": sha,
        "tree_id": seen["tree"]["sha"],
        "distinct": sha in change.unseen,
        "message": seen["message"],
        "timestamp": author["date"],
        "url": f"{state.url}/{repo.full_name}/commit/{sha}",
        "author": who,
        "committer": who,
        **_files(repo, sha),
    }


def _files(repo: Repo, sha: str) -> dict[str, list[str]]:
    lines = git.run(
        repo.path, "diff-tree", "--root", "-r", "--no-commit-id", "--no-renames", "--name-status", "-z", sha
    )
    parts = lines.decode(errors="replace").split("\0")
    found: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for letter, name in zip(parts[::2], parts[1::2], strict=False):
        found[{"A": "added", "D": "removed"}.get(letter, "modified")].append(name)
    return found
