"""One command on the working copy: alone, after what a killed one left, on one target."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from bot.cli.dev.desk import Desk
from bot.cli.dev.local import Local, open_local
from bot.errors import UserError
from bot.services.dev import LocalWork, recover


@contextmanager
def working_copy(here: Desk, env: str, stack: str) -> Iterator[tuple[Local, LocalWork]]:
    """Yield the services on the working copy, and the target to work on, while no other command works here.

    What a killed command left is ended first, and said. Raises UserError.
    """
    environment = here.environment(env)
    chosen = here.stack(stack, environment.name)
    with here.alone(), open_local(here, here.private, uncommitted=True) as local:
        for run in recover(local.context, local.actor):
            print(f"The last {run.word} of {run.target}: {run.message}", file=sys.stderr)
        number = local.pull_context.pull.number
        target = here.policy.target(here.copy.repository, chosen.name, environment.name, number)
        yield local, LocalWork(local.pull_context, target, local.actor)


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
