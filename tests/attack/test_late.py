"""Let a command or a review that was written about one plan count for another one, by delivering it late."""

from __future__ import annotations

from datetime import timedelta

from bot.playground.world import World, until
from tests.fixtures.world import Share
from tests.story.holds import Holds
from tests.story.production import Production
from tests.story.story import Story

COMMENTS = "issue_comment"


def test_apply_for_what_was_pushed_later(story: Story) -> None:
    """ann reviews and applies her small change; before that is delivered, somebody pushes another one to the branch."""
    number = story.propose("medium")
    story.planned(number)
    story.github.webhooks.hold(COMMENTS)
    comment = story.say(number, "/apply staging")
    pushed = story.push("large", "ann/change-1", author="bob")
    until(lambda: story.plan_is_fresh(number), what="a plan of what was pushed")
    story.github.webhooks.release()
    story.reacted(number, comment, "-1")
    told = story.is_told(number, "was published after this was written")
    assert f"`/apply staging {pushed[:7]}`" in told
    assert not story.runs("apply")
    story.reacted(number, story.say(number, f"/apply staging {pushed[:7]}"), "rocket")
    story.is_sound()


def test_approve_what_was_pushed_later(share: Share, holds: Holds) -> None:
    """bob approves ann's change; before that is delivered, another one is pushed, verified and put up for approval."""
    story = Production(share(), holds)
    number = story.promoted("medium")
    story.asks(number)
    story.github.webhooks.hold(COMMENTS)
    approved = story.say(number, "/approve prod", "bob")
    story.push("large", story.branch(number))
    until(lambda: story.plan_is_fresh(number), what="a plan of what was pushed")
    queued = list(story.github.webhooks._waiting)
    story.github.webhooks._waiting.clear()
    story.github.webhooks.release()
    story.on_staging(number)
    story.asks(number)
    assert story.decisions(number) == []
    story.github.webhooks._waiting.extend(queued)
    story.github.webhooks.release()
    story.reacted(number, approved, "-1")
    told = story.is_told(number, "was published after this was written")
    assert f"`/approve prod {story.head(number)[:7]}`" in told
    assert story.decisions(number) == []
    story.accepted(number, f"/approve prod {story.head(number)[:7]}", "nothing else is needed")
    story.is_sound()


def test_ask_for_approval_of_what_was_pushed_later(share: Share, holds: Holds) -> None:
    """ann wants her change applied as soon as it is approved; what is put up for approval is another one."""
    story = Production(share(), holds)
    number = story.promoted("medium")
    story.github.webhooks.hold(COMMENTS)
    asked = story.say(number, "/apply prod when-approved")
    pushed = story.push("large", story.branch(number), author="bob")
    until(lambda: story.plan_is_fresh(number), what="a plan of what was pushed")
    queued = list(story.github.webhooks._waiting)
    story.github.webhooks._waiting.clear()
    story.github.webhooks.release()
    story.on_staging(number, "bob")
    story.github.webhooks._waiting.extend(queued)
    story.github.webhooks.release()
    story.reacted(number, asked, "-1")
    told = story.is_told(number, "was pushed after this was written, or in the same second")
    assert f"`/apply prod {pushed[:7]}`" in told
    assert story.approval(number) is None


def test_let_a_fork_plan_what_was_pushed_later(story: Story) -> None:
    """bob read the fork's commit and lets it be planned; before that is delivered, its author pushes another one."""
    fork = story.github.fork(story.repository, "eve")
    first = story.github.commit_files(
        fork, "change", {"infra/main.tf": b'output "a" {\n  value = 1\n}\n'}, author="eve", message="Fine"
    )
    number = story.github.open_pull(story.repository, author="eve", head="change", title="Fine", fork=fork)
    story.sees(number, "is not read and not planned until")
    story.github.webhooks.hold(COMMENTS)
    comment = story.say(number, "/plan", "bob")
    story.github.commit_files(
        fork, "change", {"infra/evil.tf": b'output "b" {\n  value = 1\n}\n'}, author="eve", message="Evil"
    )
    story.github.webhooks.drain()
    assert story.head(number) != first
    story.github.webhooks.release()
    story.reacted(number, comment, "-1")
    story.is_told(number, "was pushed after this was written, or in the same second")
    assert not story.runs("plan", number)


def test_after_an_outage(story: Story, world: World) -> None:
    """What changes something and was written twenty minutes ago is not done; it is offered again. Questions are
    answered."""
    number = story.propose("medium")
    story.planned(number)
    for text in ("/apply staging", "/lock staging not now", "/revert staging"):
        story.github.webhooks.hold(COMMENTS)
        world.clock.shift(timedelta(minutes=-20, seconds=-30))
        comment = story.say(number, text)
        world.clock.shift(timedelta())
        story.github.webhooks.release()
        story.reacted(number, comment, "-1")
        told = story.is_told(number, "Not executed: this was written on ")
        assert " and reached Towpath 20 min later." in told
        assert f"If you still want it, run `{text}`." in told
    with story.tables() as tables:
        assert not tables.locks.all(story.repository)
    assert not story.runs("apply")
    world.clock.shift(timedelta(minutes=-20, seconds=-30))
    comment = story.say(number, "/history staging")
    world.clock.shift(timedelta())
    story.reacted(number, comment, "+1")
    story.is_told(number, "Late answer: written ")
    story.reacted(number, story.say(number, "/apply staging"), "rocket")
    story.is_sound()


def test_name_a_commit_that_is_not_the_latest(story: Story) -> None:
    number = story.propose("medium")
    story.planned(number)
    first = story.head(number)
    story.push("large", "ann/change-1")
    story.planned(number)
    latest = story.head(number)
    story.reacted(number, story.say(number, f"/apply staging {first[:7]}"), "-1")
    told = story.is_told(
        number, f"This names `{first[:7]}`, but the latest commit of #{number} is `{latest[:7]}`."
    )
    assert f"`/apply staging {latest[:7]}`" in told
    assert not story.runs("apply")
    story.reacted(number, story.say(number, f"/apply staging {latest[:10]}"), "rocket")
    story.is_sound()
