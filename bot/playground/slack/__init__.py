"""A stand-in for Slack: it keeps state and refuses what Slack refuses."""

from __future__ import annotations

from bot.playground.slack.app import create_app
from bot.playground.slack.model import Answer, Message, OpenView
from bot.playground.slack.refusal import NotOffered
from bot.playground.slack.server import SlackStandIn
from bot.playground.slack.state import State

__all__ = ["Answer", "Message", "NotOffered", "OpenView", "SlackStandIn", "State", "create_app"]
