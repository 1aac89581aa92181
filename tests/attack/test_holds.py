"""Get a reverted commit back into an environment without anybody lifting its hold."""

from __future__ import annotations

from bot.playground.world import World
from tests.fixtures.world import Share
from tests.story.holds import Holds
from tests.story.production import Production
from tests.story.story import Story
from tests.story.test_reverts import configured, on_the_way, web


def reverted(story: Story) -> tuple[int, int]:
    """staging has `large` taken out and is back at `medium`; the pull request, and the serial of `large`."""
    number = story.propose(configured("medium"))
    story.planned(number)
    story.applied(number)
    story.push(configured("large"), "ann/change-1")
    story.planned(number)
    story.applied(number)
    with story.tables() as tables:
        large = tables.releases.newest(story.target())
    assert large is not None
    on_the_way(story, number)
    story.reacted(number, story.say(number, "/revert staging"), "rocket")
    assert "medium" in web(story)
    return number, large.serial


def test_revert_twice(story: Story) -> None:
    """`/revert staging` after a revert would go back to what was taken out."""
    number, serial = reverted(story)
    story.reacted(number, story.say(number, "/revert staging"), "-1")
    told = story.is_told(number, "nothing to revert to")
    assert f"Run `/unhold staging`, then `/revert staging {serial}`" in told
    story.reacted(number, story.say(number, "/revert staging"), "-1")
    assert "medium" in web(story)
    story.is_sound()


def test_revert_by_name(story: Story) -> None:
    """Naming the release does not lift the hold either; `/unhold` does, and says who."""
    number, serial = reverted(story)
    for name in (str(serial), story.head(number)[:7]):
        story.reacted(number, story.say(number, f"/revert staging {name}"), "-1")
        told = story.is_told(number, "is on hold at")
        assert f"Run `/unhold staging`, then `/revert staging {serial}`" in told
    assert "medium" in web(story)
    story.reacted(number, story.say(number, "/unhold staging"), "+1")
    on_the_way(story, number, f"/revert staging {serial}")
    story.reacted(number, story.say(number, "/revert staging"), "rocket")
    assert "large" in web(story)
    assert "hold.lifted" in story.actions()
    story.is_sound()


def test_a_second_hold_keeps_the_first(story: Story) -> None:
    """A further revert, of something else, does not let the commit in that was taken out first."""
    number, _ = reverted(story)
    held = story.head(number)
    other = story.propose(configured("larger"), author="bob")
    story.reacted(other, story.say(other, "/unlock staging", "bob"), "+1")
    story.planned(other)
    story.reacted(other, story.say(other, "/apply staging", "bob"), "rocket")
    on_the_way(story, other)
    story.reacted(other, story.say(other, "/revert staging"), "rocket")
    assert "medium" in web(story)
    story.reacted(other, story.say(other, "/unlock staging", "bob"), "+1")
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    story.sees(number, "`/unhold staging`")
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    told = story.is_told(number, "is on hold at")
    assert held[:7] in told
    assert "medium" in web(story)


def test_approved_by_its_author(share: Share, holds: Holds) -> None:
    """Whoever wrote the change does not approve it as the revert of a revert that somebody else asked for."""
    world: World = share()
    story = Production(world, holds)
    number = story.promoted("medium")
    story.asks(number)
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.reacted(number, story.say(number, "/apply prod"), "rocket")
    story.push("large", story.branch(number))
    story.planned(number)
    story.on_staging(number)
    story.asks(number)
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.reacted(number, story.say(number, "/apply prod"), "rocket")
    serial = story.released("prod").serial
    on_the_way(story, number, "/revert prod")
    story.say(number, "/revert prod")
    story.is_told(number, "requests approval to revert prod")
    story.accepted(number, "/approve prod", "nothing else is needed")
    story.reacted(number, story.say(number, "/revert prod"), "rocket")
    story.reacted(number, story.say(number, "/unhold prod", "bob"), "+1")
    on_the_way(story, number, f"/revert prod {serial}")
    story.say(number, "/revert prod", "bob")
    story.is_told(number, "requests approval to revert prod")
    story.reacted(number, story.say(number, "/approve prod", "ann"), "-1")
    story.is_told(number, "prod needs approval from someone else")
    story.accepted(number, "/approve prod", "nothing else is needed", author="carol")
    story.reacted(number, story.say(number, "/revert prod", "bob"), "rocket")
    story.is_sound()
