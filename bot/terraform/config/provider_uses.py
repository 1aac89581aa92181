"""Find the providers that a configuration and its lock file use, each with the first place that says so."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from bot.domain.policy import BUILT_IN
from bot.domain.ports.terraform import ProviderUse
from bot.domain.sanitize import outside
from bot.errors import UserError
from bot.terraform.config.hcl import Block, parse
from bot.terraform.config.hcl_tokens import ParseError
from bot.terraform.config.json_config import line_of
from bot.terraform.config.module_graph import (
    Flavour,
    Names,
    Read,
    closure,
    config_files,
)
from bot.terraform.config.module_tree import Item, read_items
from bot.terraform.config.required_providers import full_source, requirements_in

LOCK_FILE = ".terraform.lock.hcl"
TYPED = ("resource", "data", "ephemeral", "list", "action")
"""Blocks whose first label implies a provider."""


def provider_uses(root: str, names: Names, read: Read, flavour: Flavour) -> list[ProviderUse]:
    """Return the providers of a root module, its local modules and its lock file. Raises UserError for an invalid file."""
    uses = of_configuration(root, names, read, flavour)
    return first_of_each([*uses, *of_lock_file(root, names, read, flavour)])


def of_configuration(root: str, names: Names, read: Read, flavour: Flavour) -> list[ProviderUse]:
    """Return what a root module and its local modules use, as often as they say so."""
    directories = [root, *sorted(closure(root, names, read, flavour))]
    return [use for directory in directories for use in of_module(directory, names, read, flavour)]


def first_of_each(uses: Iterable[ProviderUse]) -> list[ProviderUse]:
    """Return the first use of each provider, without the one that is built in."""
    first: dict[str, ProviderUse] = {}
    for use in uses:
        first.setdefault(use.source, use)
    first.pop(BUILT_IN, None)
    return list(first.values())


def of_lock_file(root: str, names: Names, read: Read, flavour: Flavour) -> Iterator[ProviderUse]:
    """Yield what the lock file of a root module lists."""
    path = posixpath.join(root, LOCK_FILE)
    content = read(posixpath.normpath(path)) if LOCK_FILE in names(root) else None
    try:
        for block in parse(content or b"").named("provider"):
            if block.labels:
                yield ProviderUse(full_source(block.labels[0], flavour), path, block.lines[0])
    except ParseError as error:
        raise invalid(path, error) from error


def of_module(directory: str, names: Names, read: Read, flavour: Flavour) -> Iterator[ProviderUse]:
    """Yield the providers of a module: what it requires, then what its blocks imply."""
    items = []
    for name in config_files(names(directory), flavour):
        path = posixpath.join(directory, name)
        content = read(posixpath.normpath(path)) or b""
        try:
            items += [(path, content, item) for item in read_items(name, content)]
        except ParseError as error:
            raise invalid(path, error) from error
    items.sort(key=lambda one: one[2].overrides)
    sources: dict[str, str] = {}
    for path, content, item in items:
        for name, entry in requirements_in([item] if item.block.type == "terraform" else [], flavour).items():
            sources[name] = entry.source
            yield ProviderUse(entry.source, path, entry.line or line_of(content, name))
    for path, content, item in items:
        for name, line in _implied(item):
            source = sources.get(name) or (
                BUILT_IN if name == "terraform" else full_source(f"hashicorp/{name}", flavour)
            )
            yield ProviderUse(source, path, line or line_of(content, name))


def _implied(item: Item) -> Iterator[tuple[str, int]]:
    """Yield (local name, line) of the providers that a block uses."""
    block = item.block
    if block.type == "provider" and block.labels:
        yield block.labels[0], block.lines[0]
    elif block.type == "import" and (tokens := block.attributes.get("provider")):
        yield tokens[0].text.split(".")[0], block.lines[0]
    elif block.type == "check":
        nested = [*block.blocks, *(inner for one in block.blocks for inner in one.blocks)]
        yield from (use for one in nested if one.type == "data" for use in _typed(one))
    elif block.type in TYPED:
        yield from _typed(block)


def _typed(block: Block) -> Iterator[tuple[str, int]]:
    """Yield the provider of a `resource` or the like, from its `provider` or its type. In JSON, types may be blocks."""
    if block.labels:
        yield provider_name(block), block.lines[0]
    else:
        yield from ((inner.type.split("_", 1)[0], inner.lines[0]) for inner in block.blocks)


def provider_name(block: Block) -> str:
    """Return the local name of the provider of a labelled block: its `provider`, else the start of its type."""
    tokens = block.attributes.get("provider")
    return tokens[0].text.split(".")[0] if tokens else block.labels[0].split("_", 1)[0]


def invalid(path: str, error: ParseError) -> UserError:
    """Return the error to raise for a file that cannot be parsed."""
    name = outside(posixpath.basename(path))
    return UserError(f"`{name}` cannot be parsed: {error}.", next_step="Fix the file and push.")
