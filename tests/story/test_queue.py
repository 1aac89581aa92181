"""A merge queue that waits for the bot's checks."""

from __future__ import annotations

from bot.playground.world import until
from tests.story.story import Story


def test_the_queue_goes_on(story: Story) -> None:
    """ann's pull request is planned and bob's is not yet when both are queued: the second group waits for that plan."""
    first = story.propose()
    story.planned(first)
    story.holds.hold("plan")
    second = story.propose({"infra/other.tf": 'resource "terraform_data" "other" {}\n'}, author="bob")
    story.holds.await_call("plan", 2)
    github = story.github
    ahead = github.queue_pull(story.repository, first, actor="ann")
    behind = github.queue_pull(story.repository, second, actor="bob", behind=ahead)

    def shown(sha: str) -> tuple[str, str | None]:
        return github.checks_on(story.repository, sha).get("towpath/staging", ("", None, ""))[:2]

    until(lambda: shown(ahead) == ("completed", "success"), what="the first group's check")
    until(lambda: shown(behind)[0] == "in_progress", what="the second group's check")
    story.holds.release("plan")
    until(lambda: shown(behind) == ("completed", "success"), what="the end of the second group's check")
    assert f"#{first}" in github.checks_on(story.repository, behind)["towpath/staging"][2]
    assert len(story.runs()) == 2, "nothing is planned again for the queue"
    story.is_sound()
