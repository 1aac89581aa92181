"""Every method of the port against the stand-in, by App and by token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.ports.forge import CheckRun, Deployment, ForgeError
from bot.github.tokens import AppCredentials
from tests.integration.github.world import REPO, World


def entries(world: World, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in world.hub.timeline(REPO, world.number) if entry["kind"] == kind]


def test_it_knows_itself(either: World) -> None:
    assert either.forge.me() == ("towpath[bot]" if either.by_app else "towpath-machine")
    assert either.forge.checks is either.by_app
    assert either.forge.named("github-actions[bot]").me() == "github-actions[bot]"


def test_repositories(either: World) -> None:
    assert [one.name for one in either.forge.repositories()] == [REPO]
    repository = either.forge.repository("Acme/Infra")
    assert repository.name == REPO
    assert repository.private
    assert repository.clone_url == f"{either.hub.url}/acme/infra.git"
    with pytest.raises(ForgeError) as caught:
        either.forge.repository("acme/nothing")
    assert caught.value.status == 404
    assert caught.value.retry_after is None


def test_more_repositories_than_a_page_holds(either: World) -> None:
    names = [f"acme/r{number:03}" for number in range(101)]
    template = either.hub.state.repos[REPO]
    for number, name in enumerate(names):
        either.hub.state.repos[name] = type(template)(
            **{**template.__dict__, "id": 10_000 + number, "name": name.partition("/")[2]}
        )
    assert sorted(one.name for one in either.forge.repositories()) == [REPO, *names]


def test_pull_requests(either: World) -> None:
    pull = either.forge.pull(REPO, either.number)
    assert (pull.author, pull.title, pull.state, pull.draft) == ("ann", "Two", "open", False)
    assert (pull.head_sha, pull.head_ref, pull.base_ref) == (either.sha, "feature", "main")
    assert not pull.from_fork
    assert either.forge.pulls(REPO) == [pull]
    merged = either.hub.merge_pull(REPO, either.number, actor="bob", method="squash")
    pull = either.forge.pull(REPO, either.number)
    assert (pull.state, pull.merge_sha) == ("merged", merged)
    assert either.forge.pulls(REPO) == []
    assert either.forge.head_of(REPO, "main") == merged
    assert either.forge.pulls_of(REPO, merged) == [pull]
    assert either.forge.pulls_of(REPO, pull.base_sha) == []


def test_branches_with_slashes(either: World) -> None:
    sha = either.hub.commit_files(REPO, "ann/more", {"a": "b"}, author="ann", message="More")
    assert either.forge.head_of(REPO, "ann/more") == sha
    with pytest.raises(ForgeError, match="Branch not found"):
        either.forge.head_of(REPO, "nope")


@pytest.mark.parametrize(
    ("login", "role"),
    [
        ("ann", "write"),
        ("bob", "maintain"),
        ("carol", "admin"),
        ("erin", "triage"),
        ("dave", "none"),
        ("x", "none"),
    ],
)
def test_roles(world: World, login: str, role: str) -> None:
    if login == "dave":
        world.hub.user("dave")
    assert world.forge.role(REPO, login) == role


def test_a_custom_role_counts_as_its_base(either: World) -> None:
    either.hub.set_role(REPO, "dave", "write", custom="release-manager")
    assert either.forge.role(REPO, "dave") == "write"


def test_comments(either: World) -> None:
    forge = either.forge
    for number in range(120):
        either.hub.comment(REPO, either.number, author="ann", body=f"talk {number} <!-- marker -->")
    made = forge.comment(REPO, either.number, "first <!-- marker -->")
    assert (made.author, made.body) == (forge.me(), "first <!-- marker -->")
    for number in range(110):
        either.hub.comment(REPO, either.number, author="ann", body=f"more talk {number} <!-- marker -->")
    assert forge.find_comment(REPO, either.number, "<!-- marker -->") == made
    assert forge.find_comment(REPO, either.number, "<!-- other -->") is None
    forge.edit_comment(REPO, made.id, "second")
    forge.minimise(REPO, made.node_id)
    mine = next(entry for entry in entries(either, "comment") if entry["id"] == made.id)
    assert (mine["body"], mine["edits"], mine["minimised"]) == ("second", 1, "OUTDATED")


def test_what_is_posted_has_githubs_own_time(either: World) -> None:
    """Whatever the clock here says."""
    then = (datetime.now(UTC) + timedelta(minutes=2)).replace(microsecond=0)
    either.hub.state.clock = lambda: then
    made = either.forge.comment(REPO, either.number, "first")
    assert made.created_at == then
    later = then + timedelta(seconds=1)
    either.hub.state.clock = lambda: later
    assert either.forge.edit_comment(REPO, made.id, "second") == later
    posted = either.forge.check(REPO, CheckRun("towpath/dev", either.sha, "queued", None, "…", "…"))
    assert posted.at == later
    assert either.forge.pull(REPO, either.number).updated_at == then, "a comment is an update, an edit is not"


def test_a_deleted_comment_is_404(either: World) -> None:
    made = either.forge.comment(REPO, either.number, "here")
    either.hub.delete_comment(made.id, actor="carol")
    with pytest.raises(ForgeError) as caught:
        either.forge.edit_comment(REPO, made.id, "still here?")
    assert caught.value.status == 404
    with pytest.raises(ForgeError) as caught:
        either.forge.minimise(REPO, made.node_id)
    assert caught.value.status == 404


def test_too_long_a_comment_is_refused_for_good(either: World) -> None:
    with pytest.raises(ForgeError, match="too long") as caught:
        either.forge.comment(REPO, either.number, "x" * 65_537)
    assert (caught.value.status, caught.value.retry_after) == (422, None)
    assert either.forge.comment(REPO, either.number, "x" * 65_536).id


def test_reactions(either: World) -> None:
    comment = either.hub.comment(REPO, either.number, author="ann", body="/plan")
    either.hub.react(comment, actor="bob", content="eyes")
    either.forge.react(REPO, comment, "eyes")
    either.forge.react(REPO, comment, "eyes")
    either.forge.react(REPO, comment, "rocket", instead_of=["eyes", "confused"])
    reactions = entries(either, "comment")[0]["reactions"]
    assert reactions == {"eyes": ["bob"], "rocket": [either.forge.me()]}


def test_checks(world: World) -> None:
    begun = CheckRun("towpath/dev", world.sha, "in_progress", None, "Planning", "…", external_id="run-1")
    done = CheckRun("towpath/dev", world.sha, "completed", "success", "Planned", "+1", text="log")
    assert world.forge.find_check(REPO, world.sha, "towpath/dev") is None
    number = world.forge.check(REPO, begun).id
    assert world.forge.check(REPO, done, number).id == number
    other = world.hub.install_app("acme", slug="other")
    stranger = world.client(app=AppCredentials(str(other.id), other.private_key))
    stranger.check(REPO, begun)
    assert world.forge.find_check(REPO, world.sha, "towpath/dev") == number
    shown = entries(world, "check")[0]
    assert (shown["title"], shown["conclusion"], shown["text"]) == ("Planned", "success", "log")
    again = world.forge.check(REPO, begun).id
    assert world.forge.find_check(REPO, world.sha, "towpath/dev") == again != number


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        (None, "pending"),
        ("success", "success"),
        ("skipped", "success"),
        ("failure", "failure"),
        ("cancelled", "error"),
        ("action_required", "pending"),
    ],
)
def test_statuses_stand_in_for_checks(tmp_path: Any, conclusion: Any, state: str) -> None:
    from tests.integration.github.world import make

    world = make(tmp_path / "git", token=True)
    status: Any = "completed" if conclusion else "queued"
    check = CheckRun(
        "towpath/dev", world.sha, status, conclusion, "T" * 200, "summary", details_url="http://x/"
    )
    assert world.forge.check(REPO, check).id == 0
    shown = entries(world, "status")[0]
    assert (shown["name"], shown["state"], len(shown["description"])) == ("towpath/dev", state, 140)
    assert world.forge.find_check(REPO, world.sha, "towpath/dev") is None
    world.close()


def test_deployments(either: World) -> None:
    forge = either.forge
    forge.check(REPO, CheckRun("towpath/dev", either.sha, "in_progress", None, "Planning", "…"))
    deployment = Deployment(either.sha, "test", "Try it " * 40, {"run": "7"}, transient=True)
    number = forge.deploy(REPO, deployment)
    forge.deployment_state(REPO, number, "in_progress", log_url="http://x/log")
    forge.deployment_state(REPO, number, "success", description="up", environment_url="http://pr-1.test/")
    shown = entries(either, "deployment")[0]
    assert (shown["environment"], shown["state"]) == ("test", "success")
    assert shown["states"][1]["environment_url"] == "http://pr-1.test/"


def test_files(either: World) -> None:
    forge, big = either.forge, b"\x00\xff" * 700_000
    head = either.hub.commit_files(
        REPO, "feature", {"big.bin": big, "empty": "", "a b/ü.txt": "ü"}, author="ann", message="Files"
    )
    assert forge.file(REPO, "main", "infra/main.tf") == b"# one\n"
    assert forge.file(REPO, head, "infra/main.tf") == b"# two\n"
    assert forge.file(REPO, "feature", "big.bin") == big
    assert forge.file(REPO, "feature", "empty") == b""
    assert forge.file(REPO, "feature", "a b/ü.txt") == "ü".encode()
    assert forge.file(REPO, "main", "big.bin") is None
    assert forge.file(REPO, "main", "infra") is None


def test_codeowners_errors(either: World) -> None:
    assert either.forge.codeowners_errors(REPO, "main") == []
    text = "* @bob\ninfra/ @nobody-here\n"
    either.hub.commit_files(REPO, "main", {".github/CODEOWNERS": text}, author="carol", message="Owners")
    assert either.forge.codeowners_errors(REPO, "main") == [".github/CODEOWNERS:2: Unknown owner"]
    either.hub.commit_files(REPO, "main", {".github/CODEOWNERS": None}, author="carol", message="None")
    assert either.forge.codeowners_errors(REPO, "main") == []


def test_reviews(either: World) -> None:
    either.hub.review(REPO, either.number, author="bob", state="CHANGES_REQUESTED", body="No")
    either.hub.review(REPO, either.number, author="bob", state="APPROVED")
    reviews = either.forge.reviews(REPO, either.number)
    assert [(one.author, one.state, one.commit, one.bot) for one in reviews] == [
        ("bob", "changes_requested", either.sha, False),
        ("bob", "approved", either.sha, False),
    ]


def test_a_fork_is_told_apart(either: World) -> None:
    fork = either.hub.fork(REPO, "dave")
    sha = either.hub.commit_files(fork, "idea", {"infra/main.tf": "# fork\n"}, author="dave", message="Idea")
    either.hub.set_role(REPO, "dave", "read")
    number = either.hub.open_pull(REPO, author="dave", head="idea", title="Idea", fork=fork)
    pull = either.forge.pull(REPO, number)
    assert pull.from_fork
    assert (pull.head_repository, pull.head_sha) == ("dave/infra", sha)
