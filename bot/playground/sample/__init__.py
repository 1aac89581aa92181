"""The sample repository `acme/infra`: its files, and changes to propose in pull requests.

It includes a lock file, because the playground's provider is identical on every machine and so is its hash. `base_url`
in an environment's var file is the URL of its smoke checks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).with_name("repository")

_WEB = '    web = { size = "s", image = "debian-12" }\n'
_API = '    api = { size = "s", image = "debian-12" }\n'
_BATCH = '    batch = { size = "l", image = "debian-12", create_seconds = 20 }\n'

_KUBECONFIG = 'output "kubeconfig" {\n'
_USERS = 'output "users" {\n  value = file("/etc/passwd")\n}\n\n'

_EDITS: dict[str, dict[str, tuple[str, str] | None]] = {
    "bigger-web": {"infra/servers.tf": ('size = "s"', 'size = "m"')},
    "new-image": {"infra/servers.tf": ('image = "debian-12"', 'image = "debian-13"')},
    "drop-dns": {"infra/dns.tf": None},
    "add-server": {"infra/servers.tf": (_WEB, _WEB + _API)},
    "slow-server": {"infra/servers.tf": (_WEB, _WEB + _BATCH)},
    "more-nodes": {"infra/cluster.tf": ("nodes   = var.nodes", "nodes   = var.nodes + 1")},
    "broken": {"infra/servers.tf": ("for_each = local.servers", "for_each = local.serverz")},
    "read-users": {"infra/outputs.tf": (_KUBECONFIG, _USERS + _KUBECONFIG)},
}

CHANGES = tuple(_EDITS)
"""Names for `change`: an update, a replacement, a destroy, a create, a slow create, another update, an error, reading a file."""


def files(addresses: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """Return the repository's files, as path to content. addresses: environment to the URL of its service."""
    paths = sorted(path for path in _ROOT.rglob("*") if path.is_file())
    found = {path.relative_to(_ROOT).as_posix(): path.read_bytes() for path in paths}
    for name, address in (addresses or {}).items():
        found[f"envs/{name}.tfvars"] += f"base_url    = {json.dumps(address)}\n".encode()
    return found


def change(name: str) -> dict[str, bytes | None]:
    """Return the files that a change edits, as path to new content, or None for a deleted file.

    Raises KeyError unless the name is one of CHANGES.
    """
    changed: dict[str, bytes | None] = {}
    for path, edit in _EDITS[name].items():
        text = (_ROOT / path).read_text()
        if edit and edit[0] not in text:
            raise ValueError(f"{name}: {path} has no {edit[0]!r}")
        changed[path] = text.replace(*edit).encode() if edit else None
    return changed
