"""Whether a Slack user is a member of the bot's own workspace: nobody else counts, whatever an event says."""

from __future__ import annotations

import structlog

from bot.domain.actors import Actor
from bot.domain.ports.chat import ChatError, ChatUser
from bot.domain.refusal import Refused
from bot.errors import TransientError
from bot.services.context import Context

log = structlog.get_logger()

FRESH = 60.0
"""Seconds for which Slack's answer about a user is reused."""


def member(context: Context, slack: str) -> ChatUser | None:
    """Return a Slack user (`team/user`) if they are an active member of the bot's workspace, else None.

    The workspace is the one that the bot's token belongs to, and the user's are those that Slack names now. The one in
    `slack`, which an event claimed, must be among them too: user ids are unique within a workspace only. Nobody is a member
    if Slack refuses to tell; raises TransientError if it does not answer.
    """
    claimed, _, user = slack.rpartition("/")
    own = _own_team(context)
    if not own or not user:
        return None
    found = context.caches.slack_users.get(user, lambda: _ask(context, user), FRESH)
    return found if found is not None and found.active and {own, claimed} <= found.teams else None


def own_name(context: Context, user: ChatUser) -> str:
    """Return a member as `team/user` of the bot's workspace, which links are stored under."""
    return f"{_own_team(context)}/{user.id}"


def refuse_other_workspace(context: Context, actor: Actor) -> Refused | None:
    """Refuse a Slack user who is not a member of the bot's workspace."""
    if not actor.slack or member(context, actor.slack) is not None:
        return None
    return Refused(
        "other-workspace",
        "Only members of the Slack workspace that Towpath is installed in can use it from Slack, and your account belongs to "
        "another one.",
        "Comment on the pull request instead, with your GitHub account.",
    )


def _own_team(context: Context) -> str:
    try:
        return context.team()
    except ChatError as error:
        _unanswered(error, "auth.test")
        return ""


def _ask(context: Context, user: str) -> ChatUser | None:
    try:
        found = context.slack_user(user)
    except ChatError as error:
        _unanswered(error, "users.info")
        return None
    return found if found.id == user else None


def _unanswered(error: ChatError, method: str) -> None:
    """Raises TransientError if Slack may answer later."""
    if error.retry_after is not None:
        raise TransientError(str(error), retry_after=error.retry_after) from error
    log.warning("Slack does not say who somebody is, so they do not count", method=method, code=error.code)
