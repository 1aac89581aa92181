"""The working copy that a command is run in: its policy, its private directory, its environment."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.domain.policy import PATH, Environment, Need, Policy, Stack, parse_policy
from bot.domain.suggest import hint
from bot.errors import UserError
from bot.git.working_copy import DefaultBranch, WorkingCopy, find_working_copy
from bot.settings import process_environment

PRIVATE = ".towpath"
"""The directory at the top of the working copy for all that `towpath dev` keeps; git ignores it in this clone."""

PULL = 1
"""The number of the pull request that a working copy is treated as."""


@dataclass(frozen=True)
class Desk:
    """copy: the clone. default: its default branch."""

    copy: WorkingCopy
    default: DefaultBranch

    @property
    def private(self) -> Path:
        return self.copy.top / PRIVATE

    @cached_property
    def policy(self) -> Policy:
        """The default branch's policy, as the bot has it. Raises UserError if there is none, or it is not valid."""
        text = self.copy.read(self.default.commit, PATH)
        if text is None:
            raise UserError(
                f"There is no `{PATH}` on {self.default.ref}.",
                next_step=f"Commit one there: nothing else says what may run. If {self.default.ref} is old, run "
                "`git fetch origin`.",
            )
        return parse_policy(
            text, f"{PATH} at {self.default.ref} ({self.default.commit[:7]})", self.copy.repository
        )

    def environment(self, name: str) -> Environment:
        """Return the local environment with this name, or the one to use without a name. Raises UserError."""
        local = [env.name for env in self.policy.environments.values() if env.local]
        chosen = name or ("dev" if "dev" in local else local[0] if len(local) == 1 else "")
        if chosen in local:
            return self.policy.environments[chosen]
        if not local:
            what, step = f"`{PATH}` on {self.default.ref} has no local environment.", "Add `[env.dev]` to it."
        elif not chosen:
            what, step = "There are several local environments.", f"Name one: `--env {local[0]}`."
        elif chosen in self.policy.environments:
            what = f"`{chosen}` is not local, so it is not run from here."
            step = f"Use `--env {local[0]}`, or `towpath dev ci` to see what ci will say."
        else:
            what, step = (
                f"There is no environment `{chosen}`{hint(chosen, local) or '.'}",
                f"Use `--env {local[0]}`.",
            )
        raise UserError(what, next_step=step)

    def stacks_of(self, environment: str) -> list[Stack]:
        """Return the stacks that an environment has, in the order of the file."""
        return [
            stack
            for stack in self.policy.stacks.values()
            if not stack.environments or environment in stack.environments
        ]

    def stack(self, name: str, environment: str) -> Stack:
        """Return the stack with this name in an environment, or the only one. Raises UserError."""
        offered = [stack.name for stack in self.stacks_of(environment)]
        chosen = name or (offered[0] if len(offered) == 1 else "")
        if chosen in offered:
            return self.policy.stacks[chosen]
        if not chosen:
            raise UserError(
                f"`{environment}` has {len(offered)} stacks."
                if offered
                else f"`{environment}` has no stack.",
                next_step=f"Name one: `--stack {offered[0]}`."
                if offered
                else f"Correct `environments` in `{PATH}`.",
            )
        raise UserError(
            f"There is no stack `{chosen}` in `{environment}`{hint(chosen, offered) or '.'}",
            next_step=f"Its stacks: {', '.join(offered)}.",
        )

    def own_needs(self, environment: Environment) -> tuple[Need, ...]:
        """Return the dependencies that the file in the working copy declares; the default branch's where the working copy
        has no such file or environment. Raises UserError if it is not valid."""
        path = self.copy.top / PATH
        if not path.is_file():
            return environment.needs
        own = parse_policy(path.read_text(errors="replace"), PATH, self.copy.repository)
        return own.environments.get(environment.name, environment).needs

    def make_private(self) -> Path:
        """Make the private directory, hidden from git in this clone. Raises UserError if it is something else."""
        if self.private.is_symlink() or (self.private.exists() and not self.private.is_dir()):
            raise UserError(f"{self.private} is not a directory of ours.", next_step="Rename it.")
        self.private.mkdir(mode=0o700, exist_ok=True)
        self.copy.exclude(PRIVATE)
        return self.private

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the right to change things here. Raises UserError if another command of this working copy has it."""
        handle = os.open(self.make_private() / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"Another `towpath dev` is working in {self.copy.top}.",
                    next_step="Wait until it has ended.",
                ) from None
            yield
        finally:
            os.close(handle)


def desk() -> Desk:
    """Return the desk of the current directory. Raises UserError."""
    copy = find_working_copy(Path.cwd(), process_environment())
    return Desk(copy, copy.default_branch())
