"""Other ways to GitHub and Slack: a token instead of an App, a socket instead of requests."""

from __future__ import annotations

import time

from bot.playground.world import CHANNEL, REPOSITORY, World, until
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import Story


def test_a_token_instead_of_an_app(make_world: MakeWorld, holds: Holds) -> None:
    """The bot is a user: commit statuses stand in for checks, and its own comments are no commands."""
    world = make_world()
    world.bot.stop()
    robot = world.github.user("robot")
    world.github.set_role(REPOSITORY, "robot", "write")
    environment = world.environment()
    world.bot.environment |= {
        "TOWPATH_GITHUB_TOKEN": robot.token,
        "TOWPATH_GITHUB_APP_ID": "",
        "TOWPATH_GITHUB_PRIVATE_KEY": "",
    }
    world.bot.start()
    assert environment["TOWPATH_GITHUB_WEBHOOK_SECRET"]
    story = Story(world, holds=holds, bot="robot")
    number = story.propose()
    story.planned(number)
    story.say(number, "/apply staging", author="robot")
    story.applied(number)
    story.is_sound()
    assert len(story.runs("apply")) == 1
    assert story.entries(number, "check") == []
    statuses = story.entries(number, "status")
    assert {one["name"] for one in statuses} == {"towpath/staging"}
    assert statuses[-1]["state"] == "success"


def test_socket_mode(make_world: MakeWorld, holds: Holds) -> None:
    """Slash commands come over a connection that the bot opened; nothing is posted to it."""
    world: World = make_world(settings={"TOWPATH_SLACK_APP_TOKEN": "xapp-playground"})
    world.slack.delivery.bot_url = "http://127.0.0.1:1/nobody"
    story = Story(world, holds=holds)
    number = story.propose(title="By socket")
    story.planned(number)
    until(lambda: world.slack.socket_mode.connected, what="the connection")
    # these requests have no time of Slack's, so that of the machine counts, and the stand-ins' clock may be ahead of it
    until(lambda: world.clock.time() <= time.time(), what="the machine's clock")
    assert world.slack.slash("ann", f"#{CHANNEL}", f"status #{number}").ok
    until(
        lambda: any("staging" in one.text.lower() for one in world.slack.ephemerals("ann")),
        what="the answer that only ann sees",
    )
    world.slack.slash("ann", f"#{CHANNEL}", f"apply staging #{number}")
    story.sees(number, "applied")
    story.is_sound()
