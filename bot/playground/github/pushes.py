"""What a push sets off: its own webhook, and what becomes of the pull requests."""

from __future__ import annotations

from typing import Any

from bot.playground.github import merging, plumbing, repos, views
from bot.playground.github.records import Pull, Repo, User
from bot.playground.github.state import State


def moved(state: State, repo: Repo, actor: User, before: dict[str, str]) -> None:
    """Branches and tags may have moved since `before` (as of plumbing.refs): do what GitHub would."""
    after = plumbing.refs(repo.path)
    changed = [ref for ref in {**before, **after} if before.get(ref) != after.get(ref)]
    if not changed:
        return
    with state.change():
        for ref in changed:
            old, new = before.get(ref, plumbing.NOTHING), after.get(ref, plumbing.NOTHING)
            state.emit("push", repo, _payload(state, repo, actor, ref, old, new), actor)
            for pull in list(state.pulls.values()):
                if pull.state == "open":
                    _follow(state, pull, repo, ref, new, actor)


def _follow(state: State, pull: Pull, repo: Repo, ref: str, new: str, actor: User) -> None:
    if pull.head_repo is repo and ref == f"refs/heads/{pull.head_ref}":
        if new == plumbing.NOTHING:
            merging.close(state, pull, actor)
        else:
            merging.synchronise(state, pull, actor, new)
    elif pull.repo is repo and ref == f"refs/heads/{pull.base_ref}" and new != plumbing.NOTHING:
        if plumbing.log(repo.path, pull.head_sha, f"^{new}"):
            merging.settle(state, pull)
        else:
            merging.merged(state, pull, actor, new)


def _payload(state: State, repo: Repo, actor: User, ref: str, old: str, new: str) -> dict[str, Any]:
    created, deleted = old == plumbing.NOTHING, new == plumbing.NOTHING
    span = [] if deleted else [new] if created else [new, f"^{old}"]
    commits = [_commit(state, repo, sha) for sha, _ in plumbing.log(repo.path, *span)[-20:]] if span else []
    forced = not created and not deleted and bool(plumbing.log(repo.path, old, f"^{new}"))
    return {
        "ref": ref,
        "before": old,
        "after": new,
        "created": created,
        "deleted": deleted,
        "forced": forced,
        "base_ref": None,
        "compare": f"{state.url}/{repo.full_name}/compare/{old[:12]}...{new[:12]}",
        "commits": [] if created else commits,
        "head_commit": None if deleted else _commit(state, repo, new),
        "pusher": {"name": actor.login, "email": f"{actor.login}@users.noreply.example.com"},
    }


def _commit(state: State, repo: Repo, sha: str) -> dict[str, Any]:
    seen = repos.commit_view(state, repo, sha)["commit"]
    author = seen["author"]
    who = {"name": author["name"], "email": author["email"], "username": author["name"]}
    return {
        "id": sha,
        "tree_id": seen["tree"]["sha"],
        "distinct": True,
        "message": seen["message"],
        "timestamp": author["date"],
        "url": f"{state.url}/{repo.full_name}/commit/{sha}",
        "author": who,
        "committer": who,
        **_files(repo, sha),
    }


def _files(repo: Repo, sha: str) -> dict[str, list[str]]:
    lines = plumbing.git(
        repo.path, "diff-tree", "--root", "-r", "--no-commit-id", "--no-renames", "--name-status", "-z", sha
    )
    parts = lines.decode(errors="replace").split("\0")
    found: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for letter, name in zip(parts[::2], parts[1::2], strict=False):
        found[{"A": "added", "D": "removed"}.get(letter, "modified")].append(name)
    return found


def repository_of_push(state: State, repo: Repo) -> dict[str, Any]:
    """A push names its repository in a form of its own: times as numbers, some names from older days."""
    shown = views.repo(state, repo)
    seconds = int(repo.created_at.timestamp())
    owner = {**shown["owner"], "name": repo.owner.login, "email": None}
    return {
        **shown,
        "owner": owner,
        "created_at": seconds,
        "pushed_at": seconds,
        "stargazers": 0,
        "master_branch": repo.default_branch,
    }
