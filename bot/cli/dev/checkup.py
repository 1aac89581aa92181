"""The checks of `towpath dev doctor`. Each returns what was found; it raises UserError for what is missing."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from bot.cli.dev.desk import Desk
from bot.cli.dev.local import laptop_secrets, settings_for
from bot.dev import find_engine
from bot.domain.identity import EnvironmentSecrets
from bot.domain.policy import PATH, Environment, Need, Stack
from bot.domain.ports.secrets import SecretsScope
from bot.errors import UserError
from bot.settings import process_environment
from bot.terraform.config.input_variables import unset
from bot.terraform.config.module_graph import Names, Read
from bot.wiring import Bot


def engine(here: Desk) -> str:
    """Terraform or OpenTofu."""
    found = Bot(settings_for(here.make_private())).engine()
    return f"{found.identity}{' (embedded)' if found.embedded else f' at {found.executable}'}"


def sandbox(here: Desk) -> str:
    """What confines Terraform."""
    return Bot(settings_for(here.make_private())).sandbox.describe()


def environment(here: Desk, name: str) -> str:
    """The local environment, and where its dependencies are declared."""
    found = here.environment(name)
    own = here.own_needs(found)
    differ = "" if own == found.needs else f"; those in this working copy differ from {here.default.ref}'s"
    return (
        f"{found.name}, with {len(own)} dependencies{differ}"
        if own
        else f"{found.name}, without dependencies"
    )


def dependency(need: Need) -> str:
    """What a dependency needs to start."""
    variables = process_environment()
    if need.container:
        containers = find_engine(variables)
        if containers.program:
            return f"{need.container}, by {containers.name}"
        if not need.command:
            raise UserError(
                f"It runs in a container, and {containers.problem}.",
                next_step=f"Install or start Docker or Podman, or give it a `command` in `{PATH}`.",
            )
    words = shlex.split(need.command) if isinstance(need.command, str) else need.command
    if need.wheel:
        return f"{words[0]}, from {', '.join(need.wheel)}"
    if "/" not in words[0] and not (program := shutil.which(words[0], path=variables.get("PATH"))):
        raise UserError(
            f"`{words[0]}` is not on PATH.", next_step=f"Install it, or correct `command` in `{PATH}`."
        )
    return words[0] if "/" in words[0] else str(program)


def files(here: Desk, stack: Stack, environment: Environment) -> str:
    """The root module, and the var files."""
    if not (here.copy.top / stack.root).is_dir():
        raise UserError(
            f"`{stack.root}` is not a directory here.",
            next_step=f"Correct `root` in `{PATH}` on {here.default.ref}.",
        )
    found = []
    for path in here.policy.var_files(stack.name, environment.name):
        exists = (here.copy.top / path).is_file()
        if exists and here.copy.ignored(path):
            raise UserError(
                f"git ignores `{path}`, so neither `towpath dev` nor ci sees it.",
                next_step=f"Take it out of .gitignore, or give its values as {_prefix(here, environment)}TF_VAR_….",
            )
        if not exists and environment.var_files:
            raise UserError(f"`{path}` is missing.", next_step=f"Add it, or correct `var_files` in `{PATH}`.")
        found += [path] if exists else []
    return f"{stack.root}, {', '.join(found) if found else 'no var file'}"


def variables(here: Desk, stack: Stack, environment: Environment) -> str:
    """The values of the module's variables."""
    root = here.copy.top / stack.root
    if not root.is_dir():
        return "unknown"
    found = unset(
        stack.root,
        _names_in(here.copy.top),
        _reader(here.copy.top),
        here.policy.var_files(stack.name, environment.name),
        "terraform",
    )
    secrets = _secrets(here, environment)
    missing = [one.name for one in found if f"TF_VAR_{one.name}" not in {*secrets.plan, *secrets.apply}]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing[:10])
        raise UserError(
            f"Without a value: {names}.",
            next_step=f"Set them in `{here.policy.var_files(stack.name, environment.name)[-1]}`, or as "
            f"{_prefix(here, environment)}TF_VAR_{missing[0]}.",
        )
    return "all have values"


def secrets(here: Desk, environment: Environment) -> str:
    """The environment's secrets, by name."""
    origins = _secrets(here, environment).origins
    prefix, found = (
        _prefix(here, environment),
        sorted({one.name for names in origins.values() for one in names.values()}),
    )
    if environment.identity and not found:
        raise UserError(
            f"`{environment.name}` has an `identity`, but no cloud accepts tokens of a laptop.",
            next_step=f"Set your own credentials with the prefix {prefix}, in the shell or in .towpath/secrets.toml.",
        )
    return ", ".join(found) if found else f"no variable begins with {prefix}"


def _prefix(here: Desk, environment: Environment) -> str:
    return here.policy.secrets_prefix(environment.name)


def _secrets(here: Desk, environment: Environment) -> EnvironmentSecrets:
    sources = laptop_secrets(settings_for(here.make_private()), here.private)
    return sources(SecretsScope(here.copy.repository, environment.name, _prefix(here, environment)))


def _names_in(top: Path) -> Names:
    def names(directory: str) -> list[str]:
        return sorted(path.name for path in (top / directory).iterdir() if path.is_file())

    return names


def _reader(top: Path) -> Read:
    def read(path: str) -> bytes | None:
        return (top / path).read_bytes() if (top / path).is_file() else None

    return read
