"""Answer commands: once, where they were given, and limited so that nobody without access can flood a pull request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.actors import Actor
from bot.domain.chat import InternalError, Message, Reply, Word
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.surfaces import Surface
from bot.domain.refusal import Refused
from bot.services.context import Context

QUIET = timedelta(hours=1)
"""How long somebody without access gets no second answer of a kind: anybody may comment on a public pull request."""
MUST_BE_READ = "link"
"""Names whom a code links, before it is confirmed. Nobody can flood a pull request with it: each needs a code from Slack."""


@dataclass(frozen=True)
class CommandScope:
    """The repository and pull request that a command is about, and its remaining words."""

    repository: str
    number: int
    words: list[Word]
    channel: str = ""
    own: bool = False
    """Whether the channel used this repository before, or it is the only one."""


@dataclass(frozen=True)
class CommandReply:
    """The reply to one command. index: its position in the message. name: the command, or "" if it could not be parsed."""

    index: int
    scope: CommandScope
    result: Reply
    name: str = ""


def answer(context: Context, message: Message, actor: Actor, reply: CommandReply) -> bool:
    """Reply to a command. Returns False if no reply is posted, since the person was answered recently and has no access:
    then the reaction is all they see."""
    scope = reply.scope
    if not message.origin.comment:
        post_reply(context, message, reply)
        return True
    kind = "refused" if isinstance(reply.result, Refused | InternalError) else reply.name
    if kind == MUST_BE_READ:
        post_reply(context, message, reply)
        return True
    subject = f"{actor.login}/{kind}@{scope.repository}#{scope.number}"
    if suppressed := _answered_recently(context, subject) and _is_outsider(context, actor, scope):
        mark_answered(context, message, reply.index, scope)
    else:
        post_reply(context, message, reply, mark=subject)
    return not suppressed


def post_reply(context: Context, message: Message, reply: CommandReply, *, mark: str = "") -> None:
    """Post a reply where the command was given. mark: the subject to remember the time under, "" for none."""
    scope, origin = reply.scope, replace(message.origin, index=reply.index)
    with context.store.begin() as tables:
        context.tell(tables, origin, scope.repository, scope.number, reply.result)
        if mark:
            tables.surfaces.save(_posted(context, mark, scope))


def mark_answered(context: Context, message: Message, index: int, scope: CommandScope) -> None:
    """Record a command as answered without a reply, so that it is not run again: its surfaces show the result."""
    with context.store.begin() as tables:
        tables.surfaces.want(_posted(context, f"{message.origin.delivery}:{index}", scope))


def answered(context: Context, message: Message, index: int) -> bool:
    """Whether this command was already run. A delivery is processed again after a crash, or if a later command in it had
    to wait; an `/apply` that was refused because nobody had read the plan must not pass the second time."""
    with context.store.read() as tables:
        return tables.surfaces.get(f"reply:{message.origin.delivery}:{index}") is not None


def _posted(context: Context, subject: str, scope: CommandScope) -> Surface:
    surface = Surface(f"reply:{subject}", "reply", subject, scope.repository, scope.number, digest="posted")
    return replace(surface, settled_at=context.now())


def _answered_recently(context: Context, subject: str) -> bool:
    """Whether a reply with this subject was posted within QUIET."""
    with context.store.read() as tables:
        last = tables.surfaces.get(f"reply:{subject}")
    return last is not None and last.settled_at is not None and context.now() - last.settled_at < QUIET


def _is_outsider(context: Context, actor: Actor, scope: CommandScope) -> bool:
    """Whether somebody has no access of their own. Everybody can read a public repository."""
    try:
        role = context.forge.role(scope.repository, actor.login)
        return role == "none" or (role == "read" and not context.known(scope.repository).private)
    except ForgeError:
        return False
