"""What somebody said, turned into commands, answers and reactions."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.domain.answers import Refused
from bot.domain.gates import may
from bot.domain.grammar import OTHERS, Line, Word, find, reference, split
from bot.domain.people import Actor
from bot.domain.ports.forge import ForgeError, PullRequest, Role
from bot.domain.requests import Said
from bot.domain.results import Faulted, Result, Started
from bot.domain.suggest import did_you_mean
from bot.domain.words import outside
from bot.errors import TransientError, UserError
from bot.errors import reference as new_reference
from bot.runs.answering import Place, answer, answered, silent
from bot.services.context import Context
from bot.services.linking import resolve
from bot.services.reacting import react
from commands import registry

log = structlog.get_logger()


def hear(context: Context, said: Said) -> None:
    """Run the commands of a comment, slash command or mention, in order; answer each where it was said."""
    if said.bot:
        return
    unread: Refused | None = None
    try:
        lines = lines_of(said)
    except UserError as error:
        lines, unread = [], Refused("grammar", error.what, error.next_step)
    if not lines and unread is None:
        return
    actor = resolve(context, said.actor)
    if unread is not None:
        answer(context, said, actor, 0, Place(said.repository, said.pull, []), "", unread)
        _react(context, said, "-1")
        return
    _react(context, said, "eyes")
    beside: list[str] = []
    worst = "+1"
    for index, line in enumerate(lines):
        if answered(context, said, index):
            beside.append(getattr(registry.find(line.name), "name", line.name))
            continue  # this delivery was worked through before, up to here
        place, result = _run(context, said, actor, line, index, tuple(beside))
        beside.append(getattr(registry.find(line.name), "name", line.name))
        if isinstance(result, Refused | Faulted):
            worst = "-1"
        elif isinstance(result, Started) and worst != "-1":
            worst = "eyes"  # the end of the run changes it
        if isinstance(result, Started) and not result.behind and not said.origin.channel:
            silent(context, said, index, place)
        elif not answer(context, said, actor, index, place, line.name, result):
            worst = "-1"
    if worst != "eyes":
        _react(context, said, worst)
    context.poke()


def _react(context: Context, said: Said, reaction: str) -> None:
    if said.origin.comment:
        with context.store.begin() as tables:
            react(context, tables, said.origin, said.repository, said.pull, reaction)
        context.poke()


def lines_of(said: Said) -> list[Line]:
    """The commands in what somebody said. Raises UserError where they cannot be read."""
    lines = [Line(f"/{said.text.lstrip('/ ').strip() or 'help'}", 1)] if said.slash else find(said.text)
    return [line for line in lines if said.slash or _for_us(line.name)]


def _for_us(name: str) -> bool:
    """A word that is a command of ours, or so near to one that it was meant to be; other bots' words are theirs."""
    if registry.find(name):
        return True
    return name not in OTHERS and did_you_mean(name, registry.load()) is not None


def _run(
    context: Context, said: Said, actor: Actor, line: Line, index: int, beside: tuple[str, ...]
) -> tuple[Place, Result]:
    place = Place(said.repository, said.pull, [])
    origin = replace(said.origin, index=index)
    try:
        words = split(line.text)
        place = place_of(context, said, words, line.name)
        return place, _command(context, place, actor, line, replace(said, origin=origin), beside)
    except UserError as error:
        return place, Refused("refused", error.what, error.next_step)
    except ForgeError as error:
        if error.retry_after is None and error.status in (403, 404):
            return place, Refused(
                "not-found",
                f"GitHub does not show me `{place.repository}`"
                + (f" #{place.number}." if place.number else "."),
                "Check the number, and that the App is installed there.",
            )
        raise TransientError(str(error), retry_after=error.retry_after or 5.0) from error
    except TransientError:
        raise
    except Exception:
        ticket = new_reference()
        log.exception("command failed", reference=ticket, command=line.name, repository=place.repository)
        return place, Faulted(ticket)


def _command(
    context: Context, place: Place, actor: Actor, line: Line, said: Said, beside: tuple[str, ...]
) -> Result:
    command = registry.find(line.name)
    if command is None:
        guess = did_you_mean(line.name, registry.load())
        return Refused(
            "unknown-command",
            f"There is no command `{outside(line.name)}`.",
            f"Did you mean `/{guess}`?" if guess else "`/help` lists them.",
        )
    pull: PullRequest | None = None
    role: Role = "none"
    if command.repository:
        if not place.repository:
            return Refused(
                "which-repository",
                "Which repository?",
                "Name it once in this channel, such as "
                f"`{context.slash} {line.name} acme/infra#12`; it is remembered.",
            )
        role = _role(context, actor, place)
        if no := _unlinked(context, actor, command.role, place) or may(
            role, command.role, f"use `/{command.name}`"
        ):
            return no
        if place.channel and actor.login and not place.own:
            with context.store.begin() as tables:
                tables.identities.remember_channel(place.channel, place.repository)
        if place.number:
            pull = context.refresh(place.repository, place.number)
        elif command.pull:
            kept = " ".join(word for word in line.text[1:].split() if not word.startswith("#"))
            return Refused(
                "which-pull",
                f"`/{command.name}` needs a pull request.",
                f"`{context.slash} {outside(kept)} #12`",
            )
    ask = registry.Ask(context, actor, role, said.origin, place.repository, pull, beside)
    return command.run(ask, place.words)


def place_of(context: Context, said: Said, words: list[Word], name: str) -> Place:
    """In a pull request it is that one. In Slack it is named, or the repository is what the channel last spoke of."""
    if not said.origin.channel:
        return Place(said.repository, said.pull, words)
    with context.store.read() as tables:
        known = {repository.name for repository in tables.pulls.repositories()}
        remembered = tables.identities.channel_repository(said.origin.channel)
        card = (
            tables.surfaces.in_thread(said.origin.channel, said.origin.thread) if said.origin.thread else None
        )
    command = registry.find(name)
    free = command is not None and any(part.rest for part in command.usage.parts)
    repository, number, rest = reference(words, known if free else None)  # a reason may well say "and/or"
    if card is not None and not repository and not said.repository:
        return Place(card.repository, number or card.pull, rest, said.origin.channel, own=True)
    chosen = repository or said.repository or remembered or (next(iter(known)) if len(known) == 1 else "")
    own = chosen != "" and chosen in (remembered, *(known if len(known) == 1 else ()))
    return Place(chosen, number or said.pull, rest, said.origin.channel, own=own)


def _role(context: Context, actor: Actor, place: Place) -> Role:
    """By GitHub, each time. Whoever is in the Slack workspace but not linked may look at what their channel speaks of,
    and at nothing else."""
    if actor.login:
        return context.forge.role(place.repository, actor.login)
    return "read" if place.own else "none"


def _unlinked(context: Context, actor: Actor, needed: Role, place: Place) -> Refused | None:
    if actor.login or needed == "none" or (needed == "read" and place.own):
        return None
    return Refused(
        "unlinked",
        "I do not know your GitHub login yet, so you may look at this channel's repository and nothing else.",
        f"`{context.slash} link` links you in a minute.",
    )
