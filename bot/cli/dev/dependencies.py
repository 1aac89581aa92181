"""Which dependencies a working copy starts, and who said that they may be."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from bot.cli.dev.desk import Desk
from bot.dev import LocalLauncher
from bot.domain.dev import definition_digest
from bot.domain.policy import PATH, Environment, Need
from bot.domain.sanitize import outside
from bot.errors import UserError
from bot.sandbox import Sandbox
from bot.services.dev import Machine
from bot.settings import process_environment
from bot.smoke import Checker

TRUSTED = "trusted"
"""A file with the digests of the lists of dependencies that the person accepted."""


def machine(desk: Desk) -> Machine:
    """Return where dependencies run: as the person, in the working copy, outside the sandbox."""
    environment = process_environment()
    launcher = LocalLauncher(desk.copy.top, desk.make_private(), environment)
    return Machine(launcher, Checker(environment, Sandbox()), desk.copy.top)


def dependencies(desk: Desk, environment: Environment, *, trust: bool) -> tuple[Need, ...]:
    """Return the dependencies of the working copy's own policy file, so that one can be changed and tried on a branch.

    They run as the person, outside the sandbox. So if they differ from the default branch's, which has been reviewed, the
    person is asked once; without a terminal, only `trust` accepts them. Raises UserError.
    """
    own = desk.own_needs(environment)
    if not own or own == environment.needs:
        return own
    accepted = desk.make_private() / TRUSTED
    digest = hashlib.sha256("\n".join(map(definition_digest, own)).encode()).hexdigest()
    if accepted.is_file() and digest in accepted.read_text().splitlines():
        return own
    if not trust and not _asked(desk, own, environment.needs):
        raise UserError(
            f"The dependencies of `{environment.name}` in `{PATH}` here are not those of {desk.default.ref}, and run as "
            "you, outside the sandbox.",
            next_step="Read them, then run `towpath dev up --trust`.",
        )
    _accept(accepted, digest)
    return own


def _asked(desk: Desk, own: Sequence[Need], reviewed: Sequence[Need]) -> bool:
    """Show what would run that the default branch does not have, and ask. False without a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    print(f"These dependencies are not those of {desk.default.ref}:\n")
    for need in own:
        if need not in reviewed:
            print(f"  {need.name}: {described(need)}")
    return typer.confirm("\nThey run as you, outside the sandbox. Start them?", default=False)


def described(need: Need) -> str:
    """Return in one line what is started."""
    words = need.command if isinstance(need.command, str) else " ".join(need.command)
    parts = [f"container {need.container}"] if need.container else []
    parts += [f"{words} (from {', '.join(need.wheel)})" if need.wheel else words] if words else []
    return outside(" or ".join(parts))


def _accept(path: Path, digest: str) -> None:
    with path.open("a") as file:
        file.write(f"{digest}\n")
