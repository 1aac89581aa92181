"""The Web API's methods, a module for each family. Each takes the state and the parameters, under the state's lock."""

from __future__ import annotations

from bot.playground.slack.methods import chat, conversations, people, views
from bot.playground.slack.methods.common import Method

METHODS: dict[str, Method] = {**chat.METHODS, **conversations.METHODS, **people.METHODS, **views.METHODS}

__all__ = ["METHODS", "Method"]
