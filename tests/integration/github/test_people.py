"""Teams, authors, owners and reviews: who counts, and who no longer does."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.ports.forge import ForgeError
from bot.github.authors import COMMITS_PER_QUERY
from bot.playground.github import git
from bot.playground.github.state import Refusal
from bot.playground.github.user_actions import CommitOptions
from tests.integration.github.test_refusals import AT, ask
from tests.integration.github.world import REPO, World


def test_members_of_a_team_and_of_those_below_it(either: World) -> None:
    hub, forge = either.hub, either.forge
    hub.create_team("acme", "platform", ["Bob"])
    hub.create_team("acme", "network", ["carol"], parent="platform")
    assert forge.members("acme/platform") == frozenset({"bob", "carol"})
    assert forge.members("@Acme/Network") == frozenset({"carol"})
    hub.set_members("acme", "network", [])
    assert forge.members("acme/platform") == frozenset({"bob"})
    assert forge.members("acme/network") == frozenset()


def test_more_members_than_fit_on_a_page(either: World) -> None:
    everybody = {f"user-{number}" for number in range(205)}
    either.hub.create_team("acme", "all", everybody)
    assert either.forge.members("acme/all") == frozenset(everybody)


def test_a_team_that_is_renamed_or_gone_is_nobody(either: World) -> None:
    hub, forge = either.hub, either.forge
    hub.create_team("acme", "platform", ["bob"])
    hub.rename_team("acme", "platform", "infrastructure")
    assert forge.members("acme/platform") is None
    assert forge.members("acme/infrastructure") == frozenset({"bob"})
    hub.delete_team("acme", "infrastructure")
    assert forge.members("acme/infrastructure") is None


@pytest.mark.parametrize("team", ["acme", "acme/", "/platform", "acme/no/team", "nobody/platform", "bob/x"])
def test_what_is_no_team(either: World, team: str) -> None:
    assert either.forge.members(team) is None


def test_members_are_not_shown_to_everybody(world: World) -> None:
    world.hub.create_team("acme", "platform", ["bob"])
    path = "/orgs/acme/teams/platform"
    asked = {who: ask(world, who, "GET", path).status_code for who in ("ann", "bot", "stranger", "")}
    assert asked == {"ann": 200, "bot": 200, "stranger": 404, "": 401}
    del world.app.permissions["members"]
    assert ask(world, "bot", "GET", f"{path}/members").status_code == 403
    assert world.forge.members("acme/platform") is None


def test_an_outage_is_not_an_empty_team(either: World) -> None:
    """Nor is a limit, which GitHub tells with 403 too."""
    either.hub.create_team("acme", "platform", ["bob"])
    assert either.forge.members("acme/platform") == frozenset({"bob"})
    either.hub.faults.add("GET", "/members", 502, times=10)
    with pytest.raises(ForgeError) as caught:
        either.forge.members("acme/platform")
    assert caught.value.retry_after
    either.hub.faults.clear()
    assert either.forge.members("acme/platform") == frozenset({"bob"})
    either.hub.faults.add("GET", "/members", 403, message="You have exceeded a secondary rate limit.")
    with pytest.raises(ForgeError, match="limit"):
        either.forge.members("acme/platform")


def test_a_token_that_github_forgot_is_replaced(world: World) -> None:
    world.hub.create_team("acme", "platform", ["bob"])
    for ask_again in (
        lambda: world.forge.members("acme/platform"),
        lambda: world.forge.reviews(REPO, world.number),
    ):
        before = ask_again()
        world.hub.state.tokens.clear()
        assert ask_again() == before


def test_a_role_by_a_team_and_without_it(either: World) -> None:
    hub, forge = either.hub, either.forge
    hub.create_team("acme", "platform", ["dave"], roles={REPO: "write"})
    hub.create_team("acme", "network", ["ann"], parent="platform")
    assert (forge.role(REPO, "dave"), forge.role(REPO, "ann")) == ("write", "write")
    hub.set_role(REPO, "ann", "none")
    assert forge.role(REPO, "ann") == "write"
    hub.set_team_role(REPO, "platform", "maintain")
    assert forge.role(REPO, "ann") == "maintain"
    hub.delete_team("acme", "platform")
    assert (forge.role(REPO, "dave"), forge.role(REPO, "ann")) == ("none", "none")
    assert forge.members("acme/network") is None


def test_authors(either: World) -> None:
    """Author, co-authors and committer of each commit; GitHub's own pages are nobody, nor is an unknown address."""
    hub, forge = either.hub, either.forge
    hub.user("Erin")

    def commit(message: str = "X", **names: str) -> frozenset[str]:
        files = {"x": f"{message}{names}"}
        options = CommitOptions(**names)
        sha = hub.commit_files(REPO, "feature", files, author="ann", message=message, options=options)
        return forge.authors(REPO, [sha])

    assert commit() == {"ann"}
    assert commit(written_by="bob") == {"bob", "ann"}
    assert commit(committer="GitHub") == {"ann"}
    assert commit(written_by="Somebody Else", committer="GitHub") == frozenset()
    helped = "X\n\nCo-authored-by: Bob B. <bob@users.noreply.example.com>\n"
    more = "co-authored-by: E <Erin@users.noreply.example.com>\nCo-authored-by: x <x@example.com>"
    assert commit(helped + more) == {"ann", "bob", "erin"}
    merged = hub.merge_pull(REPO, either.number, actor="bob")
    assert forge.authors(REPO, [merged, either.sha]) == {"ann", "bob"}
    assert forge.authors(REPO, []) == frozenset()
    with pytest.raises(ForgeError):
        forge.authors(REPO, [either.sha, "0" * 40])


def test_authors_of_many_commits(either: World) -> None:
    hub = either.hub
    people = [f"user-{number}" for number in range(COMMITS_PER_QUERY + 1)]
    for login in people:
        hub.user(login)
    commits = [
        hub.commit_files(
            REPO,
            "many",
            {"x": login},
            author="ann",
            message="X",
            options=CommitOptions(written_by=login, committer="GitHub"),
        )
        for login in people
    ]
    asked = either.sent("POST", "/graphql") + either.sent("POST", "/api/graphql")
    assert either.forge.authors(REPO, commits) == set(people)
    assert either.sent("POST", "/graphql") + either.sent("POST", "/api/graphql") == asked + 2


def test_authors_where_there_is_no_graphql(either: World) -> None:
    """A server of REST alone: author and committer, as each commit tells them, and co-authors with GitHub's address."""
    for path in ("/graphql", "/api/graphql"):
        either.hub.faults.add("POST", path, 404, times=10)
    by_bob = CommitOptions(written_by="bob")
    helped = (
        "X\n\nCo-authored-by: C <12+Carol@users.noreply.example.com>\nco-authored-by: x <x@example.com>\n"
    )
    sha = either.hub.commit_files(REPO, "feature", {"x": "y"}, author="ann", message=helped, options=by_bob)
    assert either.forge.authors(REPO, [either.sha, sha]) == {"ann", "bob", "carol"}
    either.hub.faults.clear()
    for path in ("/graphql", "/api/graphql"):
        either.hub.faults.add("POST", path, 502, times=10)
    with pytest.raises(ForgeError) as caught:
        either.forge.authors(REPO, [sha])
    assert caught.value.retry_after


@pytest.mark.parametrize("nobody", [None, {}])
def test_authors_that_github_does_not_know(
    either: World, nobody: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub's description: null or an empty object."""
    for path in ("/graphql", "/api/graphql"):
        either.hub.faults.add("POST", path, 404, times=10)
    monkeypatch.setattr("bot.playground.github.commits._account_view", lambda _state, _name: nobody)
    assert either.forge.authors(REPO, [either.sha]) == frozenset()


def test_a_pull_requests_list_of_commits_ends(world: World) -> None:
    """GitHub: at 250."""
    who = "ann <ann@users.noreply.example.com> 1893456000 +0000"
    start = f"reset refs/heads/long\nfrom {world.sha}\n"
    commits = [f"commit refs/heads/long\ncommitter {who}\ndata 1\nX\n" for _ in range(260)]
    path = world.hub.state.repo(REPO).path
    git.run(path, "fast-import", "--quiet", stdin="".join([start, *commits]).encode())
    end = git.run(path, "rev-parse", "refs/heads/long").decode().strip()
    world.hub.move_branch(REPO, "feature", end, actor="ann")
    shown = [
        ask(world, "ann", "GET", f"{AT}/pulls/{world.number}/commits?per_page=100&page={page}").json()
        for page in (1, 2, 3, 4)
    ]
    assert [len(page) for page in shown] == [100, 100, 50, 0]


def test_owners_that_cannot_own(either: World) -> None:
    hub = either.hub
    text = "* @bob\ninfra/ @acme/platform\ndocs/ @acme/nobody @other/platform\n"
    hub.commit_files(REPO, "main", {".github/CODEOWNERS": text}, author="carol", message="Owners")
    hub.create_team("other", "platform", ["bob"])

    def lines() -> list[str]:
        return [one.split(":")[1] for one in either.forge.codeowners_errors(REPO, "main")]

    assert lines() == ["2", "3", "3"]
    hub.create_team("acme", "platform", ["bob"], roles={REPO: "read"})
    assert lines() == ["2", "3", "3"]
    hub.set_team_role(REPO, "platform", "write")
    assert lines() == ["3", "3"]
    hub.rename_team("acme", "platform", "infrastructure")
    assert lines() == ["2", "3", "3"]
    hub.rename_team("acme", "infrastructure", "platform")
    hub.set_role(REPO, "bob", "read")
    assert lines() == ["3", "3"]
    hub.set_members("acme", "platform", [])
    assert lines() == ["1", "3", "3"]


def test_a_dismissed_and_an_edited_review(either: World) -> None:
    hub, forge, number = either.hub, either.forge, either.number
    review = hub.review(REPO, number, author="bob", state="APPROVED")
    hub.edit_review(REPO, number, review, actor="bob", body="Fine")
    assert [(one.state, one.body) for one in forge.reviews(REPO, number)] == [("approved", "Fine")]
    hub.dismiss_review(REPO, number, review, actor="ann")
    assert [(one.state, one.commit) for one in forge.reviews(REPO, number)] == [("dismissed", either.sha)]


@pytest.mark.parametrize(
    ("who", "path", "body", "status"),
    [
        ("erin", "/dismissals", {"message": "no"}, 403),
        ("ann", "/dismissals", {"message": " "}, 422),
        ("ann", "/dismissals", {}, 422),
        ("ann", "/dismissals", {"message": "no"}, 200),
        ("bot", "/dismissals", {"message": "no"}, 200),
        ("dave", "/dismissals", {"message": "no"}, 404),
        ("ann", "", {"body": "mine now"}, 403),
        ("bob", "", {"body": ""}, 422),
        ("bob", "", {"body": "better"}, 200),
    ],
)
def test_what_github_lets_people_do_to_reviews(
    world: World, who: str, path: str, body: Any, status: int
) -> None:
    review = world.hub.review(REPO, world.number, author="bob", state="CHANGES_REQUESTED", body="No")
    answer = ask(world, who, "PUT", f"{AT}/pulls/{world.number}/reviews/{review}{path}", body)
    assert answer.status_code == status


def test_a_comment_cannot_be_dismissed_and_strangers_cannot_review(world: World) -> None:
    said = world.hub.review(REPO, world.number, author="bob", state="COMMENTED", body="Hm")
    with pytest.raises(Refusal):
        world.hub.dismiss_review(REPO, world.number, said, actor="carol")
    world.hub.user("dave")
    with pytest.raises(Refusal, match="Not Found"):
        world.hub.review(REPO, world.number, author="dave", state="APPROVED")
    world.hub.set_role(REPO, "bob", "none")
    with pytest.raises(Refusal, match="Not Found"):
        world.hub.review(REPO, world.number, author="bob", state="APPROVED")
    assert ask(world, "bob", "GET", AT).status_code == 404
