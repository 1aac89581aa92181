"""What happens to pull requests: opened, pushed to, drafted, closed, merged."""

from __future__ import annotations

from bot.playground.github import plumbing
from bot.playground.github.call import invalid
from bot.playground.github.records import Event, Pull, Push, Repo, User
from bot.playground.github.state import Refusal, State


def _emit(state: State, action: str, pull: Pull, sender: User, **more: str) -> None:
    from bot.playground.github import pulls

    pulls.emit(state, action, pull, sender, dict(more))


def _happened(state: State, pull: Pull, kind: str, actor: User, detail: str = "") -> None:
    pull.events.append(Event(state.next_id(), state.now(), kind, actor, detail))
    pull.updated_at = state.now()


def open_pull(
    state: State,
    repo: Repo,
    author: User,
    *,
    head: str,
    base: str,
    title: str,
    body: str = "",
    draft: bool = False,
    head_repo: Repo | None = None,
) -> Pull:
    """Open a pull request. Raises Refusal 422 for a missing branch, nothing to merge, or one that is open already."""
    source = head_repo or repo
    ends = (
        plumbing.refs(source.path).get(f"refs/heads/{head}"),
        plumbing.refs(repo.path).get(f"refs/heads/{base}"),
    )
    if ends[0] is None or ends[1] is None:
        raise invalid("PullRequest", "base" if ends[0] else "head", "invalid")
    new, old = ends[0], ends[1]
    for other in state.pulls.values():
        same = other.repo is repo and other.head_repo is source and other.state == "open"
        if same and (other.head_ref, other.base_ref) == (head, base):
            raise invalid("PullRequest", "head", "custom", f"A pull request already exists for {head}.")
    with state.change():
        number, repo.next_number = repo.next_number, repo.next_number + 1
        _bring(source, repo, number, new)
        commits = plumbing.log(repo.path, new, f"^{old}")
        if not commits:
            raise invalid("PullRequest", "head", "custom", f"No commits between {base} and {head}")
        now = state.now()
        pull = Pull(
            state.next_id(), repo, number, title, body, author, source, head, new, base, old, draft, now, now
        )
        pull.pushes.append(Push(state.next_id(), now, author, new, commits))
        state.pulls[repo.id, number] = pull
        settle(state, pull)
        _emit(state, "opened", pull, author)
    return pull


def _bring(source: Repo, repo: Repo, number: int, sha: str) -> None:
    """refs/pull/<n>/head, as GitHub keeps it in the base repository, also for forks and after merges."""
    ref = f"refs/pull/{number}/head"
    if source is repo:
        plumbing.git(repo.path, "update-ref", ref, sha)
    else:
        plumbing.git(repo.path, "fetch", "--quiet", str(source.path), f"+{sha}:{ref}")


def settle(state: State, pull: Pull) -> None:
    """Find out whether it can be merged now, and keep the test merge at refs/pull/<n>/merge."""
    path, ref = pull.repo.path, f"refs/pull/{pull.number}/merge"
    base = plumbing.resolve(path, f"refs/heads/{pull.base_ref}")
    tree = plumbing.merge_tree(path, base, pull.head_sha) if base else None
    pull.mergeable = tree is not None
    if base is None or tree is None:
        plumbing.git(path, "update-ref", "-d", ref)
        return
    message = f"Merge {pull.head_sha} into {base}"
    parents = [base, pull.head_sha]
    sha = plumbing.commit_tree(path, tree, parents, author="github", message=message, at=state.now())
    plumbing.git(path, "update-ref", ref, sha)


def synchronise(state: State, pull: Pull, actor: User, new: str) -> None:
    """New commits came to the pull request's branch."""
    before, path = pull.head_sha, pull.repo.path
    _bring(pull.head_repo or pull.repo, pull.repo, pull.number, new)
    pull.base_sha = plumbing.resolve(path, f"refs/heads/{pull.base_ref}") or pull.base_sha
    commits = plumbing.log(path, new, f"^{before}", f"^{pull.base_sha}")
    forced = bool(plumbing.log(path, before, f"^{new}"))
    pull.head_sha, pull.updated_at = new, state.now()
    pull.pushes.append(Push(state.next_id(), state.now(), actor, new, commits, forced))
    settle(state, pull)
    _emit(state, "synchronize", pull, actor, before=before, after=new)


def close(state: State, pull: Pull, actor: User) -> None:
    with state.change():
        pull.state, pull.closed_at = "closed", state.now()
        _happened(state, pull, "closed", actor)
        _emit(state, "closed", pull, actor)


def reopen(state: State, pull: Pull, actor: User) -> None:
    """Raises Refusal 422 for a merged one, and for one whose branch is gone or was moved meanwhile."""
    source = pull.head_repo or pull.repo
    if pull.merged_at or plumbing.refs(source.path).get(f"refs/heads/{pull.head_ref}") != pull.head_sha:
        raise invalid("PullRequest", "state", "invalid", "state cannot be changed.")
    with state.change():
        pull.state, pull.closed_at = "open", None
        _happened(state, pull, "reopened", actor)
        settle(state, pull)
        _emit(state, "reopened", pull, actor)


def set_draft(state: State, pull: Pull, actor: User, draft: bool) -> None:
    if pull.draft == draft:
        return
    with state.change():
        pull.draft = draft
        kind = "converted_to_draft" if draft else "ready_for_review"
        _happened(state, pull, kind, actor)
        _emit(state, kind, pull, actor)


def merge(state: State, pull: Pull, actor: User, method: str = "merge") -> str:
    """Merge (`merge` or `squash`) into the base branch; returns the new commit.

    Raises Refusal 405 where GitHub would not merge: closed, a draft, conflicts, or another method.
    """
    from bot.playground.github import pushes

    path = pull.repo.path
    base = plumbing.resolve(path, f"refs/heads/{pull.base_ref}")
    if method not in ("merge", "squash"):
        raise Refusal(405, "Rebase merges are not allowed on this repository.")
    if pull.draft:
        raise Refusal(405, "Pull Request is still a draft")
    tree = plumbing.merge_tree(path, base, pull.head_sha) if base else None
    if pull.state == "closed" or base is None or tree is None:
        raise Refusal(405, "Pull Request is not mergeable")
    if method == "squash":
        parents, title = [base], f"{pull.title} (#{pull.number})"
    else:
        source = (pull.head_repo or pull.repo).owner.login
        parents = [base, pull.head_sha]
        title = f"Merge pull request #{pull.number} from {source}/{pull.head_ref}\n\n{pull.title}"
    with state.change():
        before = plumbing.refs(path)
        sha = plumbing.commit_tree(path, tree, parents, author=actor.login, message=title, at=state.now())
        plumbing.git(path, "update-ref", f"refs/heads/{pull.base_ref}", sha, base)
        merged(state, pull, actor, sha)
        pushes.moved(state, pull.repo, actor, before)
    return sha


def merged(state: State, pull: Pull, actor: User, sha: str) -> None:
    """The pull request's commits are in its base branch, as commit `sha`."""
    pull.state, pull.closed_at, pull.merged_at = "closed", state.now(), state.now()
    pull.merged_by, pull.merge_sha = actor, sha
    _happened(state, pull, "merged", actor, sha)
    _emit(state, "closed", pull, actor)


def behind(pull: Pull) -> bool:
    """Whether the base branch has commits that the pull request's branch has not."""
    base = plumbing.resolve(pull.repo.path, f"refs/heads/{pull.base_ref}")
    return base is not None and bool(plumbing.log(pull.repo.path, base, f"^{pull.head_sha}"))


def update(state: State, pull: Pull, actor: User) -> None:
    """GitHub's button "Update branch": merge the base branch into the pull request's. Raises Refusal 422 where there is
    nothing to merge, or a conflict."""
    from bot.playground.github import pushes

    source, path = pull.head_repo or pull.repo, pull.repo.path
    base = plumbing.resolve(path, f"refs/heads/{pull.base_ref}")
    tree = plumbing.merge_tree(path, base, pull.head_sha) if base and behind(pull) else None
    if pull.state != "open" or base is None or tree is None:
        raise Refusal(
            422, "There are no new commits on the base branch, or merge conflict between base and head."
        )
    title = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
    with state.change():
        before, parents = plumbing.refs(source.path), [pull.head_sha, base]
        sha = plumbing.commit_tree(path, tree, parents, author=actor.login, message=title, at=state.now())
        if source is not pull.repo:
            plumbing.git(path, "push", "--quiet", str(source.path), f"{sha}:refs/heads/{pull.head_ref}")
        else:
            plumbing.git(path, "update-ref", f"refs/heads/{pull.head_ref}", sha, pull.head_sha)
        pushes.moved(state, source, actor, before)


def queue(state: State, pull: Pull, actor: User, *, behind: str = "") -> str:
    """Put it into the merge queue: a test merge on a branch of its own, for which checks are asked; returns its
    commit. `behind`: the commit of the group ahead of it. Raises Refusal 405 where it cannot be merged."""
    path = pull.repo.path
    base = behind or plumbing.resolve(path, f"refs/heads/{pull.base_ref}")
    tree = plumbing.merge_tree(path, base, pull.head_sha) if base else None
    if pull.state == "closed" or pull.draft or base is None or tree is None:
        raise Refusal(405, "Pull Request is not mergeable")
    message = f"Merge pull request #{pull.number} from {pull.head_ref}"
    with state.change():
        parents = [base, pull.head_sha]
        sha = plumbing.commit_tree(path, tree, parents, author="github", message=message, at=state.now())
        ref = f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"
        plumbing.git(path, "update-ref", ref, sha)
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
