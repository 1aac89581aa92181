"""Lifecycle of a pull request: opened, pushed to, closed, reopened, merged."""

from __future__ import annotations

from dataclasses import dataclass

from bot.playground.github import git, views
from bot.playground.github.call import validation_failed
from bot.playground.github.pull_views import emit, label
from bot.playground.github.records import Event, EventKind, Pull, Push, Repo, User
from bot.playground.github.state import State


def _record(state: State, pull: Pull, kind: EventKind, actor: User, detail: str = "") -> None:
    pull.events.append(Event(state.next_id(), state.now(), kind, actor, detail))
    pull.updated_at = state.now()


@dataclass(frozen=True)
class NewPull:
    """A pull request to open. head, base: branches. head_repo: the fork that `head` is in, if it is in one."""

    title: str
    head: str
    base: str
    body: str = ""
    draft: bool = False
    head_repo: Repo | None = None


def open_pull(state: State, repo: Repo, author: User, new: NewPull) -> Pull:
    """Open a pull request and return it.

    Raises Refusal 422 if a branch is missing, there is nothing to merge, or the same pull request is already open.
    """
    source = new.head_repo or repo
    head_sha = git.refs(source.path).get(f"refs/heads/{new.head}")
    base_sha = git.refs(repo.path).get(f"refs/heads/{new.base}")
    if head_sha is None or base_sha is None:
        raise validation_failed("PullRequest", "base" if head_sha else "head", "invalid")
    for other in state.pulls.values():
        same = other.repo is repo and other.head_repo is source and other.state == "open"
        if same and (other.head_ref, other.base_ref) == (new.head, new.base):
            raise validation_failed(
                "PullRequest", "head", "custom", f"A pull request already exists for {new.head}."
            )
    with state.change():
        number, repo.next_number = repo.next_number, repo.next_number + 1
        _fetch_head(source, repo, number, head_sha)
        commits = git.log(repo.path, head_sha, f"^{base_sha}")
        if not commits:
            raise validation_failed(
                "PullRequest", "head", "custom", f"No commits between {new.base} and {new.head}"
            )
        now = state.now()
        pull = Pull(
            id=state.next_id(),
            repo=repo,
            number=number,
            title=new.title,
            body=new.body,
            author=author,
            head_repo=source,
            head_ref=new.head,
            head_sha=head_sha,
            base_ref=new.base,
            base_sha=base_sha,
            draft=new.draft,
            created_at=now,
            updated_at=now,
        )
        pull.pushes.append(Push(state.next_id(), now, author, head_sha, commits))
        state.pulls[repo.id, number] = pull
        update_mergeability(state, pull)
        emit(state, "opened", pull, author)
    return pull


def _fetch_head(source: Repo, repo: Repo, number: int, sha: str) -> None:
    """Set refs/pull/<n>/head in the base repository, which GitHub keeps for forks and after merges too."""
    ref = f"refs/pull/{number}/head"
    if source is repo:
        git.run(repo.path, "update-ref", ref, sha)
    else:
        git.run(repo.path, "fetch", "--quiet", str(source.path), f"+{sha}:{ref}")


def update_mergeability(state: State, pull: Pull) -> None:
    """Check whether a pull request can be merged, and store the test merge at refs/pull/<n>/merge."""
    path, ref = pull.repo.path, f"refs/pull/{pull.number}/merge"
    base = git.resolve(path, f"refs/heads/{pull.base_ref}")
    tree = git.merge_tree(path, base, pull.head_sha) if base else None
    pull.mergeable = tree is not None
    if base is None or tree is None:
        git.run(path, "update-ref", "-d", ref)
        return
    message = f"Merge {pull.head_sha} into {base}"
    parents = [base, pull.head_sha]
    sha = git.commit_tree(path, tree, parents, author="github", message=message, at=state.now())
    git.run(path, "update-ref", ref, sha)


def synchronise(state: State, pull: Pull, actor: User, new: str) -> None:
    """Record that the pull request's branch now is at `new`, and send the webhook."""
    before, path = pull.head_sha, pull.repo.path
    _fetch_head(pull.head_repo or pull.repo, pull.repo, pull.number, new)
    pull.base_sha = git.resolve(path, f"refs/heads/{pull.base_ref}") or pull.base_sha
    commits = git.log(path, new, f"^{before}", f"^{pull.base_sha}")
    forced = bool(git.log(path, before, f"^{new}"))
    pull.head_sha, pull.updated_at = new, state.now()
    pull.pushes.append(Push(state.next_id(), state.now(), actor, new, commits, forced))
    update_mergeability(state, pull)
    emit(state, "synchronize", pull, actor, before=before, after=new)


def close(state: State, pull: Pull, actor: User) -> None:
    """Close a pull request without merging it."""
    with state.change():
        pull.state, pull.closed_at = "closed", state.now()
        _record(state, pull, "closed", actor)
        emit(state, "closed", pull, actor)


def reopen(state: State, pull: Pull, actor: User) -> None:
    """Reopen a pull request. Raises Refusal 422 if it is merged, or its branch was deleted or pushed to since."""
    source = pull.head_repo or pull.repo
    if pull.merged_at or git.refs(source.path).get(f"refs/heads/{pull.head_ref}") != pull.head_sha:
        raise validation_failed("PullRequest", "state", "invalid", "state cannot be changed.")
    with state.change():
        pull.state, pull.closed_at = "open", None
        _record(state, pull, "reopened", actor)
        update_mergeability(state, pull)
        emit(state, "reopened", pull, actor)


def set_draft(state: State, pull: Pull, actor: User, draft: bool) -> None:
    """Convert a pull request to a draft, or mark it as ready for review."""
    if pull.draft == draft:
        return
    with state.change():
        pull.draft = draft
        kind: EventKind = "converted_to_draft" if draft else "ready_for_review"
        _record(state, pull, kind, actor)
        emit(state, kind, pull, actor)


def add_label(state: State, pull: Pull, actor: User, name: str) -> None:
    """Give a pull request a label that it does not have."""
    if name in pull.labels:
        return
    with state.change():
        pull.labels.append(name)
        _record(state, pull, "labeled", actor, name)
        emit(state, "labeled", pull, actor, label=label(views.repo_api(state, pull.repo), name))


def mark_merged(state: State, pull: Pull, actor: User, sha: str) -> None:
    """Record that a pull request was merged as commit `sha`."""
    pull.state, pull.closed_at, pull.merged_at = "closed", state.now(), state.now()
    pull.merged_by, pull.merge_sha = actor, sha
    _record(state, pull, "merged", actor, sha)
    emit(state, "closed", pull, actor)
