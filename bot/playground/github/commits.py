"""API routes of commits: their JSON, who made them, and comparisons."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.playground.github import git, views
from bot.playground.github.call import Call, Reply, Routes
from bot.playground.github.records import Repo, User
from bot.playground.github.state import Refusal, State

_STATUS = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
"""(commits ahead, commits behind) to the status of a comparison; "identical" if there are neither."""


def resolve(repo: Repo, name: str) -> str:
    """Return the commit that a branch, tag or id names. Raises Refusal 404."""
    found = git.resolve(repo.path, name)
    if found is None:
        raise Refusal(404, f"No commit found for the ref {name}")
    return found


def commit_view(state: State, repo: Repo, sha: str) -> dict[str, Any]:
    """Return a commit's JSON."""
    form = "--format=%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B"
    tree, parents, *people, message = git.run(repo.path, "log", "-1", form, sha).decode().split("\n", 8)
    api, page = views.repo_api(state, repo), f"{state.url}/{repo.full_name}"
    author, committer = (
        dict(zip(("name", "email", "date"), one, strict=True)) for one in (people[:3], people[3:])
    )
    return {
        "url": f"{api}/commits/{sha}",
        "sha": sha,
        "node_id": f"C_{sha}",
        "html_url": f"{page}/commit/{sha}",
        "comments_url": f"{api}/commits/{sha}/comments",
        "commit": {
            "url": f"{api}/git/commits/{sha}",
            "author": author,
            "committer": committer,
            "message": message.strip(),
            "tree": {"sha": tree, "url": f"{api}/git/trees/{tree}"},
            "comment_count": 0,
        },
        "author": _account_view(state, author["email"]),
        "committer": _account_view(state, committer["email"]),
        "parents": [
            {"sha": parent, "url": f"{api}/commits/{parent}", "html_url": f"{page}/commit/{parent}"}
            for parent in parents.split()
        ],
    }


def account_of_email(state: State, email: str) -> User | None:
    """Return the account that an email address belongs to, or None. Case does not matter.

    The address that GitHub's web pages commit with belongs to `web-flow`.
    """
    email = email.lower()
    if email == git.email(git.WEB_COMMITTER):
        return User(19864447, "web-flow", "User", state.now())
    return next((one for one in state.users.values() if git.email(one.login.lower()) == email), None)


def _account_view(state: State, email: str) -> dict[str, Any] | None:
    account = account_of_email(state, email)
    return views.user(state, account) if account else None


def file_view(state: State, repo: Repo, sha: str, file: git.FileChange) -> dict[str, Any]:
    """Return a changed file as pull requests and comparisons list it."""
    path, page = quote(file.path), f"{state.url}/{repo.full_name}"
    blob = git.run(repo.path, "rev-parse", "--verify", "--quiet", f"{sha}:{file.path}", ok=(0, 1, 128))
    return {
        "sha": blob.decode().strip() or None,
        "filename": file.path,
        "status": file.status,
        "additions": file.added,
        "deletions": file.deleted,
        "changes": file.added + file.deleted,
        "blob_url": f"{page}/blob/{sha}/{path}",
        "raw_url": f"{page}/raw/{sha}/{path}",
        "contents_url": f"{views.repo_api(state, repo)}/contents/{path}?ref={sha}",
    }


def _list(call: Call) -> Reply:
    repo = call.repo("contents:read")
    sha = resolve(repo, call.query.get("sha", repo.default_branch))
    listed = list(reversed(git.log(repo.path, sha)))
    return call.page(listed, lambda one: commit_view(call.state, repo, one.sha))


def _get(call: Call) -> Reply:
    repo = call.repo("contents:read")
    return Reply(commit_view(call.state, repo, resolve(repo, call.path["ref"])))


def _compare(call: Call) -> Reply:
    state, repo = call.state, call.repo("contents:read")
    base, dots, head = call.path["basehead"].partition("...")
    if not dots:
        raise Refusal(404, "Not Found")
    old, new = resolve(repo, base), resolve(repo, head)
    common = git.run(repo.path, "merge-base", old, new).decode().strip()
    ahead, behind = git.log(repo.path, new, f"^{old}"), git.log(repo.path, old, f"^{new}")
    url = f"{views.repo_api(state, repo)}/compare/{quote(base)}...{quote(head)}"
    page = f"{state.url}/{repo.full_name}/compare/{quote(base)}...{quote(head)}"
    return Reply(
        {
            "url": url,
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": commit_view(state, repo, old),
            "merge_base_commit": commit_view(state, repo, common),
            "status": _STATUS.get((bool(ahead), bool(behind)), "identical"),
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [commit_view(state, repo, sha) for sha, _ in ahead],
            "files": [file_view(state, repo, new, one) for one in git.changes(repo.path, old, new)],
        }
    )


_PATH = "/repos/{owner}/{repo}"
ROUTES: Routes = [
    ("GET", _PATH + "/commits", _list),
    ("GET", _PATH + "/commits/{ref:path}", _get),
    ("GET", _PATH + "/compare/{basehead:path}", _compare),
]
