"""The versions that a root module is built of: those of its providers and of the modules that it calls."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from bot.domain.policy import BUILT_IN
from bot.domain.ports.terraform import Requirement
from bot.domain.sanitize import outside
from bot.errors import UserError
from bot.terraform.config.hcl import parse
from bot.terraform.config.hcl_tokens import ParseError
from bot.terraform.config.module_graph import Flavour, Names, Read, closure, config_files
from bot.terraform.config.module_tree import Item, read_items
from bot.terraform.config.provider_uses import LOCK_FILE
from bot.terraform.config.required_providers import REGISTRIES, full_source, requirements_in

_VERSION = re.compile(r'\bversion"?\s*[=:]\s*"([^"]+)"')


def requirements(root: str, names: Names, read: Read, flavour: Flavour) -> Iterator[Requirement]:
    """Yield the providers with the versions of the lock file, else with what the root module requires; then the modules
    that it and its local modules call. Raises UserError for an invalid file."""
    items = list(_items(root, names, read, flavour))
    locked = dict(_locked(root, names, read, flavour))
    for source, (version, file, line) in (dict(_required(items, flavour)) | locked).items():
        if source != BUILT_IN:
            yield Requirement("provider", source.removeprefix(f"{REGISTRIES[flavour]}/"), version, file, line)
    yield from _calls("", items)
    for directory in sorted(closure(root, names, read, flavour)):
        yield from _calls(f"{directory}/", list(_items(directory, names, read, flavour)))


def sensitive_variables(root: str, names: Names, read: Read, flavour: Flavour) -> frozenset[str]:
    """Return the root module's variables that are declared as sensitive or ephemeral. Raises UserError for an invalid file."""
    return frozenset(
        item.block.labels[0]
        for _path, item in _items(root, names, read, flavour)
        if item.block.type == "variable" and any(_set(item, name) for name in ("sensitive", "ephemeral"))
    )


def _set(item: Item, name: str) -> bool:
    """Whether a flag is there and not plainly `false`."""
    tokens = item.block.attributes.get(name, ())
    return bool(tokens) and [token.text for token in tokens] != ["false"]


def _items(directory: str, names: Names, read: Read, flavour: Flavour) -> Iterator[tuple[str, Item]]:
    """Yield (path, block) of a module."""
    for name in config_files(names(directory), flavour):
        path = posixpath.normpath(posixpath.join(directory, name))
        try:
            for item in read_items(name, read(path) or b""):
                yield path, item
        except ParseError as error:
            raise _invalid(path, error) from error


_Found = tuple[str, tuple[str, str, int]]
"""(source, (version, file, line)) of a provider."""


def _locked(root: str, names: Names, read: Read, flavour: Flavour) -> Iterator[_Found]:
    path = posixpath.normpath(posixpath.join(root, LOCK_FILE))
    content = read(path) if LOCK_FILE in names(root) else None
    try:
        for block in parse(content or b"").named("provider"):
            if block.labels:
                found = block.text("version") or "no version"
                yield full_source(block.labels[0], flavour), (found, path, block.lines[0])
    except ParseError as error:
        raise _invalid(path, error) from error


def _required(items: list[tuple[str, Item]], flavour: Flavour) -> Iterator[_Found]:
    for path, item in items:
        if item.block.type == "terraform":
            for entry in requirements_in([item], flavour).values():
                found = _VERSION.search(entry.text)
                yield entry.source, (found[1] if found else "any version", path, entry.line)


def _calls(prefix: str, items: list[tuple[str, Item]]) -> Iterator[Requirement]:
    for path, item in items:
        if item.block.type == "module" and item.block.labels:
            source = item.block.text("source") or "not a plain string"
            version = item.block.text("version")
            text = f"{source} {version}" if version else source
            yield Requirement("module", f"{prefix}{item.block.labels[0]}", text, path, item.block.lines[0])


def _invalid(path: str, error: ParseError) -> UserError:
    name = outside(posixpath.basename(path))
    return UserError(f"`{name}` cannot be parsed: {error}.", next_step="Fix the file and push.")
