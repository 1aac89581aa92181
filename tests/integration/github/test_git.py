"""Real git against the stand-in: clone, fetch of a pull request's head, push, private repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot.playground.github.state import Refusal
from bot.playground.github.user_actions import CommitOptions
from tests.integration.github.world import REPO, World


def git(where: Path, *arguments: str, ok: bool = True) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(where),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{
            f"GIT_{role}_{what}": "ann@example.com"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    done = subprocess.run(
        ["git", *arguments], cwd=where, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is ok, done.stderr
    return done.stdout.strip() if ok else done.stderr


def address(world: World, user: str, password: str) -> str:
    return world.hub.url.replace("http://", f"http://{user}:{password}@") + f"/{REPO}.git"


def test_the_bot_clones_and_fetches(either: World, tmp_path: Path) -> None:
    credentials = either.forge.git_credentials(REPO)
    assert credentials
    git(tmp_path, "clone", "--quiet", address(either, *credentials), "copy")
    copy = tmp_path / "copy"
    assert (copy / "infra/main.tf").read_text() == "# one\n"
    git(copy, "fetch", "--quiet", "origin", f"refs/pull/{either.number}/head")
    assert git(copy, "rev-parse", "FETCH_HEAD") == either.sha
    git(copy, "fetch", "--quiet", "origin", f"refs/pull/{either.number}/merge")
    assert git(copy, "show", "FETCH_HEAD:infra/main.tf") == "# two"
    git(copy, "fetch", "--quiet", "--depth=1", "origin", either.sha)


def test_a_forks_head_is_in_the_base_repository(world: World, tmp_path: Path) -> None:
    fork = world.hub.fork(REPO, "dave")
    sha = world.hub.commit_files(fork, "idea", {"infra/main.tf": "# fork\n"}, author="dave", message="Idea")
    number = world.hub.open_pull(REPO, author="dave", head="idea", title="Idea", fork=fork)
    newer = world.hub.commit_files(
        fork, "idea", {"infra/main.tf": "# newer\n"}, author="dave", message="Newer"
    )
    git(tmp_path, "init", "--quiet", "copy")
    credentials = world.forge.git_credentials(REPO)
    assert credentials
    git(tmp_path / "copy", "fetch", "--quiet", address(world, *credentials), f"refs/pull/{number}/head")
    assert git(tmp_path / "copy", "rev-parse", "FETCH_HEAD", "FETCH_HEAD~1").split() == [newer, sha]
    commits = [e for e in world.hub.timeline(REPO, number) if e["kind"] == "commits"]
    assert [entry["head"] for entry in commits] == [sha, newer]


def test_private_means_private(world: World, tmp_path: Path) -> None:
    stranger = world.hub.user("dave")
    git(tmp_path, "clone", f"{world.hub.url}/{REPO}.git", "copy", ok=False)
    assert "not found" in git(tmp_path, "clone", address(world, "dave", stranger.token), "copy", ok=False)
    assert "Authentication failed" in git(tmp_path, "clone", address(world, "x", "wrong"), "copy", ok=False)


def test_a_push_synchronises(world: World, tmp_path: Path) -> None:
    token = world.hub.user("ann").token
    git(tmp_path, "clone", "--quiet", "--branch=feature", address(world, "ann", token), "copy")
    copy = tmp_path / "copy"
    (copy / "infra/new.tf").write_text("# new\n")
    git(copy, "add", ".")
    git(copy, "commit", "--quiet", "--message=By git")
    git(copy, "push", "--quiet")
    sha = git(copy, "rev-parse", "HEAD")
    assert world.forge.pull(REPO, world.number).head_sha == sha
    pushed = [e for e in world.hub.timeline(REPO, world.number) if e["kind"] == "commits"][-1]
    assert (pushed["actor"], pushed["commits"]) == ("ann", [{"sha": sha, "title": "By git"}])


def test_who_may_not_push(world: World, tmp_path: Path) -> None:
    bot = world.forge.git_credentials(REPO)
    assert bot
    git(tmp_path, "clone", "--quiet", address(world, *bot), "copy")
    copy = tmp_path / "copy"
    git(copy, "commit", "--quiet", "--allow-empty", "--message=No")
    git(copy, "push", ok=False)
    erin = world.hub.user("erin").token
    git(copy, "push", address(world, "erin", erin), "HEAD:refs/heads/x", ok=False)


def test_conflicts_are_not_merged(world: World) -> None:
    world.hub.commit_files(REPO, "main", {"infra/main.tf": "# three\n"}, author="carol", message="Three")
    assert not world.hub.state.pulls[world.hub.state.repo(REPO).id, world.number].mergeable
    with pytest.raises(Refusal, match="not mergeable"):
        world.hub.merge_pull(REPO, world.number, actor="bob")


def test_force_pushes_and_ends_of_branches(world: World) -> None:
    hub = world.hub
    main = world.forge.head_of(REPO, "main")
    newer = hub.commit_files(
        REPO, "other", {"x": "y"}, author="ann", message="Other", options=CommitOptions(main)
    )
    hub.move_branch(REPO, "feature", newer, actor="ann")
    assert world.forge.pull(REPO, world.number).head_sha == newer
    assert [e["forced"] for e in hub.timeline(REPO, world.number) if e["kind"] == "commits"] == [False, True]
    hub.move_branch(REPO, "feature", None, actor="ann")
    assert world.forge.pull(REPO, world.number).state == "closed"
    with pytest.raises(Refusal):
        hub.reopen_pull(REPO, world.number, actor="ann")


def test_pushed_into_main_is_merged(world: World) -> None:
    world.hub.move_branch(REPO, "main", world.sha, actor="carol")
    pull = world.forge.pull(REPO, world.number)
    assert (pull.state, pull.merge_sha) == ("merged", world.sha)


def test_merge_commits_have_both_parents(world: World) -> None:
    main = world.forge.head_of(REPO, "main")
    merged = world.hub.merge_pull(REPO, world.number, actor="bob")
    path = world.hub.state.repo(REPO).path
    assert git(path, "log", "-1", "--format=%P", merged).split() == [main, world.sha]
    kinds = [entry["kind"] for entry in world.hub.timeline(REPO, world.number)]
    assert kinds == ["opened", "commits", "merged"]


@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_other_merges_make_new_commits_with_the_same_files(world: World, method: str) -> None:
    """main moved in between; a rebase keeps each commit and its author, a squash makes one."""
    hub, path = world.hub, world.hub.state.repo(REPO).path
    hub.commit_files(REPO, "feature", {"infra/more.tf": "# more\n"}, author="carol", message="More")
    hub.commit_files(REPO, "main", {"docs/x.md": "x\n"}, author="bob", message="Docs")
    main = world.forge.head_of(REPO, "main")
    head = world.forge.pull(REPO, world.number).head_sha
    merged = hub.merge_pull(REPO, world.number, actor="bob", method=method)
    log = git(path, "log", "--format=%an %cn", f"{main}..{merged}").splitlines()
    assert log == (["carol GitHub", "ann GitHub"] if method == "rebase" else ["ann GitHub"])
    assert git(path, "rev-parse", f"{merged}:infra") == git(path, "rev-parse", f"{head}:infra")
    assert git(path, "rev-parse", f"{merged}:docs") == git(path, "rev-parse", f"{main}:docs")
    pull = world.forge.pull(REPO, world.number)
    assert (pull.state, pull.merge_sha, merged == head) == ("merged", merged, False)
    assert world.forge.merged_pulls(REPO, "main") == [pull]
    assert world.forge.merged_pulls(REPO, "release") == []
