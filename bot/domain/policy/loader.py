"""Read `envs/environments.toml`. All problems are reported at once, each with its line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError, with_config
from pydantic_core import ArgsKwargs

from bot.domain.policy.cross_checks import check_modules, check_whole
from bot.domain.policy.environment import FORBID
from bot.domain.policy.model import Environment, Policy, Stack
from bot.domain.policy.parity import Groups
from bot.domain.policy.problems import Problems, before_lists
from bot.domain.policy.providers import ProviderRules
from bot.domain.policy.toml_lines import Lines
from bot.domain.policy.toml_lines import Path as Keys
from bot.domain.policy.toml_text import PolicyError, load_toml
from bot.domain.policy.types import Globs, Repositories, SettingNames
from bot.domain.policy.vocabulary import WORDS

T = TypeVar("T")

MOST_TABLES = 200
"""Stacks or environments."""

EXAMPLE = '[stack.infra]\nroot = "infra"\n\n[env.staging]\n\n[env.prod]\npromote_from = "staging"'

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_NAMES = "use at most 40 lowercase letters, digits and `-`, and start with a letter"

_Tables = Annotated[dict[str, dict[str, Any]], Field(max_length=MOST_TABLES)]

DEFAULTS: dict[str, dict[str, Any]] = {
    "dev": {"local": True},
    "ci": {"on_pull_request": "plan"},
    "staging": {"on_pull_request": "plan"},
    "prod": {"production": True},
}
"""Defaults that come with the five well-known names."""


@with_config(FORBID)
@dataclass(frozen=True)
class _File:
    """The top level. Stacks and environments are validated one by one, each with the name in its header."""

    stack: _Tables = field(default_factory=dict)
    env: _Tables = field(default_factory=dict)
    branches: Globs = ()
    providers: ProviderRules = field(default_factory=ProviderRules)
    modules: Repositories = ()
    parity: Groups | None = None
    settings: SettingNames = ()


_ADAPTERS: dict[type, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (_File, Stack, Environment)}


def parse_policy(text: str, source: str, repository: str = "") -> Policy:
    """Return the policy in `text`. `source` is the file's name, for problems and for `Policy.source`. repository: whose
    policy it is (`owner/name`), where that is known.

    Raises PolicyError, and nothing else, whatever the text is.
    """
    raw = load_toml(text, source)
    problems = Problems(source, Lines(text), WORDS)
    file = _read(problems, _File, (), raw)
    stacks = {name: _read(problems, Stack, ("stack", name), table) for name, table in file.stack.items()}
    environments = {
        name: _read(problems, Environment, ("env", name), table) for name, table in file.env.items()
    }
    policy = Policy(
        stacks,
        environments,
        file.branches,
        source=source,
        providers=file.providers,
        modules=file.modules,
        parity=file.parity,
        settings=file.settings,
    )
    if repository:
        check_modules(problems, policy, repository)
    if stacks and environments:
        check_whole(problems, policy)
    elif not problems:
        missing = "`[stack.…]`" if not stacks else "`[env.…]`"
        raise PolicyError([f"{source}: there is no {missing} table."], next_step=_example())
    if problems:
        raise PolicyError(problems.told())
    return policy


def _read(problems: Problems, kind: type[T], path: Keys, table: dict[str, Any]) -> T:
    """Validate a table. What is wrong with it is reported and left out, so that rules over several tables can be
    checked for the rest."""
    defaults = DEFAULTS.get(path[1], {}) if path[:1] == ("env",) else {}
    if path and not NAME.fullmatch(path[1]):
        problems.add(path, f"`{path[1][:40]}` is not a valid name: {_NAMES}")
    try:
        return _validated(kind, path[1:], defaults | table)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    problems.report(path, found)
    for one in found:
        # of `sleep`, and of a table in a table such as `identity.aws`, all: without the key it would lack one that it needs
        keys = before_lists(one["loc"])
        _drop(table, keys[: 1 if keys[:1] == ("sleep",) else 2])
    if kind is Stack:
        table.setdefault("root", ".")
    return _validated(kind, path[1:], defaults | table)


def _validated(kind: type[T], name: Keys, table: dict[str, Any]) -> T:
    """Raises ValidationError. `name` comes from the table's header, so it is a positional argument, which no key of the
    table can set. Keys have their names in the file (`self`), not those in code (`self_approval`)."""
    found: T = _ADAPTERS[kind].validate_python(ArgsKwargs(name, table), by_alias=True, by_name=False)
    return found


def _drop(table: dict[str, Any], path: Keys) -> None:
    for key in path[:-1]:
        table = table.get(key, {})
    table.pop(path[-1], None)


def _example() -> str:
    return "A minimal policy:\n" + "\n".join(f"    {line}" for line in EXAMPLE.split("\n"))
