"""The list of chat commands: each file in this package registers one with the decorator below.

Help, Slack's hints and docs/commands.md are generated from what stands here; a duplicate name fails at import.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import commands
from bot.domain.answers import Refused
from bot.domain.grammar import Usage, Word
from bot.domain.people import Actor
from bot.domain.policy import Policy
from bot.domain.ports.forge import PullRequest, Role
from bot.domain.results import CommandHelp, Result
from bot.domain.run import Origin
from bot.services.context import Context
from bot.services.targets import Ground, default_policy, ground


@dataclass(frozen=True)
class Ask:
    """One command as it was asked: by whom (resolved on the server), with what role, where, beside what else."""

    context: Context
    actor: Actor
    role: Role
    origin: Origin
    repository: str
    pull: PullRequest | None
    beside: tuple[str, ...] = ()
    """Names of the commands before it in the same comment."""

    def ground(self) -> Ground | Refused:
        """What the pull request stands on. Only for commands that need a pull request."""
        return ground(self.context, self.require_pull())

    def policy(self) -> Policy | Refused:
        """The policy in force in the repository."""
        found = default_policy(self.context, self.repository)
        return found or Refused(
            "no-policy",
            "There is no `envs/environments.toml` on the default branch yet.",
            "Add one in a pull request; the README has a complete example.",
        )

    def require_pull(self) -> PullRequest:
        """The pull request; the registry has seen to it that there is one where the command needs it."""
        if self.pull is None:
            raise LookupError("this command needs a pull request")
        return self.pull


Handler = Callable[..., Result]


@dataclass(frozen=True)
class Command:
    """A chat command. `usage` is its grammar; `role` who may use it; `pull` whether it needs a pull request;
    `repository` whether it needs one; `changes` whether it changes the world."""

    name: str
    usage: Usage
    handler: Handler
    role: Role
    help: CommandHelp
    pull: bool
    repository: bool
    changes: bool

    def run(self, ask: Ask, words: Sequence[Word]) -> Result:
        """Call the handler with the bound words as keyword arguments. Raises GrammarError."""
        return self.handler(ask, **self.usage.bind(words))


_commands: dict[str, Command] = {}
_aliases: dict[str, str] = {}


def command(
    name: str,
    usage: str = "",
    *,
    role: Role = "read",
    summary: str,
    examples: tuple[str, ...],
    aliases: tuple[str, ...] = (),
    pull: bool = False,
    repository: bool = True,
    changes: bool = False,
    spelled: str = "",
) -> Callable[[Handler], Handler]:
    """Register a handler `(ask, **words) -> Result`. Its docstring is the command's description; `spelled`: its grammar
    as people see it, where `usage` alone does not say it all."""

    def register(handler: Handler) -> Handler:
        taken = {name, *aliases} & {*_commands, *_aliases}
        if taken:
            raise ValueError(f"two commands are called {', '.join(sorted(taken))}")
        description = " ".join((handler.__doc__ or "").split())
        _commands[name] = Command(
            name,
            replace(Usage.parse(usage), text=spelled or usage),
            handler,
            role,
            CommandHelp(name, spelled or usage, summary, description, examples, role, aliases),
            pull,
            repository,
            changes,
        )
        _aliases.update(dict.fromkeys(aliases, name))
        return handler

    return register


def load() -> dict[str, Command]:
    """All commands by name, in alphabetical order; imports every file of the package once."""
    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"commands.{module.name}")
    return dict(sorted(_commands.items()))


def find(name: str) -> Command | None:
    """The command of that name or alias."""
    return load().get(_aliases.get(name, name))
