"""`/help [command]`"""

from __future__ import annotations

from bot.domain.chat import Help, Result
from bot.domain.refusal import Refusal
from bot.domain.sanitize import outside
from bot.domain.suggest import did_you_mean
from commands.registry import CommandContext, HelpText, command, find, load


@command(
    "help",
    "[command]",
    text=HelpText(
        summary="List the commands, or explain one",
        examples=("/help", "/help apply"),
    ),
    role="none",
    scope="anywhere",
)
def help_(ctx: CommandContext, command: str | None) -> Result:
    """Lists the commands and who may use them. With a command, it explains that one, with examples."""
    listed = tuple(one.help for one in load().values())
    if command is None:
        return Help(listed, slash=ctx.context.slash)
    word = command.lstrip("/")
    if found := find(word):
        return Help(listed, found.help, ctx.context.slash)
    guess = did_you_mean(word, list(load()))
    raise Refusal(
        "unknown-command",
        f"There is no command `{outside(word)}`.",
        f"Did you mean `/help {guess}`?" if guess else "Run `/help` for the list.",
    )
