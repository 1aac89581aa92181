"""What an `init` depends on, as one digest: a change of a resource's attributes leaves it as it is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.domain.ports.terraform import Backend, Engine
from bot.terraform.hcl import Block, Unreadable, parse
from bot.terraform.modules import config_files, is_override, local_modules, read_config

LOCK_FILE = ".terraform.lock.hcl"

_WHOLE = ("terraform", "import")
"""Blocks that count with all they say: required providers, versions, backend; the provider of an import."""
_TYPED = ("resource", "data", "ephemeral", "list", "action")
"""Blocks whose first label implies a provider."""


def fingerprint(root: Path, backend: Backend, engine: Engine, *others: bytes) -> str:
    """The digest (64 hex digits) of all that decides what `init` leaves for `root`.

    That is: the lock file, module calls, required and implied providers of the root and of its local modules, the
    backend's settings, the engine, and `others` (such as the CLI configuration's bytes). It does not depend on where
    `root` lies.
    """
    directories = [root, *sorted(local_modules(root, engine.flavour))]
    content = [
        [engine.identity, engine.executable, backend.kind, sorted(backend.config.items())],
        [hashlib.sha256(other).hexdigest() for other in (_lock(root), *others)],
        [[os.path.relpath(directory, root), list(_needs(directory, engine))] for directory in directories],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _lock(root: Path) -> bytes:
    path = root / LOCK_FILE
    return read_config(path) if path.exists() else b""


def _needs(directory: Path, engine: Engine) -> Iterator[Any]:
    """What the ordinary files of a directory need, then what its override files do; JSON counts as a whole."""
    names = config_files([entry.name for entry in directory.iterdir()], engine.flavour)
    for overriding in (False, True):
        together = Block()
        for name in names:
            if is_override(name) == overriding:
                content = read_config(directory / name)
                read = None if name.endswith(".json") else _blocks(content)
                if read is None:
                    yield hashlib.sha256(content).hexdigest()
                else:
                    together.blocks += read
        yield _outline(together)


def _blocks(content: bytes) -> list[Block] | None:
    try:
        return parse(content).blocks
    except Unreadable:
        return None


def _outline(file: Block) -> list[Any]:
    whole = [block.outline() for block in file.named(*_WHOLE)]
    modules = [block.outline("source", "version") for block in file.named("module")]
    providers = [block.outline("version") for block in file.named("provider")]
    inner = [block for check in file.named("check") for block in check.named("data")]
    typed = {
        json.dumps([block.type, block.labels[:1], block.outline("provider")[2]])
        for block in [*file.named(*_TYPED), *inner]
    }
    return [whole, modules, providers, sorted(typed)]
