"""`/help [command]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Help, Result
from bot.domain.suggest import did_you_mean
from bot.domain.words import outside
from commands.registry import Ask, command, find, load


@command(
    "help",
    "[command]",
    role="none",
    repository=False,
    summary="List the commands, or explain one",
    examples=("/help", "/help apply"),
)
def help_(ask: Ask, command: str | None) -> Result:
    """What there is, who may use it, and examples."""
    everything = tuple(one.help for one in load().values())
    if command is None:
        return Help(everything, slash=ask.context.slash)
    word = command.lstrip("/")
    if found := find(word):
        return Help(everything, found.help, ask.context.slash)
    guess = did_you_mean(word, list(load()))
    return Refused(
        "unknown-command",
        f"There is no command `{outside(word)}`.",
        f"Did you mean `/help {guess}`?" if guess else "`/help` lists them.",
    )
