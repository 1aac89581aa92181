"""What people press on the right: Slack's windows."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import UserError
from bot.playground.page.asked import Asked
from bot.playground.page.pull_acts import Act
from bot.playground.slack.model import Answer
from bot.playground.slack.state import BOT
from bot.playground.world import World

_NAME = f"@{BOT.name}"


def send(world: World, asked: Asked) -> None:
    """A line as typed: a slash command, a mention of the bot, a direct message, or just words."""
    slack, user, channel = world.slack, asked.text("user"), asked.text("channel")
    if channel == "direct":
        channel = slack.state.conversation(slack.state.user(user).id).id
    text, thread = asked.text("text").strip(), asked.text("thread", "")
    if not text:
        raise UserError("There is nothing to send.")
    if text.startswith("/"):
        name, _, rest = text.partition(" ")
        if name != slack.command_name:
            raise UserError(f"{name} is not a valid command.", next_step=f"Try {slack.command_name} help.")
        if thread:
            raise UserError(f"{name} is not supported in threads. Sorry!")
        slack.slash(user, channel, rest.strip())
    elif slack.state.channel(channel).im:
        slack.dm(user, text, thread)
    elif _NAME in text.split():
        words = text.removeprefix(_NAME) if text.startswith(_NAME) else text.replace(f" {_NAME}", "", 1)
        slack.mention(user, channel, words.strip(), thread)
    else:
        slack.write(user, channel, text, thread)


def click(world: World, asked: Asked) -> None:
    _heard(
        world.slack.click(
            asked.text("user"), asked.text("channel"), asked.text("message"), asked.text("action")
        )
    )


def click_view(world: World, asked: Asked) -> None:
    _heard(world.slack.click_view(asked.text("user"), asked.text("view"), asked.text("action")))


def submit(world: World, asked: Asked) -> None:
    """`values`: block_id → text, or the chosen option's value, or a list of them."""
    world.slack.submit(asked.text("user"), asked.text("view"), asked.values("values"))


def dismiss(world: World, asked: Asked) -> None:
    world.slack.dismiss(asked.text("user"), asked.text("view"))


def open_home(world: World, asked: Asked) -> None:
    world.slack.open_home(asked.text("user"))


def _heard(answer: Answer) -> None:
    if not answer.ok:
        raise UserError("Slack: this app did not respond.", next_step="Is the bot running?")


ACTS: Mapping[str, Act] = {
    "slack.send": send,
    "slack.click": click,
    "slack.click_view": click_view,
    "slack.submit": submit,
    "slack.dismiss": dismiss,
    "slack.home": open_home,
}
