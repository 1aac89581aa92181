"""Data that the right half shows, read from the stand-in for Slack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.playground.slack.model import Channel, Message, OpenView, User
from bot.playground.slack.state import State
from bot.playground.world import World

GROUP_SECONDS = 300.0
"""Time within which messages of one author share a name and picture."""


@dataclass(frozen=True)
class MessageView:
    """A message as the page shows it. first: the first of its group, shown with name and picture."""

    message: Message
    author: User
    at: datetime
    first: bool
    replies: int = 0


@dataclass(frozen=True)
class SlackView:
    """What the template shows of Slack. place: a channel's name or id, `direct` or `home`. modal: the one in front.

    directs: login to the number of messages in that user's conversation with the bot.
    """

    user: User
    people: list[User]
    channel: Channel
    place: str
    channels: list[Channel]
    messages: list[MessageView]
    thread: list[MessageView]
    home: OpenView | None
    modal: OpenView | None
    directs: dict[str, int]


def slack_view(world: World, name: str, place: str, thread: str) -> SlackView:
    """Return Slack as the user `name` sees it. thread: `ts` of the message whose thread is open, or empty.

    Raises NotOffered for an unknown user or channel.
    """
    slack, state = world.slack, world.slack.state
    with state.lock:
        user = state.user(name)
        channel = state.conversation(user.id) if place in ("direct", "home") else state.channel(place)
        ephemerals = [one for one in slack.ephemerals(user.id) if one.channel == channel.id]
        posts = slack.direct(user.id) if channel.im else state.posts[channel.id]
        top = [one for one in [*posts, *ephemerals] if one.thread_ts in ("", one.ts)]
        replies = [one for one in [*posts, *ephemerals] if one.thread_ts not in ("", one.ts)]
        root = next((one for one in top if one.ts == thread), None)
        below = [one for one in replies if root and one.thread_ts == root.ts]
        modals = slack.modals(user.id)
        people = [one for one in state.users.values() if not one.bot]
        return SlackView(
            user=user,
            people=people,
            channel=channel,
            place=place,
            channels=[one for one in state.channels.values() if not one.im and user.id in one.members],
            messages=_grouped(state, top, replies),
            thread=_grouped(state, [root, *below], []) if root else [],
            home=slack.home(user.id) if place == "home" else None,
            modal=modals[-1] if modals else None,
            directs={one.name: len(slack.direct(one.id)) for one in people},
        )


def names(state: State) -> dict[str, str]:
    """Return the ids of users and channels with their names."""
    people = {user.id: user.full_name for user in state.users.values()}
    return people | {channel.id: channel.name for channel in state.channels.values()}


def _grouped(state: State, messages: list[Message], replies: list[Message]) -> list[MessageView]:
    found: list[MessageView] = []
    for message in sorted(messages, key=lambda one: float(one.ts)):
        at = datetime.fromtimestamp(float(message.ts)).astimezone()
        before = found[-1] if found else None
        first = (
            before is None
            or before.message.user != message.user
            or bool(message.only_for or before.message.only_for)
            or any(block["type"] == "header" for block in message.blocks)
            or float(message.ts) - float(before.message.ts) > GROUP_SECONDS
        )
        count = sum(1 for one in replies if one.thread_ts == message.ts)
        found.append(MessageView(message, state.users[message.user], at, first, count))
    return found
