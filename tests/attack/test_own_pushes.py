"""Approving one's own change, under another name: git takes any author and committer; only webhooks name the pusher."""

from __future__ import annotations

from bot.playground.github.user_actions import CommitOptions, PullOptions
from bot.playground.world import World, until
from tests.fixtures.world import Share
from tests.story.holds import Holds
from tests.story.production import APPROVALS, CHANNEL, Production, other
from tests.story.story import Story
from tests.story.test_slack import whispered

AS_ANN = CommitOptions(written_by="ann", committer="ann")
OWN = "pushed one of its commits"


def push_as_ann(story: Production, branch: str, size: str) -> str:
    """bob pushes, and git says that ann wrote and committed it."""
    return story.github.commit_files(
        story.repository, branch, other(size), author="bob", message="Bigger", options=AS_ANN
    )


def test_a_commit_in_somebody_elses_name(world: World, holds: Holds) -> None:
    """By comment, by click and by review; also after somebody else pushed more, and after the commit is gone."""
    story = Production(world, holds)
    number = story.propose(author="ann")
    branch, before = story.branch(number), story.head(number)
    push_as_ann(story, branch, "huge")
    story.push("giant", branch, author="ann")
    story.planned(number)
    story.on_staging(number)
    story.asks(number)
    story.refused(number, "/approve prod", OWN, author="bob")
    world.slack.click("bob", CHANNEL, story.asked_in_slack(number).ts, "modal:approve")
    whispered(story, "bob", OWN)
    until(story.passed_a_second, what="the next second")
    story.review(number, "bob")
    story.refused_or_asked(number, "/apply prod")
    assert not story.on_prod()
    story.github.move_branch(story.repository, branch, before, actor="ann")
    story.planned(number)
    story.on_staging(number)
    story.asks(number)
    story.refused(number, "/approve prod", OWN, author="bob")
    story.accepted(number, "/approve prod", "nothing else is needed", author="carol")
    story.goes(number)
    story.is_sound()


def test_a_commit_that_another_branch_had_first(world: World, holds: Holds) -> None:
    """bob pushes ann's commits to a branch without a pull request; ann opens one from a branch of hers with the first of
    them. Whoever only made another branch of ann's commits did not change them."""
    story = Production(world, holds)
    first = push_as_ann(story, "bob/draft", "huge")
    push_as_ann(story, "bob/draft", "giant")
    story.github.move_branch(story.repository, "ann/mine", first, actor="ann")
    number = story.github.open_pull(story.repository, author="ann", head="ann/mine", title="Mine")
    story.planned(number)
    story.on_staging(number)
    story.asks(number)
    story.refused(number, "/approve prod", OWN, author="bob")
    story.github.move_branch(story.repository, "carol/copy", first, actor="carol")
    story.accepted(number, "/approve prod", "nothing else is needed", author="carol")
    story.goes(number)
    story.is_sound()


def test_a_webhook_that_arrives_after_the_approval(share: Share, holds: Holds) -> None:
    """While GitHub's webhooks are late, bob pushes in ann's name, and everything else happens in Slack: the plan, his
    approval, and the apply, which waits for its turn. The webhooks come in any order, then again: the apply is refused."""
    world = share(TOWPATH_SLOTS="1")
    story = Production(world, holds)
    number = story.propose(author="ann")
    story.planned(number)
    busy = Story(world, holds=holds)
    busys = busy.propose()
    busy.planned(busys)
    world.github.webhooks.drain()
    world.github.webhooks.hold()
    push_as_ann(story, story.branch(number), "huge")

    def slash(who: str, words: str, of: Story = story, pull: int = number) -> None:
        world.slack.slash(who, CHANNEL, f"{words} {of.repository}#{pull}")

    slash("ann", "plan staging")
    story.planned(number)
    slash("ann", "apply staging")
    until(lambda: on_staging(story) == story.head(number), what="the release of bob's push on staging")
    slash("ann", "apply prod")
    until(lambda: (now := story.approval(number)) and now.status == "open", what="an open approval")
    slash("bob", "approve prod")
    story.decided(number, ("bob", "approve"))
    before = len(holds.calls("apply"))
    holds.hold("apply")
    slash("ann", "apply staging", busy, busys)
    holds.await_call("apply", before + 1)
    slash("ann", "apply prod")
    queued = until(
        lambda: [run for run in story.runs("apply", number) if run.target.environment == "prod"],
        what="the queued apply",
    )
    log = len(world.github.webhooks.log)
    world.github.webhooks.release(shuffled=7)
    world.github.webhooks.drain()
    for delivery in world.github.webhooks.log[log:]:
        world.github.webhooks.redeliver(delivery.id)
    world.github.webhooks.drain()
    until(lambda: not counted(story, number), what="bob's approval to be void")
    holds.release("apply")
    until(lambda: not story.runs("apply", number)[-1].active, what="the end of the apply")
    with story.tables() as tables:
        run = tables.runs.get(queued[0].id)
    assert run is not None
    assert run.outcome == "refused"
    assert "prod still needs 1 approval" in run.message
    assert not story.on_prod()
    story.accepted(number, "/approve prod", "nothing else is needed", author="carol")
    story.goes(number)
    story.is_sound()


def on_staging(story: Production) -> str:
    """The commit of the newest release."""
    with story.tables() as tables:
        release = tables.releases.newest(story.target("staging"))
    return release.commit if release is not None else ""


def counted(story: Production, number: int) -> bool:
    """Whether the newest approval is complete."""
    approval = story.approval(number)
    return approval is not None and approval.ready_at is not None


def test_code_owners_of_an_unprotected_base_branch(world: World, holds: Holds) -> None:
    """ann names a friend as owner on the base branch of her pull request, to which she may push."""
    story = Production(world, holds, prod=APPROVALS.replace("count = 1", "count = 1, codeowners = true"))
    policy = f'branches = ["release/*"]\n{story.policy}'
    story.push({"envs/environments.toml": policy}, "main", author="carol")
    story.github.set_role(story.repository, "erin", "write")
    story.push({".github/CODEOWNERS": "* @erin\n"}, "release/1", author="ann")
    story.github.commit_files(
        story.repository, "ann/release", other("huge"), author="ann", message="X",
        options=CommitOptions("release/1"),
    )  # fmt: skip
    number = story.github.open_pull(
        story.repository, author="ann", head="ann/release", title="X", options=PullOptions(base="release/1")
    )
    story.planned(number)
    story.on_staging(number)
    assert [one["any_of"] for one in story.asks(number).owners] == [["@bob"]]
    story.accepted(number, "/approve prod", "@bob, code owner of `infra/main.tf`", author="erin")
    story.refused_or_asked(number, "/apply prod")
    assert not story.on_prod()
    story.accepted(number, "/approve prod", "nothing else is needed", author="bob")
    story.goes(number)
    story.is_sound()
