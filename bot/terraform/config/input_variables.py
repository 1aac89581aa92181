"""Find the input variables of a root module that no file gives a value."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from bot.domain.ports.terraform import InputVariable
from bot.terraform.config.hcl import Block, parse
from bot.terraform.config.hcl_tokens import ParseError
from bot.terraform.config.json_config import line_of, pairs, parse_json
from bot.terraform.config.module_graph import Flavour, Names, Read, config_files
from bot.terraform.config.provider_uses import invalid

AUTO = ("terraform.tfvars", "terraform.tfvars.json")
"""Files whose values the engine takes without being told, like those of `*.auto.tfvars` and `*.auto.tfvars.json`."""


class _Declared(NamedTuple):
    """A `variable` block: what it says of the variable, and whether it has a default."""

    variable: InputVariable
    default: bool


def unset(
    root: str, names: Names, read: Read, var_files: Sequence[str], flavour: Flavour
) -> list[InputVariable]:
    """Return the variables without default and without value, in the order of the files.

    var_files: paths from the top of the repository; those that do not exist are skipped. Raises UserError for a file that
    cannot be parsed.
    """
    merged: dict[str, _Declared] = {}  # an override file completes the block of another one
    for file in config_files(names(root), flavour):
        for found in _declared(_join(root, file), read):
            known = merged.setdefault(found.variable.name, found)
            merged[found.variable.name] = _Declared(
                replace(
                    known.variable,
                    sensitive=known.variable.sensitive or found.variable.sensitive,
                    ephemeral=known.variable.ephemeral or found.variable.ephemeral,
                ),
                known.default or found.default,
            )
    automatic = [
        _join(root, name)
        for name in names(root)
        if name in AUTO or name.endswith((".auto.tfvars", ".auto.tfvars.json"))
    ]
    given = {name for path in (*automatic, *var_files) for name in _assigned(path, read)}
    return [one.variable for one in merged.values() if not one.default and one.variable.name not in given]


def _declared(path: str, read: Read) -> Iterator[_Declared]:
    content = read(path) or b""
    try:
        if path.endswith(".json"):
            bodies = [
                body for key, value in parse_json(content) if key == "variable" for body in pairs(value)
            ]
            for name, body in bodies:
                yield _from_json(name, dict(pairs(body)), path, line_of(content, name))
            return
        for block in parse(content).named("variable"):
            if block.labels:
                yield _from_block(block, path)
    except ParseError as error:
        raise invalid(path, error) from error


def _from_block(block: Block, path: str) -> _Declared:
    variable = InputVariable(
        block.labels[0],
        path,
        block.lines[0],
        sensitive=_is_true(block, "sensitive"),
        ephemeral=_is_true(block, "ephemeral"),
    )
    return _Declared(variable, "default" in block.attributes)


def _from_json(name: str, body: dict[str, Any], path: str, line: int) -> _Declared:
    variable = InputVariable(
        name,
        path,
        line,
        sensitive=body.get("sensitive") is True,
        ephemeral=body.get("ephemeral") is True,
    )
    return _Declared(variable, "default" in body)


def _is_true(block: Block, attribute: str) -> bool:
    return [token.text for token in block.attributes.get(attribute, ())] == ["true"]


def _assigned(path: str, read: Read) -> Iterator[str]:
    """Yield the names that a file of values sets."""
    content = read(posixpath.normpath(path)) or b""
    try:
        if path.endswith(".json"):
            yield from (name for name, _value in (parse_json(content) if content else ()))
        else:
            yield from parse(content).attributes
    except ParseError as error:
        raise invalid(path, error) from error


def _join(root: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(root, name))
