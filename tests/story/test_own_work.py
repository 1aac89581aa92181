"""Nobody's consent counts for what is his own: which work is whose, and what a policy may allow all the same."""

from __future__ import annotations

from bot.playground.github.user_actions import CommitOptions
from bot.playground.world import World, until
from tests.story.holds import Holds
from tests.story.production import APPROVALS, CHANNEL, Production, other
from tests.story.test_approvals import OWNED
from tests.story.test_slack import whispered

TEAMS = 'approvals = { count = 2, teams = ["acme/platform", "acme/security"], expires = "1h" }'


def test_earlier_commits_and_co_authors(world: World, holds: Holds) -> None:
    """Whoever wrote, committed or helped with any commit of the pull request is no one to approve it, on no platform;
    who wrote what the base branch has is."""
    story = Production(world, holds)
    for login in ("erin", "frank", "grace"):
        story.github.set_role(story.repository, login, "write")
    number = story.propose(author="ann")
    branch = story.branch(number)
    story.push("larger", branch, author="bob")
    story.github.commit_files(
        story.repository,
        branch,
        other("huge"),
        author="ann",
        message="Bigger\n\nCo-authored-by: Carol C. <carol@users.noreply.example.com>",
    )
    story.github.commit_files(
        story.repository,
        branch,
        other("giant"),
        author="ann",
        message="X",
        options=CommitOptions(written_by="erin", committer="GitHub"),
    )
    story.push("titanic", branch, author="ann")
    story.push({"README.md": "not of this pull request"}, "main", author="grace")
    story.planned(number)
    story.on_staging(number)
    story.asks(number)
    assert (now := story.approval(number))
    assert set(now.excluded) == {"ann", "bob", "carol", "erin"}
    world.slack.click("bob", CHANNEL, story.asked_in_slack(number).ts, "modal:approve")
    whispered(story, "bob", "pushed one of its commits")
    for author in ("carol", "erin"):
        story.refused(number, "/approve prod", "pushed one of its commits", author=author)
    until(story.passed_a_second, what="the next second")
    for author in ("bob", "carol", "erin"):
        story.review(number, author)
    story.refused_or_asked(number, "/apply prod")
    assert not story.on_prod()
    story.accepted(number, "/approve prod", "nothing else is needed", author="grace")
    story.goes(number)
    story.is_sound()


def test_ones_own_consent_where_the_policy_allows_it(world: World, holds: Holds) -> None:
    """`self = true`: whoever asked, opened it and wrote all of it approves; a reader does not."""
    story = Production(world, holds, prod='approvals = { count = 1, self = true, expires = "1h" }')
    number = story.promoted()
    assert story.asks(number).excluded == ()
    story.refused(number, "/approve prod", "you need the `write` role", author="dave")
    story.accepted(number, "/approve prod", "nothing else is needed", author="ann")
    story.goes(number)
    assert story.decisions(number) == [("ann", "approve")]
    story.is_sound()


def test_a_code_owner_who_asks(world: World, holds: Holds) -> None:
    """Nobody waits for somebody who may not: an only owner's own change is refused with the way out. An only owner who
    merely asked lets somebody else ask; a second owner suffices."""
    story = Production(world, holds, prod=OWNED)
    anns = story.promoted("medium")
    story.refused(anns, "/apply prod", "Only @bob may approve", "Ask somebody else to comment", author="bob")
    story.asks(anns)
    story.accepted(anns, "/approve prod", "nothing else is needed")
    story.goes(anns, author="bob")
    story.github.merge_pull(story.repository, anns, actor="ann")
    bobs = story.promoted(author="bob")
    only = "Only @bob may approve as code owner of `infra/main.tf`, and cannot"
    story.refused(bobs, "/apply prod", only, "name another owner in CODEOWNERS on `main`", author="bob")
    assert story.approvals(bobs) == []
    story.push({".github/CODEOWNERS": b"infra/ @bob @carol\n"}, "main", author="carol")
    story.asks(bobs, author="bob")
    story.refused(bobs, "/approve prod", "needs approval from someone else", author="bob")
    story.accepted(bobs, "/approve prod", "nothing else is needed", author="carol")
    story.goes(bobs, author="bob")
    story.is_sound()


def test_two_approvals_by_people_of_two_teams(world: World, holds: Holds) -> None:
    """Two people of the teams that are named; one who is in neither does not count, and one person's two words are one."""
    story = Production(world, holds, prod=TEAMS)
    world.github.create_team("acme", "platform", ["ann", "bob"])
    number = story.promoted()
    story.refused(number, "/apply prod", "Team `acme/security`, whose approval")
    world.github.create_team("acme", "security", ["ann"])
    story.refused(
        number, "/apply prod", "needs 2 approvals by @acme/platform or @acme/security", "only @bob can"
    )
    world.github.set_members("acme", "security", ["carol"])
    story.github.set_role(story.repository, "erin", "write")
    story.asks(number)
    story.refused(number, "/approve prod", "does not count", "2 approvals", author="erin")
    story.accepted(number, "/approve prod", "1 approval from @acme/platform or @acme/security")
    story.accepted(number, "/approve prod", "1 approval from @acme/platform or @acme/security")
    assert not story.on_prod()
    story.accepted(number, "/approve prod", "nothing else is needed", author="carol")
    story.goes(number)
    story.is_sound()


def test_who_may_cause_a_plan_that_sees_secrets(world: World, holds: Holds) -> None:
    """`plan_needs = "maintain"`: not ann, who writes. `"approval"`: not before somebody who wrote none of it approved
    this very head; a push wants that again."""
    story = Production(world, holds, prod=f'plan_needs = "maintain"\n{APPROVALS}')
    number = story.promoted()
    for text in ("/plan prod", "/apply prod"):
        story.refused(number, text, "`maintain` role", "Ask a maintainer to comment `/plan prod`")
    story.reacted(number, story.say(number, "/plan prod", "bob"), "+1")
    story.planned(number, "prod")
    story.asks(number)
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.goes(number)
    story.is_sound()
    head = Production(world, holds, prod=f'plan_needs = "approval"\n{APPROVALS}', repository="acme/head")
    branch = head.branch(number := head.propose())
    head.push("larger", branch, author="carol")
    head.push("largest", branch, author="ann")
    head.planned(number)
    head.on_staging(number)
    head.review(number, "carol")
    for text in ("/plan prod", "/apply prod"):
        head.refused(number, text, f"must approve `{head.head(number)[:7]}` first", "Ask for a review")
    head.review(number, "bob")
    head.reacted(number, head.say(number, "/plan prod"), "+1")
    head.push("huge", branch, author="ann")
    head.planned(number)
    head.refused(number, "/plan prod", f"must approve `{head.head(number)[:7]}` first")
    head.is_sound()


def test_a_name_that_is_typed(world: World, holds: Holds) -> None:
    """What destroys is approved by the environment's name alone: in a comment, in Slack's command, and in the window,
    where a wrong one is told at once."""
    more = '\nresource "terraform_data" "more" {\n  input = "more"\n}\n'
    story = Production(world, holds, prod='approvals = { count = 2, expires = "1h" }')
    before = story.promoted(other("small", more))
    story.asks(before)
    story.accepted(before, "/approve", "approved by @bob")
    story.accepted(before, "/approve", "nothing else is needed", author="carol")
    story.goes(before)
    story.github.merge_pull(story.repository, before, actor="ann")
    number = story.promoted(other("medium"))
    assert story.asks(number).destroys == 1
    story.refused(number, "/approve", "Name the environment to approve it", "`/approve prod`", author="bob")
    story.refused(number, "/approve staging", "staging", author="bob")
    world.slack.slash("bob", CHANNEL, f"approve {story.repository}#{number}")
    whispered(story, "bob", "Name the environment to approve it")
    assert story.decisions(number) == []
    world.slack.slash("bob", CHANNEL, f"approve prod {story.repository}#{number}")
    story.decided(number, ("bob", "approve"))
    posted = story.asked_in_slack(number)
    world.slack.click("carol", CHANNEL, posted.ts, "modal:approve")
    (window,) = world.slack.modals("carol")
    for wrong in ("staging", "PROD", "pro d"):
        world.slack.submit("carol", window.id, {"environment": wrong})
        assert "type prod to approve" in window.errors["environment"]
    assert story.decisions(number) == [("bob", "approve")]
    world.slack.submit("carol", window.id, {"environment": " prod "})
    story.decided(number, ("bob", "approve"), ("carol", "approve"))
    assert world.slack.modals("carol") == []
    story.goes(number)
    story.is_sound()
