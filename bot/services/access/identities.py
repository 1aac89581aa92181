"""Who a Slack user is on GitHub, and the one-time codes that link them: shown in Slack, given and confirmed on GitHub."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from bot.domain.actors import Actor
from bot.domain.chat import LinkCode, Notice, Result
from bot.domain.ports.chat import ChatUser
from bot.domain.ports.store import Code, Identity
from bot.domain.refusal import Refusal, require
from bot.domain.run import Origin
from bot.domain.sanitize import outside
from bot.services.access.linked import known_users, names_of, notify
from bot.services.access.membership import member, own_name, refuse_other_workspace
from bot.services.audit import AuditSubject, record
from bot.services.context import Context

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LIFE = timedelta(minutes=10)


def resolve_actor(context: Context, actor: Actor) -> Actor:
    """Return the actor with the GitHub login of their Slack user, from the operator's map or a link; unchanged without one.

    Only members of the bot's own workspace have one: shared channels have people of others. Raises TransientError if Slack
    does not say now who somebody is.
    """
    if actor.login or not actor.slack:
        return actor
    user = member(context, actor.slack)
    if user is None:
        return actor
    slack = own_name(context, user)
    spelled = (user.id, *(f"{team}/{user.id}" for team in sorted(user.teams)))
    login = next((context.logins[name] for name in spelled if name in context.logins), "")
    if not login:
        with context.store.read() as tables:
            login = tables.identities.login(slack)
    return Actor(login=login, slack=slack, via=actor.via)


def offer_link(context: Context, actor: Actor) -> Result:
    """Offer a code (31^8 possibilities, valid once for ten minutes) that only the requester sees.

    Only Slack can show it to one person. On GitHub everyone could read it, and whoever used it first in Slack would get
    another person's permissions.
    """
    if actor.via != "slack":
        raise Refusal(
            "code",
            "Linking starts in Slack, where only you can see the code.",
            f"Run `{context.slash} link` in Slack, then comment `/link <code>` here.",
        )
    require(refuse_other_workspace(context, actor))
    if actor.login:
        return Notice(
            f"Your Slack account is linked to @{actor.login}.", f"To end that, run `{context.slash} unlink`."
        )
    code = "".join(secrets.choice(ALPHABET) for _ in range(8))
    until = context.now() + LIFE
    with context.store.begin() as tables:
        tables.identities.offer(Code(_digest(code), "slack", actor.slack, until))
    return LinkCode(code, f"/link {code}", "github", until)


def ask_to_confirm(context: Context, actor: Actor, origin: Origin, code: str) -> Result:
    """Name the Slack user whom a code would link to the author, and bind the code to that author. Links nothing.

    Raises Refusal.
    """
    claimed, user = _claimed(context, actor, origin, code)
    word = code.strip().upper()
    with context.store.read() as tables:
        others = [one for one in known_users(context, tables, actor.login) if one != claimed.who]
        before = tables.identities.login(claimed.who)
    text = f"This links {_describe(user)} in Slack to @{actor.login} on GitHub: whatever they do in Slack then counts as yours."
    if before and before.lower() != actor.login.lower():
        text += f" Their link to @{before} ends."
    if others:
        text += f" @{actor.login} is linked to {names_of(context, others)} already, and stays so."
    return Notice(
        text,
        f"If this is your Slack account, comment `/link {word} yes` until {claimed.expires_at:%H:%M} UTC. If it is not, "
        f"comment `/link {word} no` and tell an admin: somebody gave you their code.",
        tone="warning",
    )


def confirm_link(context: Context, actor: Actor, origin: Origin, code: str) -> Result:
    """Link the Slack user of a code to the author, if an earlier comment of theirs gave the code and got the Slack user's name
    in reply; otherwise reply with that name. Notifies all Slack users linked to that login. Raises Refusal."""
    claimed, user = _claimed(context, actor, origin, code)
    if claimed.asked == origin.delivery:
        return ask_to_confirm(context, actor, origin, code)
    now = context.now()
    with context.store.begin() as tables:
        if tables.identities.redeem(claimed.digest, now) is None:
            raise _invalid(context)
        others = [one for one in known_users(context, tables, actor.login) if one != claimed.who]
        tables.identities.link(Identity(claimed.who, actor.login, now, "code"))
        record(context, tables, "identity.linked", actor, AuditSubject(), linked=claimed.who)
        news = Notice(
            f"{_describe(user)} is now linked to @{actor.login} on GitHub: what they do in Slack counts as theirs there.",
            f"If that is not you, run `{context.slash} unlink`, comment `/unlink` on GitHub, and tell an admin.",
            tone="warning",
        )
        notify(context, tables, origin, [claimed.who, *others], news)
    told = f" {names_of(context, others)} {'were' if len(others) > 1 else 'was'} told." if others else ""
    return Notice(
        f"@{actor.login} is now linked to {_describe(user)} in Slack.{told}",
        "To end that, comment `/unlink`.",
        tone="good",
    )


def decline_link(context: Context, actor: Actor, origin: Origin, code: str) -> Result:
    """Invalidate a code that its author does not confirm. Raises Refusal."""
    claimed, user = _claimed(context, actor, origin, code)
    with context.store.begin() as tables:
        tables.identities.redeem(claimed.digest, context.now())
        record(context, tables, "identity.declined", actor, AuditSubject(), declined=claimed.who)
    return Notice(
        f"{_describe(user)} was not linked to @{actor.login}, and the code no longer works.", tone="good"
    )


def _claimed(context: Context, actor: Actor, origin: Origin, code: str) -> tuple[Code, ChatUser]:
    """Return a code bound to its author, and the Slack user it was offered to. Raises Refusal."""
    if actor.via != "github":
        raise Refusal("code", "Codes are confirmed on GitHub.", f"Comment `/link {code}` on a pull request.")
    with context.store.begin() as tables:
        claimed = tables.identities.claim(
            _digest(code.strip().upper()), actor.login, origin.delivery, context.now()
        )
    if claimed is None:
        raise _invalid(context)
    if claimed.login.lower() != actor.login.lower():
        raise Refusal(
            "code",
            f"This code was given by @{claimed.login} first, and only they can confirm it.",
            f"Run `{context.slash} link` in Slack for one of your own.",
        )
    user = member(context, claimed.who)
    if user is None:
        raise Refusal(
            "other-workspace",
            "The Slack user of this code is not a member of the workspace that Towpath is installed in.",
            f"Run `{context.slash} link` in that workspace.",
        )
    return claimed, user


def _describe(user: ChatUser) -> str:
    """Name a Slack user so that nobody can pass for another: names can be chosen, the id cannot."""
    name = f" ({outside(user.full_name)})" if user.full_name else ""
    return f"`{outside(user.name)}`{name}, user id `{user.id}`,"


def _invalid(context: Context) -> Refusal:
    return Refusal(
        "code",
        "This code is invalid: it was used, or is older than ten minutes.",
        f"Run `{context.slash} link` in Slack for a new one.",
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
