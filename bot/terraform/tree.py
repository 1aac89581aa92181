"""A configuration as a tree: the root module and the local modules that it calls, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from bot.domain.addresses import Address, parse
from bot.domain.words import outside
from bot.errors import UserError
from bot.terraform import hcl
from bot.terraform.modules import Flavour, config_files, is_override, read_config

_DEEPEST = 32
"""Calls of modules within modules; more is a circle."""
_MOST = 5000
"""Calls of modules in one configuration."""
_LABELS = {"resource": 2, "data": 2, "ephemeral": 2, "module": 1, "provider": 1, "variable": 1, "output": 1}


class Item(NamedTuple):
    """A block at the top of a file; its text as it is written, empty out of JSON."""

    block: hcl.Block
    text: str
    file: str

    @property
    def overrides(self) -> bool:
        return is_override(self.file)


class Move(NamedTuple):
    """A `moved` block: from and to are relative to the module whose calls lead there by `module`."""

    module: tuple[str, ...]
    source: Address
    target: Address


@dataclass
class Module:
    """A module's blocks. calls: name → the module; None where its source is not local, so that nothing is known."""

    path: tuple[str, ...] = ()
    items: list[Item] = field(default_factory=list)
    calls: dict[str, Module | None] = field(default_factory=dict)

    def named(self, *types: str) -> Iterator[Item]:
        return (item for item in self.items if item.block.type in types)

    def every(self) -> Iterator[Module]:
        """This module and all below it that are known."""
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
        """Whether a module or resource is declared, whatever its keys; True below a module that is not known."""
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
        """All `moved` blocks of the tree, each once."""
        found: dict[Move, None] = {}
        for module in self.every():
            for item in module.named("moved"):
                ends = [text_of(item.block, end) for end in ("from", "to")]
                try:
                    found[Move(module.path, parse(ends[0]), parse(ends[1]))] = None
                except ValueError as error:
                    raise UserError(
                        f"`{outside(item.file)}` has a `moved` block with {outside(str(error))}."
                    ) from error
        return list(found)


def read(root: Path, flavour: Flavour = "terraform") -> Module:
    """The tree of the root module in `root`. Raises UserError, naming the file, for one that cannot be read."""
    return _Reader(flavour).module(root, ())


class _Reader:
    """Reads each directory once, however often it is called."""

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour
        self._items: dict[Path, list[Item]] = {}
        self._count = 0

    def module(self, root: Path, path: tuple[str, ...]) -> Module:
        self._count += 1
        if len(path) > _DEEPEST or self._count > _MOST:
            raise UserError(
                f"`module.{'.module.'.join(path[:3])}` calls itself, or others without end.",
                next_step="Correct it.",
            )
        module = Module(path, self._read(root))
        for item in module.named("module"):
            source = item.block.text("source")
            if source is not None:
                called = item.block.labels[0]
                known = source.startswith(("./", "../")) and (root / source).is_dir()
                module.calls[called] = self.module(root / source, (*path, called)) if known else None
        return module

    def _read(self, root: Path) -> list[Item]:
        directory = root.resolve()
        if directory not in self._items:
            found = self._items[directory] = []
            for name in config_files([entry.name for entry in root.iterdir()], self._flavour):
                try:
                    found += _items(name, read_config(root / name))
                except hcl.Unreadable as error:
                    raise UserError(
                        f"`{outside(name)}` cannot be read: {error}.", next_step="Correct it."
                    ) from error
        return self._items[directory]


def text_of(block: hcl.Block, attribute: str) -> str:
    """An expression without blanks; only for references, in which blanks mean nothing."""
    tokens = block.attributes.get(attribute, ())
    return "".join(f'"{token.text}"' if token.kind == "string" else token.text for token in tokens)


def lines_of(lines: Sequence[str], first: int, last: int) -> str:
    """Lines from 1, the last one among them."""
    return "\n".join(lines[first - 1 : last])


def _items(name: str, content: bytes) -> Iterator[Item]:
    if not name.endswith(".json"):
        lines = content.decode("utf-8-sig", "replace").split("\n")
        for block in hcl.parse(content).blocks:
            if len(block.labels) != _LABELS.get(block.type, len(block.labels)):
                raise hcl.Unreadable(
                    f"the `{block.type}` in line {block.lines[0]} has not the names that it needs"
                )
            yield Item(block, lines_of(lines, *block.lines), name)
        return
    for key, value in hcl.parse_json(content):
        for block in _of_json(key, (), value, _LABELS.get(key, 0)):
            yield Item(block, "", name)


def _of_json(type_: str, labels: tuple[str, ...], value: Any, left: int) -> Iterator[hcl.Block]:
    if left:
        for label, inner in hcl.objects(value):
            yield from _of_json(type_, (*labels, label), inner, left - 1)
        return
    bodies = value if _several(value) else [value]
    for body in bodies:
        block = hcl.Block(type_, labels)
        for name, inner in hcl.objects(body):
            if isinstance(inner, str):
                block.attributes[name] = (hcl.Token(_kind(type_, name), inner),)
            elif isinstance(inner, bool):
                block.attributes[name] = (hcl.Token("name", str(inner).lower()),)
            elif isinstance(inner, list):
                block.blocks += _of_json(name, (), inner, 0)
        yield block


def _several(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, list) for item in value) and bool(value)


def _kind(type_: str, name: str) -> str:
    """References are strings in JSON."""
    return "name" if type_ in ("moved", "removed", "import") and name in ("from", "to") else "string"
