"""The registry of chat commands: each file in this package registers one with the decorator below.

Help, Slack's hints and docs/commands.md are generated from this list. A duplicate name raises ValueError at import.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bot.domain.actors import Actor, Role
from bot.domain.chat import CommandHelp, Result, Usage, Word
from bot.domain.policy import Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refusal
from bot.domain.run import Origin
from bot.services.context import Context
from bot.services.targets import PullContext, default_policy, load_pull_context


@dataclass(frozen=True)
class CommandContext:
    """The context of one command: who ran it (resolved on the server), with what role, and where."""

    context: Context
    actor: Actor
    role: Role
    origin: Origin
    repository: str
    pull: PullRequest | None
    earlier: tuple[str, ...] = ()
    """Names of the commands before it in the same comment."""

    def load_pull_context(self) -> PullContext:
        """Return the pull request's context. Only for commands that need a pull request."""
        return load_pull_context(self.context, self.require_pull())

    def policy(self) -> Policy:
        """Return the default branch's policy. Raises Refusal if there is none."""
        policy = default_policy(self.context, self.repository)
        if policy is None:
            raise Refusal(
                "no-policy",
                "The default branch has no `envs/environments.toml`.",
                "Add one in a pull request; the README has a complete example.",
            )
        return policy

    def require_pull(self) -> PullRequest:
        """Return the pull request. A command with scope "pull" only runs if there is one."""
        if self.pull is None:
            raise LookupError('the command does not have scope "pull"')
        return self.pull


Handler = Callable[..., Result]
Scope = Literal["anywhere", "repository", "pull"]
"""What a command needs: nothing, a repository, or a pull request."""


@dataclass(frozen=True)
class HelpText:
    """What help shows about a command besides its description. spelled: the grammar as people see it, if it differs from
    the one that is parsed."""

    summary: str
    examples: tuple[str, ...]
    spelled: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Command:
    """A chat command. usage: its grammar. role: the least role that may use it. changes: whether it changes
    anything besides plans."""

    name: str
    usage: Usage
    handler: Handler
    role: Role
    help: CommandHelp
    scope: Scope
    changes: bool

    def run(self, ctx: CommandContext, words: Sequence[Word]) -> Result:
        """Call the handler with the words as keyword arguments. Raises GrammarError."""
        return self.handler(ctx, **self.usage.bind(words))


_commands: dict[str, Command] = {}
_aliases: dict[str, str] = {}


def command(
    name: str,
    usage: str = "",
    *,
    text: HelpText,
    role: Role = "read",
    scope: Scope = "repository",
    changes: bool = False,
) -> Callable[[Handler], Handler]:
    """Register a handler `(ctx, **words) -> Result`. Its docstring is the command's description in help."""

    def register(handler: Handler) -> Handler:
        taken = {name, *text.aliases} & {*_commands, *_aliases}
        if taken:
            raise ValueError(f"two commands are named {', '.join(sorted(taken))}")
        description = " ".join((handler.__doc__ or "").split())
        shown = text.spelled or usage
        _commands[name] = Command(
            name,
            replace(Usage.parse(usage), text=shown),
            handler,
            role,
            CommandHelp(name, shown, text.summary, description, text.examples, role, text.aliases),
            scope,
            changes,
        )
        _aliases.update(dict.fromkeys(text.aliases, name))
        return handler

    return register


def load() -> dict[str, Command]:
    """Import every file of the package, and return all commands by name, sorted."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        importlib.import_module(f"commands.{module.name}")
    return dict(sorted(_commands.items()))


def find(name: str) -> Command | None:
    """Return the command with this name or alias, or None."""
    return load().get(_aliases.get(name, name))
