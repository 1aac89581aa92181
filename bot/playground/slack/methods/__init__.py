"""Methods of the Web API, one module per family. Each takes state and parameters, and runs under the state's lock."""

from __future__ import annotations

from bot.playground.slack.methods import chat, conversations, users, views
from bot.playground.slack.methods.common import Method

METHODS: dict[str, Method] = {**chat.METHODS, **conversations.METHODS, **users.METHODS, **views.METHODS}

__all__ = ["METHODS", "Method"]
