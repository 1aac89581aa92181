"""The sample repository, `acme/infra`: its files, and small changes for pull requests.

A provider's lock file is among them: the playground's provider is the same bytes on every machine, so its hash holds
everywhere. `base_url` in an environment's var file says where its smoke checks find it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).with_name("repository")

_WEB = '    web = { size = "s", image = "debian-12" }\n'
_API = '    api = { size = "s", image = "debian-12" }\n'
_BATCH = '    batch = { size = "l", image = "debian-12", create_seconds = 20 }\n'

_EDITS: dict[str, dict[str, tuple[str, str] | None]] = {
    "bigger-web": {"infra/servers.tf": ('size = "s"', 'size = "m"')},
    "new-image": {"infra/servers.tf": ('image = "debian-12"', 'image = "debian-13"')},
    "drop-dns": {"infra/dns.tf": None},
    "add-server": {"infra/servers.tf": (_WEB, _WEB + _API)},
    "slow-server": {"infra/servers.tf": (_WEB, _WEB + _BATCH)},
    "more-nodes": {"infra/cluster.tf": ("nodes   = var.nodes", "nodes   = var.nodes + 1")},
    "broken": {"infra/servers.tf": ("for_each = local.servers", "for_each = local.serverz")},
}

CHANGES = tuple(_EDITS)
"""Names for `change`: an update, a replacement, a destroy, a creation, a slow creation, another update, an error."""


def files(addresses: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """Path from the repository's top → content. addresses: environment → where its service answers."""
    paths = sorted(path for path in _ROOT.rglob("*") if path.is_file())
    found = {path.relative_to(_ROOT).as_posix(): path.read_bytes() for path in paths}
    for name, address in (addresses or {}).items():
        found[f"envs/{name}.tfvars"] += f"base_url    = {json.dumps(address)}\n".encode()
    return found


def change(name: str) -> dict[str, bytes | None]:
    """What a pull request of this name does: path → new content, or None where the file goes.

    Raises KeyError for a name that is none of CHANGES.
    """
    made: dict[str, bytes | None] = {}
    for path, edit in _EDITS[name].items():
        text = (_ROOT / path).read_text()
        if edit and edit[0] not in text:
            raise ValueError(f"{name}: {path} has no {edit[0]!r}")
        made[path] = text.replace(*edit).encode() if edit else None
    return made
