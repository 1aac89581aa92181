"""Deliveries that come late, twice, or in another order."""

from __future__ import annotations

from bot.playground.world import until
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import Story


def test_five_times_and_out_of_order(make_world: MakeWorld, holds: Holds, both_url: str) -> None:
    """ann pushes twice to her pull request, and GitHub delivers it all in disorder, five times."""
    story = Story(make_world(database_url=both_url), holds=holds)
    hooks = story.github.webhooks
    hooks.hold()
    number = story.propose("medium")
    story.push("large", "ann/change-1")
    hooks.release(shuffled=7)
    hooks.drain()
    for one in list(hooks.log):
        for _time in range(4):
            hooks.redeliver(one.id)
    hooks.drain()
    story.planned(number)
    command = story.say(number, "/apply staging")
    hooks.drain()
    said = next(
        one for one in reversed(hooks.log) if one.event == "issue_comment" and "/apply" in one.body.decode()
    )
    for _time in range(4):
        hooks.redeliver(said.id)
    hooks.drain()
    story.reacted(number, command, "rocket")
    story.is_sound()
    until(
        lambda: story.entries(number, "deployment"), what="the deployment"
    )  # it may come after the reaction
    assert {one.status_code for one in hooks.log} == {202}
    planned = [run for run in story.runs("plan") if run.outcome == "planned"]
    assert len(planned) == 1
    assert [run.outcome for run in story.runs("apply")] == ["applied"]
    assert len(story.holds.calls("apply")) == 1
    assert len(story.comments(number)) == 1
    assert len(story.entries(number, "deployment")) == 1


def test_a_head_that_comes_back_is_planned_again(story: Story) -> None:
    """A push is taken back by force: the plan that stands is of the head, whatever was planned in between."""
    number = story.propose("large")
    story.planned(number)
    branch = story.entries(number, "opened")[0]["head"]
    first = story.entries(number, "commits")[0]["head"]
    second = story.push("huge", branch)
    story.sees(number, second[:7])
    story.planned(number)
    story.github.move_branch(story.repository, branch, first, actor="ann")
    story.sees(number, first[:7])
    story.planned(number)
    assert [run.commit for run in story.runs("plan")] == [first, second, first]
    story.is_sound()
