"""The Slack users that are linked to a GitHub login: name them, tell them, and unlink them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.actors import Actor
from bot.domain.chat import Notice, Result
from bot.domain.ports.chat import ChatError
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refusal
from bot.domain.run import Origin
from bot.domain.sanitize import outside
from bot.errors import TransientError
from bot.services.access.membership import member
from bot.services.audit import AuditSubject, record
from bot.services.context import Context


def known_users(context: Context, tables: Tables, login: str) -> list[str]:
    """Return the Slack users of a login, as they are written: from the operator's map, then linked ones."""
    mapped = _mapped(context, login)
    linked = tables.identities.linked_to(login)
    return [*mapped, *(one for one in linked if _user(one) not in {_user(other) for other in mapped})]


def names_of(context: Context, users: Sequence[str]) -> str:
    """Return the names of Slack users for a text; the id where Slack does not tell a name."""
    return ", ".join(f"`{_name(context, user)}`" for user in users)


def notify(context: Context, tables: Tables, origin: Origin, users: Sequence[str], news: Notice) -> None:
    """Send Slack users a direct message, in the transaction of what it is about."""
    for user in dict.fromkeys(_user(one) for one in users):
        place = Origin(f"{origin.id}/to/{user}", channel=user, user=user)
        context.tell(tables, place, "", 0, news)


def unlink(context: Context, actor: Actor, origin: Origin) -> Result:
    """End the link of a Slack user, or on GitHub all links of the author, and tell those Slack users. Raises Refusal."""
    if not actor.login:
        raise Refusal(
            "unlinked",
            "Your Slack account isn't linked to GitHub.",
            f"To link it, run `{context.slash} link`.",
        )
    with context.store.begin() as tables:
        linked = tables.identities.linked_to(actor.login)
        ended = [user for user in linked if actor.via != "slack" or user == actor.slack]
        for user in ended:
            tables.identities.unlink(user)
            record(context, tables, "identity.unlinked", actor, AuditSubject(), unlinked=user)
        where = "in Slack" if actor.via == "slack" else "on GitHub"
        news = Notice(
            f"Your Slack account is no longer linked to @{actor.login}. That was requested {where}."
        )
        notify(context, tables, origin, [user for user in ended if user != actor.slack], news)
    mapped = [
        user
        for user in _mapped(context, actor.login)
        if actor.via != "slack" or _user(user) == _user(actor.slack)
    ]
    if mapped and not ended:
        raise Refusal(
            "operators-map",
            f"@{actor.login} is linked to {names_of(context, mapped)} by the bot's settings.",
            "Ask your Towpath operator to remove it from TOWPATH_SLACK_LOGINS.",
        )
    if not ended:
        return Notice(f"No Slack account is linked to @{actor.login}.")
    stay = "stays" if len(mapped) == 1 else "stay"
    kept = f" {names_of(context, mapped)} {stay} linked by the bot's settings." if mapped else ""
    are = "is" if len(ended) == 1 else "are"
    return Notice(f"{names_of(context, ended)} {are} no longer linked to @{actor.login}.{kept}", tone="good")


def _mapped(context: Context, login: str) -> list[str]:
    """Return the Slack users that the operator's map gives a login."""
    return [user for user, name in context.logins.items() if name.lower() == login.lower()]


def _name(context: Context, slack: str) -> str:
    try:
        user = member(context, slack if "/" in slack else f"{context.team()}/{slack}")
    except (ChatError, TransientError):
        user = None
    return outside(user.name) if user else _user(slack)


def _user(slack: str) -> str:
    return slack.rpartition("/")[2]
