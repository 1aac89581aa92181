"""Parse a configuration into a tree of the root module and the local modules that it calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from bot.domain.sanitize import outside
from bot.domain.states import Address, parse_address
from bot.errors import UserError
from bot.terraform.config import hcl, json_config
from bot.terraform.config.hcl_tokens import ParseError, Token
from bot.terraform.config.module_graph import Flavour, config_files, is_override, read_config

_MAX_DEPTH = 32
"""Levels of module calls; more is taken for a cycle."""
_MAX_CALLS = 5000
"""Module calls in one configuration."""
_LABEL_COUNTS = {
    "resource": 2,
    "data": 2,
    "ephemeral": 2,
    "module": 1,
    "provider": 1,
    "variable": 1,
    "output": 1,
}


class Item(NamedTuple):
    """A top-level block. text: its source, empty for JSON. file: the name of its file."""

    block: hcl.Block
    text: str
    file: str

    @property
    def overrides(self) -> bool:
        return is_override(self.file)


class Move(NamedTuple):
    """A `moved` block. module: the path of the module that has it, to which source and target are relative."""

    module: tuple[str, ...]
    source: Address
    target: Address


@dataclass
class Module:
    """A module's blocks. calls: name → called module, or None for one whose source is not local."""

    path: tuple[str, ...] = ()
    items: list[Item] = field(default_factory=list)
    calls: dict[str, Module | None] = field(default_factory=dict)

    def named(self, *types: str) -> Iterator[Item]:
        return (item for item in self.items if item.block.type in types)

    def every(self) -> Iterator[Module]:
        """Yield this module and all local modules below it."""
        yield self
        for called in self.calls.values():
            if called is not None:
                yield from called.every()

    def has(self, type: str, *labels: str) -> bool:  # noqa: A002 - HCL's own word
        return (type, *labels) in self._names

    @cached_property
    def _names(self) -> set[tuple[str, ...]]:
        return {(item.block.type, *item.block.labels) for item in self.items}

    def declares(self, address: Address) -> bool:
        """Whether a module or resource is declared, ignoring instance keys; True below a module that is not local."""
        module: Module | None = self
        for step in address:
            if module is None:
                return True
            if step.type != "module":
                return module.has("resource", step.type, step.name)
            if step.name not in module.calls:
                return False
            module = module.calls[step.name]
        return True

    def moves(self) -> list[Move]:
        """Return all `moved` blocks of the tree, without duplicates. Raises UserError for an invalid address."""
        found: dict[Move, None] = {}
        for module in self.every():
            for item in module.named("moved"):
                source, target = (text_of(item.block, end) for end in ("from", "to"))
                try:
                    found[Move(module.path, parse_address(source), parse_address(target))] = None
                except ValueError as error:
                    raise UserError(
                        f"`{outside(item.file)}` has a `moved` block with an invalid address, from "
                        f"`{outside(source)}` to `{outside(target)}`.",
                        next_step="Fix the block and push.",
                    ) from error
        return list(found)


def read(root: Path, flavour: Flavour = "terraform") -> Module:
    """Parse the root module in `root` and the modules below it. Raises UserError, naming the file, if one is invalid."""
    return _Reader(flavour).module(root, ())


class _Reader:
    """Reads each directory once, even if several calls lead to it."""

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour
        self._items: dict[Path, list[Item]] = {}
        self._count = 0

    def module(self, root: Path, path: tuple[str, ...]) -> Module:
        self._count += 1
        if len(path) > _MAX_DEPTH or self._count > _MAX_CALLS:
            raise UserError(
                f"`module.{'.module.'.join(path[:3])}` calls itself, or the configuration has too many module calls.",
                next_step="Remove the cycle and push.",
            )
        module = Module(path, self._read(root))
        for item in module.named("module"):
            source = item.block.text("source")
            if source is not None:
                name = item.block.labels[0]
                local = source.startswith(("./", "../")) and (root / source).is_dir()
                module.calls[name] = self.module(root / source, (*path, name)) if local else None
        return module

    def _read(self, root: Path) -> list[Item]:
        directory = root.resolve()
        if directory not in self._items:
            items = self._items[directory] = []
            for name in config_files([entry.name for entry in root.iterdir()], self._flavour):
                try:
                    items += read_items(name, read_config(root / name))
                except ParseError as error:
                    raise UserError(
                        f"`{outside(name)}` cannot be parsed: {error}.", next_step="Fix the file and push."
                    ) from error
        return self._items[directory]


def text_of(block: hcl.Block, attribute: str) -> str:
    """Return an expression without whitespace; only for references, where whitespace has no meaning."""
    tokens = block.attributes.get(attribute, ())
    return "".join(f'"{token.text}"' if token.kind == "string" else token.text for token in tokens)


def lines_of(lines: Sequence[str], first: int, last: int) -> str:
    """Return the lines from `first` to `last`, both included and counted from 1."""
    return "\n".join(lines[first - 1 : last])


def read_items(name: str, content: bytes) -> Iterator[Item]:
    """Yield the top-level blocks of a file. Raises ParseError."""
    if not name.endswith(".json"):
        lines = content.decode("utf-8-sig", "replace").split("\n")
        for block in hcl.parse(content).blocks:
            expected = _LABEL_COUNTS.get(block.type, len(block.labels))
            if len(block.labels) != expected:
                raise ParseError(
                    f"the `{block.type}` block on line {block.lines[0]} needs {expected} "
                    f"label{'s' if expected > 1 else ''}"
                )
            yield Item(block, lines_of(lines, *block.lines), name)
        return
    for key, value in json_config.parse_json(content):
        for block in _json_blocks(key, (), value, _LABEL_COUNTS.get(key, 0)):
            yield Item(block, "", name)


def _json_blocks(type_: str, labels: tuple[str, ...], value: Any, missing: int) -> Iterator[hcl.Block]:
    """Yield the blocks in a JSON value. missing: how many labels are still to be read from its keys."""
    if missing:
        for label, inner in json_config.pairs(value):
            yield from _json_blocks(type_, (*labels, label), inner, missing - 1)
        return
    bodies = value if _is_list_of_blocks(value) else [value]
    for body in bodies:
        block = hcl.Block(type_, labels)
        for name, inner in json_config.pairs(body):
            if isinstance(inner, str):
                block.attributes[name] = (Token(_token_kind(type_, name), inner),)
            elif isinstance(inner, bool):
                block.attributes[name] = (Token("name", str(inner).lower()),)
            elif isinstance(inner, list):
                block.blocks += _json_blocks(name, (), inner, 0)
        yield block


def _is_list_of_blocks(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, list) for item in value) and bool(value)


def _token_kind(type_: str, name: str) -> str:
    """Return the kind of token for a JSON string, which may stand for a reference."""
    return "name" if type_ in ("moved", "removed", "import") and name in ("from", "to") else "string"
