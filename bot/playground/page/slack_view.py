"""What the right half shows, from the stand-in for Slack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.playground.slack.model import Message, User
from bot.playground.slack.state import State
from bot.playground.world import World

GROUPED = 300.0
"""Seconds within which one person's messages stand under one name."""


@dataclass(frozen=True)
class Shown:
    """A message as the page shows it. `led`: with name and picture; one that goes on from the one before has none."""

    message: Message
    author: User
    at: datetime
    led: bool
    replies: int = 0


def slack_page(world: World, name: str, place: str, thread: str) -> dict[str, Any]:
    """Everything that the template needs: the channel (or the bot's conversation, or its Home) as `name` sees it.

    place: a channel's id, `direct` or `home`. Raises NotOffered for an unknown person or channel.
    """
    slack, state = world.slack, world.slack.state
    with state.lock:
        user = state.user(name)
        channel = state.conversation(user.id) if place in ("direct", "home") else state.channel(place)
        whispers = [one for one in slack.ephemerals(user.id) if one.channel == channel.id]
        posts = slack.direct(user.id) if channel.im else state.posts[channel.id]
        top = [one for one in [*posts, *whispers] if one.thread_ts in ("", one.ts)]
        answers = [one for one in [*posts, *whispers] if one.thread_ts not in ("", one.ts)]
        root = next((one for one in top if one.ts == thread), None)
        below = [one for one in answers if root and one.thread_ts == root.ts]
        modals = slack.modals(user.id)
        return {
            "user": user,
            "people": [one for one in state.users.values() if not one.bot],
            "channel": channel,
            "place": place,
            "channels": [one for one in state.channels.values() if not one.im and user.id in one.members],
            "messages": _listed(state, top, answers),
            "thread": _listed(state, [root, *below], []) if root else [],
            "home": slack.home(user.id) if place == "home" else None,
            "modal": modals[-1] if modals else None,
            "directs": {one.name: len(slack.direct(one.id)) for one in state.users.values() if not one.bot},
        }


def names(state: State) -> dict[str, str]:
    """Ids of people and channels → their names."""
    people = {user.id: user.full_name for user in state.users.values()}
    return people | {channel.id: channel.name for channel in state.channels.values()}


def _listed(state: State, messages: list[Message], answers: list[Message]) -> list[Shown]:
    found: list[Shown] = []
    for message in sorted(messages, key=lambda one: float(one.ts)):
        at = datetime.fromtimestamp(float(message.ts)).astimezone()
        before = found[-1] if found else None
        led = (
            before is None
            or before.message.user != message.user
            or bool(message.only_for or before.message.only_for)
            or any(block["type"] == "header" for block in message.blocks)
            or float(message.ts) - float(before.message.ts) > GROUPED
        )
        replies = sum(1 for one in answers if one.thread_ts == message.ts)
        found.append(Shown(message, state.users[message.user], at, led, replies))
    return found
