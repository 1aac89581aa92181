"""Compute a digest of everything that an `init` depends on. Changes to a resource's attributes do not affect it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.domain.ports.terraform import Backend, Engine
from bot.terraform.config.hcl import Block, parse
from bot.terraform.config.hcl_tokens import ParseError
from bot.terraform.config.module_graph import config_files, is_override, local_modules, read_config
from bot.terraform.config.provider_uses import LOCK_FILE, TYPED

_COMPLETE = ("terraform", "import")
"""Blocks that count as a whole: required providers, versions and backend; the provider of an import."""


def fingerprint(root: Path, backend: Backend, engine: Engine, *others: bytes) -> str:
    """Return the digest (64 hex digits) of everything that determines the result of `init` in `root`.

    That is the lock file, the module calls and the required and implied providers of the root and its local modules,
    the backend's settings, the engine, and `others` (such as the bytes of the CLI configuration). The path of `root`
    does not matter.
    """
    directories = [root, *sorted(local_modules(root, engine.flavour))]
    content = [
        [engine.identity, engine.executable, backend.kind, sorted(backend.config.items())],
        [hashlib.sha256(other).hexdigest() for other in (_lock_file(root), *others)],
        [
            [os.path.relpath(directory, root), list(_dependencies(directory, engine))]
            for directory in directories
        ],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _lock_file(root: Path) -> bytes:
    path = root / LOCK_FILE
    return read_config(path) if path.exists() else b""


def _dependencies(directory: Path, engine: Engine) -> Iterator[Any]:
    """Yield what the ordinary files of a directory depend on, then its override files. JSON files count as a whole."""
    names = config_files([entry.name for entry in directory.iterdir()], engine.flavour)
    for overriding in (False, True):
        merged = Block()
        for name in names:
            if is_override(name) == overriding:
                content = read_config(directory / name)
                blocks = None if name.endswith(".json") else _blocks(content)
                if blocks is None:
                    yield hashlib.sha256(content).hexdigest()
                else:
                    merged.blocks += blocks
        yield _outline(merged)


def _blocks(content: bytes) -> list[Block] | None:
    try:
        return parse(content).blocks
    except ParseError:
        return None


def _outline(file: Block) -> list[Any]:
    complete = [block.outline() for block in file.named(*_COMPLETE)]
    modules = [block.outline("source", "version") for block in file.named("module")]
    providers = [block.outline("version") for block in file.named("provider")]
    check_data = [block for check in file.named("check") for block in check.named("data")]
    typed = {
        json.dumps([block.type, block.labels[:1], block.outline("provider")[2]])
        for block in [*file.named(*TYPED), *check_data]
    }
    return [complete, modules, providers, sorted(typed)]
