"""One person on two platforms: a one-time code asked for on one side, confirmed on the other."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from bot.domain.answers import Refused
from bot.domain.people import Actor
from bot.domain.ports.chat import ChatError
from bot.domain.ports.store import Code, Identity
from bot.domain.results import LinkCode, Noted, Result
from bot.errors import TransientError
from bot.services.auditing import record
from bot.services.context import Context

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LIFE = timedelta(minutes=10)


def resolve(context: Context, actor: Actor) -> Actor:
    """The actor with the login that belongs to a Slack user: from the static map, else from a link; or unchanged.

    Slack: a shared channel has people of other workspaces. In the map `T01/U02` is a user of that workspace, and a bare
    `U02` one of the bot's own. Raises TransientError where Slack does not tell now which that is.
    """
    if actor.login or not actor.slack:
        return actor
    team, _, user = actor.slack.rpartition("/")
    login = context.logins.get(actor.slack, "")
    if not login and user in context.logins and team == _own_team(context):
        login = context.logins[user]
    if not login:
        with context.store.read() as tables:
            login = tables.identities.login(actor.slack)
    return Actor(login=login, slack=actor.slack, via=actor.via)


def _own_team(context: Context) -> str:
    try:
        return context.team()
    except ChatError as error:
        if error.retry_after is None:
            return ""  # the token is no good: nobody is who the map says
        raise TransientError(str(error), retry_after=error.retry_after) from error


def offer(context: Context, actor: Actor) -> Result:
    """A code for the asker's eyes alone (31^8 possibilities, ten minutes, once).

    Only Slack can show it to one person alone; on GitHub everybody would read it, and whoever types it first in
    Slack would become somebody else.
    """
    if actor.via != "slack":
        return Refused(
            "code",
            "A link begins in Slack, where only you see the code.",
            f"Type `{context.slash} link` in Slack, then `/link <code>` here.",
        )
    if actor.login:
        return Noted(f"You are linked to @{actor.login}.")
    code = "".join(secrets.choice(ALPHABET) for _ in range(8))
    until = context.now() + LIFE
    with context.store.begin() as tables:
        tables.identities.offer(Code(_digest(code), "slack", actor.slack, until))
    return LinkCode(code, f"/link {code}", "github", until)


def confirm(context: Context, actor: Actor, code: str) -> Result:
    """Use a code on GitHub: who comments it there is the person who was given it in Slack."""
    if actor.via != "github":
        return Refused(
            "code",
            "A code is confirmed on GitHub, which knows your login.",
            f"Comment `/link {code}` on a pull request.",
        )
    now = context.now()
    with context.store.begin() as tables:
        found = tables.identities.redeem(_digest(code.strip().upper()), now)
        if found is None:
            return Refused(
                "code",
                "This code is not valid: it was used, or it is older than ten minutes.",
                f"Get a new one with `{context.slash} link` in Slack.",
            )
        tables.identities.link(Identity(found.who, actor.login, now, "code"))
        record(context, tables, "identity.linked", actor, linked=found.who)
    return Noted(
        f"@{actor.login} is linked to a Slack user now.",
        "If that was not you: tell an admin, since somebody gave you their code.",
        tone="good",
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
