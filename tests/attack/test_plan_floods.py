"""Plans by the dozen, which would keep everybody else's waiting."""

from __future__ import annotations

from tests.fixtures.world import Share
from tests.story.holds import Holds
from tests.story.story import Story


def test_one_person_over_all_pull_requests(share: Share, holds: Holds) -> None:
    story = Story(share(TOWPATH_PLANS_PER_PERSON="4"), holds=holds)
    numbers = [story.propose(), story.propose("huge")]
    for number in numbers:
        story.planned(number)
    for number in (*numbers, *numbers):
        story.reacted(number, story.say(number, "/plan staging", "carol"), "+1")
    before = len(story.runs("plan"))
    for number in numbers:
        story.reacted(number, story.say(number, "/plan staging", "carol"), "-1")
        story.is_told(number, "@carol requested plans 4 times within an hour, which is the limit")
        story.is_told(number, "Run `/plan staging` at ")
    story.reacted(numbers[0], story.say(numbers[0], "/plan staging", "ann"), "+1")
    assert len(story.runs("plan")) == before + 1
    story.is_sound()


def test_pushes_to_one_pull_request(share: Share, holds: Holds) -> None:
    """Neither another push nor another person's `/plan` gets more out of it; other pull requests are planned."""
    story = Story(share(TOWPATH_PLANS_PER_PULL="3"), holds=holds)
    number = story.propose("one")
    branch = "ann/change-1"
    story.planned(number)
    for size in ("two", "three"):
        story.push(size, branch)
        story.planned(number)
    story.push("four", branch)
    story.sees(number, "was planned 3 times within an hour, which is the limit. Run `/plan` at ")
    story.reacted(number, story.say(number, "/plan", "bob"), "-1")
    story.is_told(number, f"#{number} was planned 3 times within an hour")
    assert len(story.runs("plan", number)) == 3
    story.planned(story.propose())
    story.is_sound()
