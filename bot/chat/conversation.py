"""Run the commands in a message; reply and react to them."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.chat.answers import CommandReply, CommandScope, answer, answered, mark_answered
from bot.chat.lateness import mark_late, refuse_late, same_command
from bot.domain.actors import Actor, Role
from bot.domain.chat import (
    OTHER_BOTS,
    InternalError,
    Line,
    Message,
    Result,
    RunsStarted,
    Word,
    find_commands,
    find_reference,
    split_words,
)
from bot.domain.gates import refuse_role
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.refusal import Refused, refused
from bot.domain.sanitize import outside
from bot.domain.suggest import did_you_mean
from bot.errors import TransientError, UserError
from bot.errors import reference as new_reference
from bot.services.access import refuse_other_workspace, resolve_actor
from bot.services.context import Context
from bot.services.runs import react
from commands import registry

log = structlog.get_logger()


def run_commands(context: Context, message: Message) -> None:
    """Run the commands of a comment, slash command or mention, in order; reply to each where it was given."""
    if message.bot:
        return
    unreadable: Refused | None = None
    try:
        lines = lines_of(message)
    except UserError as error:
        lines, unreadable = [], Refused("grammar", error.what, error.next_step)
    if not lines and unreadable is None:
        return
    actor = resolve_actor(context, message.actor)
    if unreadable is not None:
        answer(
            context,
            message,
            actor,
            CommandReply(0, CommandScope(message.repository, message.pull, []), unreadable),
        )
        _react(context, message, "-1")
        return
    _react(context, message, "eyes")
    earlier: list[str] = []
    reaction = "+1"
    for index, line in enumerate(lines):
        if answered(context, message, index):
            earlier.append(_full_name(line.name))
            continue  # the delivery was processed up to here before
        scope, result = _run(context, message, actor, line, index, tuple(earlier))
        earlier.append(_full_name(line.name))
        if isinstance(result, Refused | InternalError):
            reaction = "-1"
        elif isinstance(result, RunsStarted) and reaction != "-1":
            reaction = "eyes"  # replaced when the run ends
        said = result if isinstance(result, Refused) else mark_late(context, message.origin, result)
        if isinstance(said, RunsStarted) and said.at_once and not message.origin.channel:
            mark_answered(context, message, index, scope)
        elif not answer(context, message, actor, CommandReply(index, scope, said, line.name)):
            reaction = "-1"
    if reaction != "eyes":
        _react(context, message, reaction)


def _full_name(name: str) -> str:
    """Return the command's name for an alias; unknown names stay as they are."""
    command = registry.find(name)
    return command.name if command else name


def _react(context: Context, message: Message, reaction: str) -> None:
    if message.origin.comment:
        with context.store.begin() as tables:
            react(context, tables, message.origin, message.repository, message.pull, reaction)


def lines_of(message: Message) -> list[Line]:
    """Return the commands in a message. Raises UserError if they cannot be parsed."""
    lines = (
        [Line(f"/{message.text.lstrip('/ ').strip() or 'help'}", 1)]
        if message.slash
        else find_commands(message.text)
    )
    return [line for line in lines if message.slash or _is_ours(line.name)]


def _is_ours(name: str) -> bool:
    """Whether a word is one of our commands or a likely typo of one, and not another bot's command."""
    if registry.find(name):
        return True
    return name not in OTHER_BOTS and did_you_mean(name, registry.load()) is not None


def _run(
    context: Context, message: Message, actor: Actor, line: Line, index: int, earlier: tuple[str, ...]
) -> tuple[CommandScope, Result]:
    scope = CommandScope(message.repository, message.pull, [])
    origin = replace(message.origin, index=index)
    try:
        words = split_words(line.text)
        scope = scope_of(context, message, words, line.name)
        return scope, _command(context, scope, actor, line, replace(message, origin=origin), earlier)
    except UserError as error:
        return scope, refused(error)
    except ForgeError as error:
        if error.retry_after is None and error.status in (403, 404):
            return scope, Refused(
                "not-found",
                f"Towpath has no access to `{scope.repository}`"
                + (f" #{scope.number}." if scope.number else "."),
                "Check the name and number, and that the Towpath App is installed there.",
            )
        raise TransientError(str(error), retry_after=error.retry_after or 5.0) from error
    except TransientError:
        raise
    except Exception:
        ticket = new_reference()
        log.exception("command failed", reference=ticket, command=line.name, repository=scope.repository)
        return scope, InternalError(ticket)


def _command(
    context: Context,
    scope: CommandScope,
    actor: Actor,
    line: Line,
    message: Message,
    earlier: tuple[str, ...],
) -> Result:
    command = registry.find(line.name)
    if command is None:
        guess = did_you_mean(line.name, registry.load())
        return Refused(
            "unknown-command",
            f"There is no command `{outside(line.name)}`.",
            f"Did you mean `/{guess}`?" if guess else "Run `/help` for the list.",
        )
    pull: PullRequest | None = None
    role: Role = "none"
    if command.scope != "anywhere":
        if not scope.repository:
            return Refused(
                "which-repository",
                "No repository is set for this channel.",
                f"Name it once, such as `{context.slash} {line.name} owner/name#12`; the channel remembers it.",
            )
        role = _role(context, actor, scope)
        if refusal := _unlinked(context, actor, command.role, scope) or refuse_role(
            role, command.role, f"use `/{command.name}`"
        ):
            return refusal
        if command.changes and (late := refuse_late(context, message.origin, same_command(scope.words))):
            return late
        if scope.channel and actor.login and not scope.own:
            with context.store.begin() as tables:
                tables.identities.remember_channel(scope.channel, scope.repository)
        if scope.number:
            pull = context.refresh(scope.repository, scope.number)
        elif command.scope == "pull":
            arguments = " ".join(word for word in line.text[1:].split() if not word.startswith("#"))
            return Refused(
                "which-pull",
                f"`/{command.name}` needs a pull request.",
                f"Add one, such as `{context.slash} {outside(arguments)} #12`.",
            )
    command_context = registry.CommandContext(
        context, actor, role, message.origin, scope.repository, pull, earlier
    )
    return command.run(command_context, scope.words)


def scope_of(context: Context, message: Message, words: list[Word], name: str) -> CommandScope:
    """Return the repository and pull request of a command: in a pull request, that one; in Slack, the named one, else the
    thread's pull request, else the repository that the channel used last."""
    if not message.origin.channel:
        return CommandScope(message.repository, message.pull, words)
    with context.store.read() as tables:
        known = {repository.name for repository in tables.pulls.repositories()}
        remembered = tables.identities.channel_repository(message.origin.channel)
        card = (
            tables.surfaces.in_thread(message.origin.channel, message.origin.thread)
            if message.origin.thread
            else None
        )
    command = registry.find(name)
    has_free_text = command is not None and any(part.rest for part in command.usage.parts)
    # Free text may contain "and/or", so only known repositories count in it.
    repository, number, rest = find_reference(words, known if has_free_text else None)
    if card is not None and not repository and not message.repository:
        return CommandScope(card.repository, number or card.pull, rest, message.origin.channel, own=True)
    chosen = repository or message.repository or remembered or (next(iter(known)) if len(known) == 1 else "")
    own = chosen != "" and chosen in (remembered, *(known if len(known) == 1 else ()))
    return CommandScope(chosen, number or message.pull, rest, message.origin.channel, own=own)


def _role(context: Context, actor: Actor, scope: CommandScope) -> Role:
    """Return the role, read from GitHub each time. A Slack user who is not linked can only read the channel's own
    repository."""
    if actor.login:
        return context.forge.role(scope.repository, actor.login)
    return "read" if scope.own else "none"


def _unlinked(context: Context, actor: Actor, needed: Role, scope: CommandScope) -> Refused | None:
    if actor.login or needed == "none":
        return None
    if refusal := refuse_other_workspace(context, actor):
        return refusal
    if needed == "read" and scope.own:
        return None
    return Refused(
        "unlinked",
        "Your Slack account isn't linked to GitHub, so you have read-only access to this channel's repository.",
        f"Run `{context.slash} link`.",
    )
