"""Which files make up a root module, and which local modules it uses; on a disk or in a git tree."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from bot.domain.words import outside
from bot.errors import UserError
from bot.terraform.hcl import Unreadable, objects, parse, parse_json

Flavour = Literal["terraform", "opentofu"]
Read = Callable[[str], bytes | None]

_POINTER = b"version https://git-lfs.github.com/spec/"
_LARGEST = 8 * 1024 * 1024
"""Bytes of one configuration file; more is no configuration."""


def config_files(names: Iterable[str], flavour: Flavour = "terraform") -> list[str]:
    """The file names of one directory that the engine loads.

    Both skip `.x.tf`, `x.tf~` and `#x.tf#`. OpenTofu loads `x.tofu` as well, and then leaves `x.tf` out.
    """
    every = {name for name in names if not (name.startswith((".", "#")) or name.endswith(("~", "#")))}
    chosen = {name for name in every if name.endswith((".tf", ".tf.json"))}
    if flavour == "opentofu":
        own = {name for name in every if name.endswith((".tofu", ".tofu.json"))}
        chosen -= {name.replace(".tofu", ".tf") for name in own}
        chosen |= own
    return sorted(chosen)


def is_override(name: str) -> bool:
    """`override.tf`, `x_override.tf`, and the same in JSON: the engine merges these over all others."""
    stem = name.split(".", 1)[0] if name.count(".") == 1 else name.removesuffix(".json").rsplit(".", 1)[0]
    return stem == "override" or stem.endswith("_override")


def read_config(path: Path) -> bytes:
    """A configuration file's bytes. Raises UserError for what is no ordinary file, an LFS pointer, or a monstrous one."""
    if not path.is_file():
        raise UserError(
            f"`{outside(path.name)}` is not a regular file.", next_step="Remove it, or commit it as a file."
        )
    if path.stat().st_size > _LARGEST:
        raise UserError(
            f"`{outside(path.name)}` is larger than {_LARGEST >> 20} MB.", next_step="Split it, or remove it."
        )
    content = path.read_bytes()
    if content.startswith(_POINTER):
        raise UserError(
            f"`{outside(path.name)}` is a Git LFS pointer; what LFS keeps is not checked out.",
            next_step="Commit it as an ordinary file: `git lfs untrack`, then `git add --renormalize`.",
        )
    return content


def local_modules(root: Path, flavour: Flavour = "terraform") -> set[Path]:
    """The directories of the local modules that `root` uses, directly or through others; absolute."""

    def names(directory: str) -> list[str]:
        try:
            return [entry.name for entry in Path(directory).iterdir()]
        except OSError:
            return []

    found = _closure(str(root), names, lambda path: read_config(Path(path)), flavour)
    return {Path(directory) for directory in found if Path(directory).is_dir()}


def module_users(
    files: Sequence[str], read: Read, roots: Sequence[str], flavour: Flavour = "terraform"
) -> Mapping[str, frozenset[str]]:
    """Directory of a local module → the roots that use it, directly or through others.

    files: all paths of a tree, from its top, with `/`; read: such a path → its bytes. Nothing is checked out.
    """
    tree = defaultdict(list)
    for path in files:
        directory, name = posixpath.split(path)
        tree[directory or "."].append(name)
    users: dict[str, set[str]] = defaultdict(set)
    for root in roots:
        for directory in _closure(posixpath.normpath(root), lambda at: tree.get(at, []), read, flavour):
            users[directory].add(root)
    return {directory: frozenset(found) for directory, found in users.items()}


def _closure(root: str, names: Callable[[str], Iterable[str]], read: Read, flavour: Flavour) -> set[str]:
    found: set[str] = set()
    todo = [root]
    while todo:
        directory = todo.pop()
        for name in config_files(names(directory), flavour):
            for source in _sources(name, read(posixpath.normpath(posixpath.join(directory, name)))):
                module = posixpath.normpath(posixpath.join(directory, source))
                if module not in found and module != root:
                    found.add(module)
                    todo.append(module)
    return found


def _sources(name: str, content: bytes | None) -> list[str]:
    """The local sources of a file's module blocks. An unreadable file has none: the engine will refuse it."""
    try:
        if content is None:
            return []
        if name.endswith(".json"):
            blocks = [
                call for key, value in parse_json(content) if key == "module" for call in objects(value)
            ]
            given = [value for _, call in blocks for key, value in objects(call) if key == "source"]
        else:
            given = [block.text("source") for block in parse(content).named("module")]
    except Unreadable:
        return []
    return [source for source in given if isinstance(source, str) and source.startswith(("./", "../"))]
