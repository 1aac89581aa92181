"""Actions on the right half: what users do in Slack."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import UserError
from bot.playground.page.pull_actions import Action
from bot.playground.page.request_fields import RequestFields
from bot.playground.slack.model import Answer
from bot.playground.slack.state import BOT
from bot.playground.world import World

_MENTION = f"@{BOT.name}"


def send(world: World, fields: RequestFields) -> None:
    """Send a line as typed: a slash command, a mention of the bot, a direct message, or any other message."""
    slack, user, channel = world.slack, fields.text("user"), fields.text("channel")
    if channel == "direct":
        channel = slack.state.conversation(slack.state.user(user).id).id
    text, thread = fields.text("text").strip(), fields.text("thread", "")
    if not text:
        raise UserError("The message is empty.")
    if text.startswith("/"):
        name, _, rest = text.partition(" ")
        if name != slack.command_name:
            raise UserError(f"{name} is not a valid command.", next_step=f"Try {slack.command_name} help.")
        if thread:
            raise UserError(f"{name} is not supported in threads. Sorry!")
        slack.slash(user, channel, rest.strip())
    elif slack.state.channel(channel).im:
        slack.dm(user, text, thread)
    elif _MENTION in text.split():
        rest = (
            text.removeprefix(_MENTION) if text.startswith(_MENTION) else text.replace(f" {_MENTION}", "", 1)
        )
        slack.mention(user, channel, rest.strip(), thread)
    else:
        slack.write(user, channel, text, thread)


def click(world: World, fields: RequestFields) -> None:
    """Click a button of a message."""
    answer = world.slack.click(
        fields.text("user"), fields.text("channel"), fields.text("message"), fields.text("action")
    )
    _require_answer(answer)


def click_view(world: World, fields: RequestFields) -> None:
    """Click a button in a modal or in the Home tab."""
    answer = world.slack.click_view(fields.text("user"), fields.text("view"), fields.text("action"))
    _require_answer(answer)


def submit(world: World, fields: RequestFields) -> None:
    """Submit a modal. `values`: block id to text, the chosen option's value, or a list of them."""
    world.slack.submit(fields.text("user"), fields.text("view"), fields.form("values"))


def dismiss(world: World, fields: RequestFields) -> None:
    """Close a modal."""
    world.slack.dismiss(fields.text("user"), fields.text("view"))


def open_home(world: World, fields: RequestFields) -> None:
    """Open the bot's Home tab."""
    world.slack.open_home(fields.text("user"))


def _require_answer(answer: Answer) -> None:
    if not answer.ok:
        raise UserError("Slack: this app did not respond.", next_step="Is the bot running?")


ACTIONS: Mapping[str, Action] = {
    "slack.send": send,
    "slack.click": click,
    "slack.click_view": click_view,
    "slack.submit": submit,
    "slack.dismiss": dismiss,
    "slack.home": open_home,
}
