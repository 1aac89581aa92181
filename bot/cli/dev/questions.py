"""Questions before something is changed."""

from __future__ import annotations

import sys

import typer

from bot.errors import UserError


def require_answer(yes: bool, command: str) -> None:
    """Raise UserError, before any work is done, if nobody could answer the question that a command will ask."""
    if not yes and not sys.stdin.isatty():
        raise UserError(
            f"`towpath dev {command}` asks before it changes anything, and there is no terminal to ask on.",
            next_step=f"Run `towpath dev {command} --yes`.",
        )


def confirmed(question: str, yes: bool) -> bool:
    """Ask, unless the person already said yes."""
    return yes or typer.confirm(f"\n{question}", default=False)
