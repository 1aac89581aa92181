"""What a finished `init` installed: also providers of modules that it downloaded, and those that only the state needs."""

from __future__ import annotations

import json
from pathlib import Path

from bot.domain.policy import BUILT_IN
from bot.domain.ports.terraform import ProviderUse
from bot.terraform.config.module_graph import Flavour, directory_names, read_config
from bot.terraform.config.provider_uses import (
    LOCK_FILE,
    first_of_each,
    of_configuration,
    of_lock_file,
    of_module,
)


def installed_providers(root: Path, flavour: Flavour) -> list[ProviderUse]:
    """Return the providers that the finished init of `root` chose or installed.

    Where the root's own configuration does not say why, the place is in a downloaded module or in the lock file.
    """

    def content(path: str) -> bytes:
        return read_config(Path(path))

    uses = of_configuration(str(root), directory_names, content, flavour)
    for directory in _downloaded_modules(root):
        uses += of_module(str(directory), directory_names, content, flavour)
    uses += of_lock_file(str(root), directory_names, content, flavour)
    places = {use.source: use for use in first_of_each(uses)}
    return [
        places.get(source) or ProviderUse(source, ".terraform/providers")
        for source in installed_sources(root, flavour)
    ]


def installed_sources(root: Path, flavour: Flavour) -> list[str]:
    """Return the sources of the providers that the finished init of `root` chose or installed."""
    path = root / LOCK_FILE
    lock = read_config(path) if path.exists() else b""
    found = {use.source for use in of_lock_file(str(root), directory_names, lambda _path: lock, flavour)}
    for package in (root / ".terraform" / "providers").glob("*/*/*"):
        found.add("/".join(package.parts[-3:]).lower())
    return sorted(found - {BUILT_IN})


def _downloaded_modules(root: Path) -> list[Path]:
    """Return the directories of the modules that init downloaded, as it noted them."""
    try:
        noted = json.loads((root / ".terraform" / "modules" / "modules.json").read_text())
        directories = {str(one["Dir"]) for one in noted["Modules"]}
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [root / one for one in sorted(directories) if one.startswith(".terraform/")]
