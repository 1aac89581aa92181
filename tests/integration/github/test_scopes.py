"""Installation tokens: for one repository and one purpose each, and refused for everything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.domain.ports.forge import CheckRun, Deployment, ForgeError
from bot.playground.github.access import issue_token
from tests.integration.github.test_git import git
from tests.integration.github.test_refusals import AT, ask_by
from tests.integration.github.world import REPO, World

OTHER = "acme/secrets"
MODULES = "acme/modules"


@pytest.fixture
def two(world: World) -> World:
    """Two more private repositories of the installation."""
    world.hub.create_repo(OTHER, {"main.tf": "# secret\n"}, private=True)
    world.hub.create_repo(MODULES, {"main.tf": "# module\n"}, private=True)
    return world


def password(world: World, *modules: str) -> str:
    return (world.forge.git_credentials(REPO, modules) or ("", ""))[1]


def clone(world: World, where: Path, repository: str, token: str, *, ok: bool = True) -> str:
    url = world.hub.url.replace("http://", f"http://x-access-token:{token}@")
    return git(where, "clone", "--quiet", f"{url}/{repository}.git", repository.replace("/", "-"), ok=ok)


def test_gits_token_reads_one_repository(two: World, tmp_path: Path) -> None:
    token = password(two)
    clone(two, tmp_path, REPO, token)
    for other in (OTHER, MODULES):
        assert "not found" in clone(two, tmp_path, other, token, ok=False)
        assert ask_by(two, token, "GET", f"/repos/{other}/contents/main.tf").status_code == 404


def test_gits_token_does_nothing_else(two: World) -> None:
    """Not even in its own repository, where the App may comment and set checks."""
    token = password(two)
    for method, path, body in (
        ("POST", "/issues/1/comments", {"body": "x"}),
        ("POST", "/check-runs", {"name": "x", "head_sha": two.sha}),
        ("GET", "/pulls/1", None),
        ("PUT", "/pulls/1/merge", {}),
    ):
        answer = ask_by(two, token, method, AT + path, body)
        assert (answer.status_code, answer.json()["message"]) == (
            403,
            "Resource not accessible by integration",
        )
    assert ask_by(two, token, "GET", "/orgs/acme/teams/platform").status_code == 403
    assert [one["full_name"] for one in listed(two, token)] == [REPO]


def listed(world: World, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask_by(world, token, "GET", "/installation/repositories").json()[
        "repositories"
    ]
    return found


def test_listed_modules_are_read_too(two: World, tmp_path: Path) -> None:
    token = password(two, MODULES)
    for repository in (REPO, MODULES):
        clone(two, tmp_path, repository, token)
    assert "not found" in clone(two, tmp_path, OTHER, token, ok=False)
    assert password(two) != token
    assert password(two, MODULES) == token


def test_no_token_is_pushed_with(two: World, tmp_path: Path) -> None:
    clone(two, tmp_path, REPO, password(two))
    copy = tmp_path / REPO.replace("/", "-")
    git(copy, "commit", "--quiet", "--allow-empty", "--message=No")
    git(copy, "push", ok=False)


def test_modules_that_the_app_does_not_reach(two: World) -> None:
    two.hub.create_repo("else/where", {"a": "b"}, private=True)
    for missing in ("acme/nowhere", "acme/where"):
        with pytest.raises(ForgeError, match=f"does not reach {REPO}, {missing}") as caught:
            two.forge.git_credentials(REPO, (missing,))
        assert (caught.value.status, caught.value.retry_after) == (403, None)


def test_a_permission_that_the_app_lost(world: World) -> None:
    """A final answer that says which, not a retry; other calls still work."""
    del world.app.permissions["checks"]
    with pytest.raises(ForgeError, match="`checks: write`") as caught:
        world.forge.check(REPO, CheckRun("towpath/dev", world.sha, "queued", None, "Soon", "…"))
    assert (caught.value.status, caught.value.retry_after) == (403, None)
    world.forge.comment(REPO, world.number, "still here")


@pytest.mark.parametrize(
    "body",
    [
        {"permissions": {"contents": "write"}},
        {"permissions": {"secrets": "read"}},
        {"permissions": {"contents": "all"}},
        {"repositories": ["nowhere"]},
        {"repository_ids": [1]},
    ],
)
def test_what_a_token_cannot_be_made_for(world: World, body: dict[str, Any]) -> None:
    tokens = world.forge.wire.tokens
    path = f"/app/installations/{world.app.installation_id}/access_tokens"
    with pytest.raises(ForgeError) as caught:
        tokens.as_app("POST", path, json=body)  # type: ignore[union-attr]
    assert caught.value.status == 422


def test_a_token_by_repository_id(two: World) -> None:
    path = f"/app/installations/{two.app.installation_id}/access_tokens"
    ids = [two.hub.state.repo(MODULES).id]
    answer = two.forge.wire.tokens.as_app("POST", path, json={"repository_ids": ids})  # type: ignore[union-attr]
    assert [one["full_name"] for one in listed(two, answer.json()["token"])] == [MODULES]
    assert answer.json()["repository_selection"] == "selected"


def test_minimising_needs_a_permission(world: World) -> None:
    """GraphQL asks for the same ones as the rest."""
    comment = world.forge.comment(REPO, world.number, "old")
    token, _ = issue_token(world.hub.state, world.app, {"contents": "read"})
    query = "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) }"
    body = {"query": query, "variables": {"id": comment.node_id}}
    assert ask_by(world, token, "POST", "/graphql", body).json()["errors"][0]["type"] == "FORBIDDEN"
    world.forge.minimise(REPO, comment.node_id)


def test_what_a_pull_request_costs(world: World) -> None:
    """One token for each purpose, and the same ones for the next pull request."""
    hub, forge = world.hub, world.forge
    hub.create_team("acme", "platform", ["bob"])
    path = f"/app/installations/{world.app.installation_id}/access_tokens"

    def everything(number: int, sha: str) -> None:
        forge.repository(REPO)
        forge.pull(REPO, number)
        forge.reviews(REPO, number)
        forge.head_of(REPO, "main")
        forge.git_credentials(REPO)
        forge.file(REPO, "main", "README.md")
        forge.codeowners_errors(REPO, "main")
        forge.authors(REPO, [sha])
        forge.role(REPO, "bob")
        forge.members("acme/platform")
        comment = forge.comment(REPO, number, "<!-- x -->")
        forge.edit_comment(REPO, comment.id, "<!-- x --> more")
        assert forge.find_comment(REPO, number, "<!-- x -->")
        forge.react(REPO, comment.id, "eyes")
        forge.react(REPO, comment.id, "rocket", instead_of=["eyes"])
        forge.minimise(REPO, comment.node_id)
        forge.check(REPO, CheckRun("towpath/dev", sha, "queued", None, "Soon", "…"))
        assert forge.find_check(REPO, sha, "towpath/dev")
        deployment = forge.deploy(REPO, Deployment(sha, "dev", "Apply"))
        forge.deployment_state(REPO, deployment, "in_progress")

    everything(world.number, world.sha)
    assert world.sent("POST", path) == 7
    made = list(hub.state.tokens.values())
    assert all(len(one.permissions) <= 3 for one in made)
    repositories = [one.repositories for one in made if "members" not in one.permissions]
    assert repositories == [frozenset({hub.state.repo(REPO).id})] * 6
    sha = hub.commit_files(REPO, "next", {"infra/main.tf": "# three\n"}, author="ann", message="Three")
    everything(hub.open_pull(REPO, author="ann", head="next", title="Three"), sha)
    assert world.sent("POST", path) == 7


def test_git_over_http_refuses_a_token_without_contents(world: World, tmp_path: Path) -> None:
    token, _ = issue_token(world.hub.state, world.app, {"issues": "write"})
    assert "not found" in clone(world, tmp_path, REPO, token, ok=False)
