"""Input variables of a root module that have no default, and the ones that var files set."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.domain.sanitize import outside
from bot.errors import UserError
from bot.terraform.config.hcl import parse
from bot.terraform.config.hcl_tokens import ParseError
from bot.terraform.config.json_config import pairs, parse_json
from bot.terraform.config.module_graph import Flavour, config_files, read_config

AUTOMATIC = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")
"""Files in a root module that Terraform reads by itself."""


def missing_variables(root: Path, var_files: Iterable[Path], flavour: Flavour = "terraform") -> list[str]:
    """Return the names of variables that have neither a default nor a value in a var file, sorted.

    Raises UserError, naming the file, if one cannot be parsed.
    """
    required: set[str] = set()
    for name in config_files([entry.name for entry in root.iterdir()], flavour):
        required |= _without_default(name, read_config(root / name))
    given: set[str] = set()
    automatic = (path for pattern in AUTOMATIC for path in root.glob(pattern))
    for path in (*automatic, *var_files):
        given |= _assigned(path)
    return sorted(required - given)


def _without_default(name: str, content: bytes) -> set[str]:
    try:
        if name.endswith(".json"):
            found = [pair for key, value in parse_json(content) if key == "variable" for pair in pairs(value)]
            return {key for key, value in found if "default" not in dict(pairs(value))}
        blocks = parse(content).named("variable")
        return {block.labels[0] for block in blocks if block.labels and "default" not in block.attributes}
    except ParseError as error:
        raise _invalid(name, error) from error


def _assigned(path: Path) -> set[str]:
    try:
        if path.name.endswith(".json"):
            return {key for key, _ in parse_json(path.read_bytes())}
        return set(parse(path.read_bytes()).attributes)
    except ParseError as error:
        raise _invalid(path.name, error) from error


def _invalid(name: str, error: ParseError) -> UserError:
    return UserError(f"`{outside(name)}` cannot be parsed: {error}.", next_step="Fix the file.")
