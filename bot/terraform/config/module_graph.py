"""Find the files of a root module and the local modules that it uses, on disk or in a git tree."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from bot.domain.sanitize import outside
from bot.errors import UserError
from bot.terraform.config.hcl import parse
from bot.terraform.config.hcl_tokens import ParseError
from bot.terraform.config.json_config import pairs, parse_json

Flavour = Literal["terraform", "opentofu"]
Read = Callable[[str], bytes | None]
Names = Callable[[str], Iterable[str]]
"""Lists a directory."""

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_MAX_SIZE = 8 * 1024 * 1024
"""Bytes of one configuration file."""


def config_files(names: Iterable[str], flavour: Flavour = "terraform") -> list[str]:
    """Return which of a directory's file names the engine loads, sorted.

    Both engines skip `.x.tf`, `x.tf~` and `#x.tf#`. OpenTofu also loads `x.tofu`, and then skips `x.tf`.
    """
    visible = {name for name in names if not (name.startswith((".", "#")) or name.endswith(("~", "#")))}
    loaded = {name for name in visible if name.endswith((".tf", ".tf.json"))}
    if flavour == "opentofu":
        tofu = {name for name in visible if name.endswith((".tofu", ".tofu.json"))}
        loaded -= {name.replace(".tofu", ".tf") for name in tofu}
        loaded |= tofu
    return sorted(loaded)


def is_override(name: str) -> bool:
    """Whether it is `override.tf`, `x_override.tf` or the same in JSON, which the engine merges over other files."""
    stem = name.split(".", 1)[0] if name.count(".") == 1 else name.removesuffix(".json").rsplit(".", 1)[0]
    return stem == "override" or stem.endswith("_override")


def read_config(path: Path) -> bytes:
    """Read a configuration file. Raises UserError for an irregular file, one over 8 MB, or an LFS pointer."""
    if not path.is_file():
        raise UserError(
            f"`{outside(path.name)}` is not a regular file.",
            next_step="Remove it, or commit it as a regular file.",
        )
    if path.stat().st_size > _MAX_SIZE:
        raise UserError(
            f"`{outside(path.name)}` is larger than {_MAX_SIZE >> 20} MB.",
            next_step="Split it, or remove it.",
        )
    content = path.read_bytes()
    if content.startswith(_LFS_POINTER):
        raise UserError(
            f"`{outside(path.name)}` is a Git LFS pointer, and files in LFS are not checked out.",
            next_step=f"Commit it as an ordinary file: `git lfs untrack {outside(path.name)}`, then "
            f"`git add --renormalize {outside(path.name)}`.",
        )
    return content


def directory_names(directory: str) -> list[str]:
    """Return what a directory contains; nothing if there is none."""
    try:
        return [entry.name for entry in Path(directory).iterdir()]
    except OSError:
        return []


def local_modules(root: Path, flavour: Flavour = "terraform") -> set[Path]:
    """Return the directories (absolute) of the local modules that `root` uses, directly or indirectly."""
    directories = closure(str(root), directory_names, lambda path: read_config(Path(path)), flavour)
    return {Path(directory) for directory in directories if Path(directory).is_dir()}


def module_users(
    files: Sequence[str], read: Read, roots: Sequence[str], flavour: Flavour = "terraform"
) -> Mapping[str, frozenset[str]]:
    """Return directory of a local module → the roots that use it, directly or indirectly.

    files: all paths of a git tree, from its top, separated by `/`. read: returns the bytes of such a path. Nothing is
    checked out.
    """
    names = names_in(files)
    users: dict[str, set[str]] = defaultdict(set)
    for root in roots:
        for module in closure(posixpath.normpath(root), names, read, flavour):
            users[module].add(root)
    return {module: frozenset(using) for module, using in users.items()}


def names_in(files: Sequence[str]) -> Names:
    """Return a function that lists a directory of a git tree, given all paths of the tree."""
    tree = defaultdict(list)
    for path in files:
        directory, name = posixpath.split(path)
        tree[directory or "."].append(name)
    return lambda directory: tree.get(directory, [])


def closure(root: str, names: Names, read: Read, flavour: Flavour) -> set[str]:
    """Return the directories of all local modules below `root`. names: lists a directory. read: reads a file."""
    modules: set[str] = set()
    pending = [root]
    while pending:
        directory = pending.pop()
        for name in config_files(names(directory), flavour):
            for source in _sources(name, read(posixpath.normpath(posixpath.join(directory, name)))):
                module = posixpath.normpath(posixpath.join(directory, source))
                if module not in modules and module != root:
                    modules.add(module)
                    pending.append(module)
    return modules


def _sources(name: str, content: bytes | None) -> list[str]:
    """Return the local sources of a file's module blocks; none for an invalid file, which the engine will refuse."""
    try:
        if content is None:
            return []
        if name.endswith(".json"):
            calls = [call for key, value in parse_json(content) if key == "module" for call in pairs(value)]
            sources = [value for _, call in calls for key, value in pairs(call) if key == "source"]
        else:
            sources = [block.text("source") for block in parse(content).named("module")]
    except ParseError:
        return []
    return [source for source in sources if isinstance(source, str) and source.startswith(("./", "../"))]
