"""Read `envs/environments.toml`. Everything that is wrong with it is told at once, each with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from bot.domain.policy import BackendPolicy, Environment, Policy, Stack
from bot.domain.policy_checks import APPROVALS, BACKEND, ENVIRONMENT, FORCE, NAME, STACK, Problems
from bot.domain.policy_lines import Lines
from bot.domain.policy_values import Check
from bot.domain.policy_whole import check_whole
from bot.errors import UserError

LARGEST = 256 * 1024
"""Bytes. A policy is a page or two; more is a mistake, or meant to keep the bot busy."""
DEEPEST = 8
"""Levels of tables and arrays; the format needs five."""
MOST_TABLES = 200
"""Stacks, or environments."""
SHOWN = 25
"""Problems told at once; what comes after is counted."""

EXAMPLE = '[stack.infra]\nroot = "infra"\n\n[env.staging]\n\n[env.prod]\npromote_from = "staging"'

_LONG_KEY = re.compile(r"""^[ \t\[]*(?:[\w"'-]+[ \t]*\.[ \t]*){8}""", re.MULTILINE | re.ASCII)

DEFAULTS: dict[str, dict[str, Any]] = {
    "dev": {"local": True},
    "ci": {"on_pull_request": "plan"},
    "staging": {"on_pull_request": "plan"},
    "prod": {"production": True},
}
"""What the five well-known names mean where the file does not say otherwise."""


class PolicyError(UserError):
    """The policy cannot be used. `problems`: one line each, as `<file> line <n>: <what>`, in the file's order."""

    def __init__(self, problems: list[str], *, next_step: str = "") -> None:
        shown = problems[:SHOWN]
        if len(problems) > SHOWN:
            shown.append(f"and {len(problems) - SHOWN} more")
        if len(problems) == 1:
            what = problems[0]
        else:
            what = f"The policy has {len(problems)} problems.\n" + "\n".join(f"- {line}" for line in shown)
        super().__init__(what, next_step=next_step or "Correct the file on the default branch.")
        self.problems = tuple(problems)


def parse(text: str, source: str) -> Policy:
    """The policy in `text`. `source` is the file's name, as problems and `Policy.source` say it.

    Raises PolicyError, and nothing else whatever the text is.
    """
    raw = _load(text, source)
    problems = Problems(source, Lines(text))
    problems.unknown((), raw, ("stack", "env", "branches"))
    stacks = {name: _stack(problems, name, table) for name, table in _tables(problems, raw, "stack").items()}
    environments = {
        name: _environment(problems, name, table) for name, table in _tables(problems, raw, "env").items()
    }
    branches = problems.read((), raw, {"branches": STACK["when_modified"]}).get("branches", ())
    policy = Policy(stacks, environments, branches, source)
    if stacks and environments:
        check_whole(problems, policy)
    elif not problems:
        missing = "`[stack.…]`" if not stacks else "`[env.…]`"
        raise PolicyError([f"{source}: there is no {missing} table."], next_step=_example())
    if problems:
        raise PolicyError(problems.told())
    return policy


def _load(text: str, source: str) -> dict[str, Any]:
    if len(text.encode(errors="replace")) > LARGEST:
        raise PolicyError([f"{source}: larger than {LARGEST // 1024} KB."])
    if long := _LONG_KEY.search(text):
        line = text.count("\n", 0, long.start()) + 1
        raise PolicyError([f"{source} line {line}: a key of more than eight parts."])
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        raise PolicyError([f"{source}: nested too deeply."]) from None
    except ValueError as error:
        found = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(error))
        where = f"{source} line {found[2]}" if found else source
        what = found[1] if found else str(error)
        raise PolicyError([f"{where}: not TOML: {what[:200]}."]) from None
    if not _shallow(raw):
        raise PolicyError([f"{source}: nested more than {DEEPEST} levels deep."])
    return raw


def _shallow(raw: object) -> bool:
    level: list[object] = [raw]
    for _ in range(DEEPEST):
        level = [
            child
            for value in level
            for child in (
                value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            )
        ]
    return not level


def _tables(problems: Problems, raw: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The well-formed tables `[kind.*]`; what is not one is told."""
    tables: dict[str, dict[str, Any]] = {}
    given = raw.get(kind, {})
    if not isinstance(given, dict):
        problems.add(
            (kind,), f"`{kind}` must be tables such as `[{kind}.{'infra' if kind == 'stack' else 'prod'}]`"
        )
        return tables
    if len(given) > MOST_TABLES:
        problems.add((kind,), f"more than {MOST_TABLES} tables `[{kind}.*]`")
        return tables
    for name, table in given.items():
        if not NAME.fullmatch(name):
            problems.add(
                (kind, name),
                f"`{name[:40]}` is no name: small letters, digits and `-`, 40 at most, a letter first",
            )
        if isinstance(table, dict):
            tables[name] = table
        else:
            problems.add((kind, name), f"`{kind}.{name[:40]}` must be a table: `[{kind}.{name[:40]}]`")
    return tables


def _stack(problems: Problems, name: str, table: dict[str, Any]) -> Stack:
    path = ("stack", name)
    problems.unknown(path, table, (*STACK, "backend"))
    values = problems.read(path, table, STACK)
    if "root" not in table:
        problems.add(path, f'`[stack.{name[:40]}]` has no `root`, such as `root = "infra"`')
    backend = table.get("backend", {})
    if not isinstance(backend, dict):
        problems.add((*path, "backend"), f"`backend` must be a table: `[stack.{name[:40]}.backend]`")
        backend = {}
    problems.unknown((*path, "backend"), backend, BACKEND)
    given = problems.read((*path, "backend"), backend, BACKEND)
    return Stack(name, values.pop("root", ""), backend=BackendPolicy(**given), **values)


def _environment(problems: Problems, name: str, table: dict[str, Any]) -> Environment:
    path = ("env", name)
    problems.unknown(path, table, (*ENVIRONMENT, "approvals", "force"))
    values = {**DEFAULTS.get(name, {}), **problems.read(path, table, ENVIRONMENT)}
    for key, checks, example in (
        ("approvals", APPROVALS, "{ count = 1, self = false }"),
        ("force", FORCE, '{ users = ["ann"] }'),
    ):
        if key in table:
            values[key] = _inner(problems, (*path, key), table[key], checks, example)
    return Environment(name, **values)


def _inner(
    problems: Problems, path: tuple[str, ...], table: Any, checks: Mapping[str, Check], example: str
) -> dict[str, Any]:
    if not isinstance(table, dict):
        problems.add(path, f"`{path[-1]}` must be a table, such as `{example}`")
        return {}
    problems.unknown(path, table, checks)
    return problems.read(path, table, checks)


def _example() -> str:
    return "A small policy to begin with:\n" + "\n".join(f"    {line}" for line in EXAMPLE.split("\n"))
