"""Merging pull requests: the merge button, "Update branch", and the merge queue."""

from __future__ import annotations

from bot.playground.github import git, pushes
from bot.playground.github.pull_lifecycle import mark_merged
from bot.playground.github.records import Pull, User
from bot.playground.github.state import Refusal, State


def merge(state: State, pull: Pull, actor: User, method: str = "merge") -> str:
    """Merge a pull request by `merge`, `squash` or `rebase` and return the new commit.

    Raises Refusal 405 if it is closed, a draft or conflicting, or for another method.
    """
    path = pull.repo.path
    base = git.resolve(path, f"refs/heads/{pull.base_ref}")
    if method not in ("merge", "squash", "rebase"):
        raise Refusal(405, "This merge method is not allowed on this repository.")
    if pull.draft:
        raise Refusal(405, "Pull Request is still a draft")
    tree = git.merge_tree(path, base, pull.head_sha) if base else None
    if pull.state == "closed" or base is None or tree is None:
        raise Refusal(405, "Pull Request is not mergeable")
    picked = git.rebase(path, base, pull.head_sha, at=state.now()) if method == "rebase" else None
    if method == "rebase" and picked is None:
        raise Refusal(405, "This branch can't be rebased")
    if method == "squash":
        parents, title = [base], f"{pull.title} (#{pull.number})"
    else:
        source = (pull.head_repo or pull.repo).owner.login
        parents = [base, pull.head_sha]
        title = f"Merge pull request #{pull.number} from {source}/{pull.head_ref}\n\n{pull.title}"
    with state.change():
        before = git.refs(path)
        sha = picked or git.commit_tree(
            path, tree, parents, author=_author(pull, actor, method), message=title, at=state.now()
        )
        git.run(path, "update-ref", f"refs/heads/{pull.base_ref}", sha, base)
        mark_merged(state, pull, actor, sha)
        pushes.process(state, pull.repo, actor, before)
    return sha


def _author(pull: Pull, actor: User, method: str) -> str:
    """Return the author of the new commit: a squash is the work of whoever opened the pull request."""
    return pull.author.login if method == "squash" else actor.login


def is_behind_base(pull: Pull) -> bool:
    """Whether the base branch has commits that are missing from the pull request's branch."""
    base = git.resolve(pull.repo.path, f"refs/heads/{pull.base_ref}")
    return base is not None and bool(git.log(pull.repo.path, base, f"^{pull.head_sha}"))


def update_branch(state: State, pull: Pull, actor: User) -> None:
    """Merge the base branch into the pull request's branch, as GitHub's button "Update branch" does.

    Raises Refusal 422 if there is nothing to merge, or a conflict.
    """
    source, path = pull.head_repo or pull.repo, pull.repo.path
    base = git.resolve(path, f"refs/heads/{pull.base_ref}")
    tree = git.merge_tree(path, base, pull.head_sha) if base and is_behind_base(pull) else None
    if pull.state != "open" or base is None or tree is None:
        raise Refusal(
            422, "There are no new commits on the base branch, or merge conflict between base and head."
        )
    title = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
    with state.change():
        before, parents = git.refs(source.path), [pull.head_sha, base]
        sha = git.commit_tree(path, tree, parents, author=actor.login, message=title, at=state.now())
        if source is not pull.repo:
            git.run(path, "push", "--quiet", str(source.path), f"{sha}:refs/heads/{pull.head_ref}")
        else:
            git.run(path, "update-ref", f"refs/heads/{pull.head_ref}", sha, pull.head_sha)
        pushes.process(state, source, actor, before)


def enqueue(state: State, pull: Pull, actor: User, *, behind: str = "") -> str:
    """Add a pull request to the merge queue and return the commit of its test merge, on which checks are requested.

    behind: the commit of the merge group ahead of it. Raises Refusal 405 if it cannot be merged.
    """
    path = pull.repo.path
    base = behind or git.resolve(path, f"refs/heads/{pull.base_ref}")
    tree = git.merge_tree(path, base, pull.head_sha) if base else None
    if pull.state == "closed" or pull.draft or base is None or tree is None:
        raise Refusal(405, "Pull Request is not mergeable")
    message = f"Merge pull request #{pull.number} from {pull.head_ref}"
    with state.change():
        parents = [base, pull.head_sha]
        sha = git.commit_tree(path, tree, parents, author="github", message=message, at=state.now())
        ref = f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"
        git.run(path, "update-ref", ref, sha)
        who = {"name": "github", "email": "github@users.noreply.example.com"}
        commit = {"id": sha, "tree_id": tree, "message": message, "timestamp": state.now().isoformat()}
        group = {
            "head_sha": sha,
            "head_ref": ref,
            "base_sha": base,
            "base_ref": f"refs/heads/{pull.base_ref}",
            "head_commit": {**commit, "author": who, "committer": who},
        }
        payload = {"action": "checks_requested", "merge_group": group}
        state.emit("merge_group", pull.repo, payload, actor)
    return sha
